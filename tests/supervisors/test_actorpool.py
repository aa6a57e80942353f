"""Ray's ActorPool: items for actors that are there already, results in order or as they come."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import trio

from tests.cast_pools import Member
from tests.rehearsal import LOCAL, rehearse
from understudy import ActorPool, GetTimeoutError, Handle, Runtime

LocalMember = Member.options(executor=LOCAL)


async def members(count: int = 2) -> list[Handle[Member]]:
    return [await LocalMember.start() for _ in range(count)]


def test_map_gives_results_in_the_order_of_the_values() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = ActorPool(await members())

        assert [n async for n in pool.map(lambda a, v: a.double.remote(v), range(20))] == [
            2 * n for n in range(20)
        ]
        assert [n async for n in pool.map(Member.double, [3, 4])] == [6, 8]
        assert not pool.has_next()

    rehearse(scene)


@pytest.mark.slow
def test_map_unordered_gives_them_as_they_come() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = ActorPool([await Member.start(), await Member.start()])
        paths = [path async for path in pool.map_unordered(Member.sleep, [0.5, 0.01, 0.01])]

        assert paths[0] == paths[1] != paths[2]

    rehearse(scene)


def test_a_map_may_be_endless() -> None:
    async def scene(runtime: Runtime) -> None:
        doubles = ActorPool(await members()).map(Member.double, itertools.count())

        assert [await anext(doubles) for _ in range(5)] == [0, 2, 4, 6, 8]

    rehearse(scene)


def test_items_wait_until_an_actor_is_free() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = ActorPool(await members(1))
        assert pool.has_free()
        for value in (1, 2, 3):
            pool.submit(lambda a, v: a.double.remote(v), value)
        assert not pool.has_free()
        assert pool.pop_idle() is None
        assert repr(pool) == "<ActorPool, 0 free, 1 at work, 2 items waiting>"
        assert [await pool.get_next() for _ in range(3)] == [2, 4, 6]
        assert not pool.has_next()
        with pytest.raises(StopAsyncIteration, match="no more results"):
            await pool.get_next()
        with pytest.raises(StopAsyncIteration):
            await pool.get_next_unordered()

    rehearse(scene)


@pytest.mark.slow
def test_in_order_what_was_taken_out_of_order_is_skipped() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = ActorPool([await Member.start(), await Member.start()])
        pool.submit(Member.sleep, 0.3)
        pool.submit(Member.sleep, 0.01)
        first = await pool.get_next_unordered()

        assert await pool.get_next() != first
        assert not pool.has_next()

    rehearse(scene)


@pytest.mark.slow
def test_a_result_that_does_not_come_in_time_can_be_asked_for_again() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = ActorPool([await Member.start()])
        pool.submit(Member.sleep, 0.3)
        for get in (pool.get_next, pool.get_next_unordered):
            with pytest.raises(GetTimeoutError):
                await get(timeout=0.01)
        with trio.move_on_after(0.01):
            await pool.get_next()
        assert isinstance(await pool.get_next(), str)

    rehearse(scene)


def test_a_failure_is_raised_where_its_result_is_asked_for_and_its_actor_is_free_again() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = ActorPool(await members(1))
        pool.submit(Member.double, -1)
        pool.submit(Member.double, 4)
        with pytest.raises(ValueError, match="-1 is below 0"):
            await pool.get_next()
        assert await pool.get_next() == 8

    rehearse(scene)


def test_an_item_that_cannot_be_sent_when_its_turn_comes_fails_in_its_place() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = ActorPool(await members(1))
        wrong: Any = lambda a, v: a.double.remote()  # noqa: E731
        pool.submit(Member.double, 1)
        pool.submit(wrong, 2)
        pool.submit(Member.double, 3)
        assert await pool.get_next() == 2
        with pytest.raises(TypeError, match="double"):
            await pool.get_next()
        assert await pool.get_next_unordered() == 6
        with pytest.raises(TypeError, match="double"):
            pool.submit(wrong, 2)
        assert pool.has_free()

    rehearse(scene)


def test_what_gives_no_ref_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        wrong: Any = lambda a, v: v  # noqa: E731
        with pytest.raises(TypeError, match="fn must return an ObjectRef"):
            ActorPool(await members()).submit(wrong, 3)

    rehearse(scene)


def test_actors_can_be_added_and_taken_out() -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = await members()
        pool = ActorPool([first])
        pool.submit(Member.double, 1)
        pool.submit(Member.double, 2)
        pool.push(second)
        with pytest.raises(ValueError, match="is in this pool already"):
            pool.push(first)
        assert [await pool.get_next(), await pool.get_next()] == [2, 4]
        assert {id(pool.pop_idle()), id(pool.pop_idle())} == {id(first), id(second)}
        assert not pool.has_free()

    rehearse(scene)
