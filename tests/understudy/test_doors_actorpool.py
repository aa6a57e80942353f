"""Ray's ActorPool at the doors: the same methods, awaited by tasks of asyncio, or waited for by threads."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.cast_pools import Member
from tests.doors import visit
from tests.rehearsal import LOCAL
from understudy import GetTimeoutError, Handle, aio, blocking
from understudy.crossing.runtime import FarRuntime

LocalMember = Member.options(executor=LOCAL)


def members(count: int = 2) -> list[Handle[Member]]:
    return [LocalMember.remote() for _ in range(count)]


def test_under_asyncio_a_map_gives_results_in_order_or_as_they_come() -> None:
    async def scene(runtime: FarRuntime) -> None:
        pool = aio.ActorPool(members())
        assert [n async for n in pool.map(Member.double, range(20))] == [2 * n for n in range(20)]
        unordered = pool.map_unordered(lambda actor, n: actor.double.remote(n), range(20))
        assert sorted([n async for n in unordered]) == [2 * n for n in range(20)]
        assert not pool.has_next()
        with pytest.raises(StopAsyncIteration):
            await anext(pool.map(Member.double, []))

    visit(scene)


def test_under_asyncio_a_result_that_is_late_can_be_asked_for_again() -> None:
    async def scene(runtime: FarRuntime) -> None:
        pool = aio.ActorPool([await Member.start()])
        pool.submit(Member.sleep, 0.1)
        pool.submit(Member.double, 2)
        for get in (pool.get_next, pool.get_next_unordered):
            with pytest.raises(GetTimeoutError):
                await get(timeout=0.001)
        assert await pool.get_next(timeout=20)
        assert await pool.get_next_unordered() == 4

    visit(scene)


@pytest.fixture
def pool() -> Any:
    with blocking.open_runtime():
        yield blocking.ActorPool(members())


def test_in_plain_code_a_map_gives_results_in_order_or_as_they_come(pool: blocking.ActorPool[Member]) -> None:
    assert list(pool.map(Member.double, range(20))) == [2 * n for n in range(20)]
    unordered = pool.map_unordered(lambda actor, n: actor.double.remote(n), range(20))
    assert sorted(unordered) == [2 * n for n in range(20)]
    assert list(itertools.islice(pool.map(Member.double, itertools.count()), 5)) == [0, 2, 4, 6, 8]


def test_in_plain_code_results_are_asked_for_one_by_one(pool: blocking.ActorPool[Member]) -> None:
    for n in (1, 2, 3):
        pool.submit(Member.double, n)
    assert not pool.has_free()
    assert [pool.get_next(), pool.get_next(timeout=10), pool.get_next_unordered()] == [2, 4, 6]
    for get in (pool.get_next, pool.get_next_unordered):
        with pytest.raises(StopIteration, match="no more results"):
            get()


def test_in_plain_code_a_failure_is_raised_where_its_result_is_asked_for(
    pool: blocking.ActorPool[Member],
) -> None:
    wrong: Any = lambda actor, n: n  # noqa: E731
    pool.submit(Member.double, -1)
    pool.submit(Member.double, 1)
    pool.submit(wrong, 2)
    with pytest.raises(ValueError):
        pool.get_next()
    with pytest.raises(TypeError, match="must return an ObjectRef"):
        pool.get_next_unordered()
    assert pool.get_next() == 2
    assert pool.has_free()


@pytest.mark.slow
def test_in_plain_code_a_result_that_is_late_can_be_asked_for_again() -> None:
    with blocking.open_runtime():
        pool = blocking.ActorPool([Member.remote()])
        pool.submit(Member.sleep, 0.3)
        for get in (pool.get_next, pool.get_next_unordered):
            with pytest.raises(GetTimeoutError):
                get(timeout=0.001)
        assert pool.get_next(timeout=20)
