"""Chains of calls: a circle is told with its way, what has a place free is none, and `reentrant` lets it in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from tests.rehearsal import LOCAL, held, pending_everywhere, rehearse
from understudy import Actor, DeadlockError, Runtime, TaskError, get, method, wait
from understudy.actors.events import FailureUnseen


class Caller(Actor, executor=LOCAL, max_concurrency=1, concurrency_groups={"io": 1}):
    """Calls others as it is told: `way` is a list of (actor, method) still to go."""

    @method
    async def ask(self, way: list[tuple[Any, str]]) -> int:
        if not way:
            return 0
        other, name = way[0]
        told: int = await getattr(other, name)(way[1:])
        return 1 + told

    @method
    async def by_ref(self, way: list[tuple[Any, str]], pause: float = 0.0) -> int:
        if not way:
            return 0
        ref = getattr(way[0][0], way[0][1]).remote(way[1:])
        await trio.sleep(pause)
        told: int = await ref
        return 1 + told

    @method
    async def by_stream(self, way: list[tuple[Any, str]]) -> int:
        return sum([n async for n in way[0][0].items(way[1:])])

    @method
    async def by_map(self, way: list[tuple[Any, str]], ordered: bool = True) -> int:
        if not way:
            return 0
        method = getattr(way[0][0], way[0][1])
        async with method.map([way[1:]], ordered=ordered) as results:
            return 1 + sum([int(n) async for n in results])

    @method
    async def by_wait(self, way: list[tuple[Any, str]], others: int = 0, timeout: float | None = None) -> int:
        if not way:
            return 0
        ref = getattr(way[0][0], way[0][1]).remote(way[1:])
        refs = [way[0][0].aside.remote([]) for _ in range(others)]
        ended, pending = await wait([ref, *refs], timeout=timeout)
        return 1 + sum([int(await one) for one in [*ended, *pending]])

    @method
    async def by_wait_done(self, way: list[tuple[Any, str]]) -> int:
        if not way:
            return 0
        ref = getattr(way[0][0], way[0][1]).remote(way[1:])
        await ref.wait_done()
        told: int = await ref
        return 1 + told

    @method
    async def by_argument(self, way: list[tuple[Any, str]], last: Any) -> int:
        """The result of the way is an argument of a call of the last."""
        told: int = await last.aside_with(getattr(way[0][0], way[0][1]).remote(way[1:]))
        return 1 + told

    @method(concurrency_group="io")
    async def aside_with(self, n: int) -> int:
        return n

    @method
    async def items(self, way: list[tuple[Any, str]]) -> AsyncIterator[int]:
        yield await getattr(way[0][0], way[0][1])(way[1:])

    @method
    async def cast_on(self, other: Any) -> int:
        other.pong.cast([])
        return 1

    @method
    async def in_background(self, way: list[tuple[Any, str]]) -> int:
        self.nursery.start_soon(self.later, way)
        return 1

    async def later(self, way: list[tuple[Any, str]]) -> None:
        await trio.sleep(1.0)
        await way[0][0].pong([])

    @method
    async def pong(self, way: list[tuple[Any, str]]) -> int:
        return await self.ask(way)

    @method(concurrency_group="io")
    async def aside(self, way: list[tuple[Any, str]]) -> int:
        return await self.ask(way)

    @method
    async def divide(self, way: list[tuple[Any, str]]) -> float:
        return 1 / len(way)

    @method
    async def nap(self, seconds: float) -> None:
        await trio.sleep(seconds)


async def named(*names: str, **options: Any) -> list[Any]:
    return [await Caller.options(id=name, **options).start() for name in names]


def refused(way: str, scene: Any) -> None:
    """The scene ends in a DeadlockError that tells this way."""

    async def play(runtime: Runtime) -> None:
        with pytest.raises(DeadlockError) as error:
            await scene()
        assert way in str(error.value)
        await trio.testing.wait_all_tasks_blocked()
        assert not pending_everywhere(runtime)

    rehearse(play, virtual=True)


def test_a_call_to_oneself_is_refused() -> None:
    async def scene() -> None:
        (a,) = await named("a")
        await a.ask([(a, "pong")])

    refused("a would wait for itself: a.ask -> a.pong", scene)


def test_a_circle_of_two_is_told_with_its_way() -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        await a.ask([(b, "pong"), (a, "pong")])

    refused("a would wait for itself: a.ask -> b.pong -> a.pong", scene)


def test_a_circle_at_the_end_of_a_longer_chain_leaves_out_what_is_before_it() -> None:
    async def scene() -> None:
        a, b, c, d = await named("a", "b", "c", "d")
        await a.ask([(b, "ask"), (c, "pong"), (d, "ask"), (b, "pong")])

    refused("b would wait for itself: b.ask -> c.pong -> d.ask -> b.pong", scene)


def test_a_circle_through_a_ref_is_refused() -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        await a.by_ref([(b, "pong"), (a, "pong")])

    refused("a.by_ref -> b.pong -> a.pong", scene)


def test_a_circle_is_refused_by_who_closes_it_later() -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        await a.by_ref([(b, "pong"), (a, "pong")], 1.0)

    refused("a.by_ref -> b.pong -> a.pong", scene)


def test_a_circle_through_a_stream_is_refused() -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        await a.by_stream([(b, "items"), (a, "pong")])

    refused("a.by_stream -> b.items -> a.pong", scene)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_circle_through_a_map_is_refused(ordered: bool) -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        await a.by_map([(b, "pong"), (a, "pong")], ordered)

    refused("a.by_map -> b.pong -> a.pong", scene)


@pytest.mark.parametrize("name", ["by_wait", "by_wait_done"])
def test_a_circle_through_a_ref_that_is_waited_for_to_end_is_refused(name: str) -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        await getattr(a, name)([(b, "pong"), (a, "pong")])

    refused(f"a.{name} -> b.pong -> a.pong", scene)


def test_a_circle_through_a_ref_among_the_arguments_is_refused() -> None:
    async def scene() -> None:
        a, b, c = await named("a", "b", "c")
        await a.by_argument([(b, "pong"), (a, "pong")], c)

    async def play(runtime: Runtime) -> None:
        with pytest.raises(TaskError, match=r"a.by_argument -> c.aside_with -> b.pong -> a.pong"):
            await scene()
        await trio.testing.wait_all_tasks_blocked()
        assert not pending_everywhere(runtime)

    rehearse(play, virtual=True)


def test_a_circle_whose_end_is_itself_the_argument_is_refused() -> None:
    async def scene() -> None:
        a, c = await named("a", "c")
        await a.by_argument([(a, "pong")], c)

    refused("a.by_argument -> c.aside_with -> a.pong", scene)


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_call_behind_one_that_waits_for_it_as_an_argument_is_refused(reentrant: bool) -> None:
    async def play(runtime: Runtime) -> None:
        a, b = await named("a", "b")
        (c,) = await named("c", reentrant=reentrant)
        with pytest.raises(TaskError, match=r"c.aside_with -> b.pong -> c.pong"):
            await a.by_argument([(b, "pong"), (c, "pong")], c)
        await trio.testing.wait_all_tasks_blocked()
        assert not pending_everywhere(runtime)

    rehearse(play, virtual=True)


def fine(scene: Any) -> None:
    async def play(runtime: Runtime) -> None:
        events = runtime.events()
        await scene()
        assert not held(events, FailureUnseen)
        assert not pending_everywhere(runtime)

    rehearse(play, virtual=True)


def test_a_chain_that_does_not_come_back_is_none() -> None:
    async def scene() -> None:
        a, b, c = await named("a", "b", "c")
        assert await a.ask([(b, "ask"), (c, "by_ref"), (b, "aside")]) == 3

    fine(scene)


def test_an_actor_with_a_free_place_takes_a_call_that_comes_back() -> None:
    async def scene() -> None:
        a, b = await named("a", "b", max_concurrency=2)
        assert await a.ask([(b, "ask"), (a, "ask"), (b, "ask")]) == 3

    fine(scene)


def test_places_held_by_the_chain_count_and_no_others() -> None:
    async def scene() -> None:
        a, b = await named("a", "b", max_concurrency=2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a.nap, 1.0)
            await trio.testing.wait_all_tasks_blocked()
            assert await a.ask([(b, "ask"), (a, "ask")]) == 2
        with pytest.raises(DeadlockError):
            await a.ask([(b, "ask"), (a, "ask"), (b, "ask"), (a, "ask")])

    fine(scene)


def test_another_group_has_its_own_places() -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        assert await a.ask([(b, "ask"), (a, "aside")]) == 2

    fine(scene)


def test_two_chains_that_cross_are_no_circle_within_one() -> None:
    async def scene() -> None:
        a, b, c = await named("a", "b", "c")
        assert await get([a.ask.remote([(c, "pong")]), b.ask.remote([(c, "pong")])]) == [1, 1]

    fine(scene)


def test_a_cast_waits_for_nothing() -> None:
    async def scene() -> None:
        (a,) = await named("a")
        assert await a.cast_on(a) == 1
        await trio.testing.wait_all_tasks_blocked()

    fine(scene)


def test_a_task_that_outlives_its_call_is_no_part_of_it() -> None:
    async def scene() -> None:
        (a,) = await named("a")
        await a.in_background([(a, "pong")])
        await trio.sleep(2.0)
        assert await a.pong([]) == 0

    fine(scene)


def test_reentrant_lets_a_call_of_the_same_chain_in_at_once() -> None:
    async def scene() -> None:
        a, b = await named("a", "b", reentrant=True)
        waiting = a.nap.remote(0.0)
        assert await a.ask([(b, "ask"), (a, "ask"), (b, "by_ref"), (a, "pong")]) == 4
        await waiting

    fine(scene)


def test_reentrant_lets_in_what_came_back_before_its_caller_waited() -> None:
    async def scene() -> None:
        (a,) = await named("a", reentrant=True)
        b, c = await named("b", "c")
        assert await a.by_ref([(b, "pong"), (a, "pong")], 1.0) == 2
        assert await a.by_ref([(b, "ask"), (c, "ask"), (a, "ask")], 1.0) == 3

    fine(scene)


@pytest.mark.parametrize("name", ["by_map", "by_wait", "by_wait_done"])
def test_reentrant_lets_in_what_comes_back_however_it_is_waited_for(name: str) -> None:
    async def scene() -> None:
        a, b = await named("a", "b", reentrant=True)
        assert await getattr(a, name)([(b, name), (a, name), (b, "pong")]) == 3

    fine(scene)


def test_reentrant_lets_in_what_comes_back_for_an_argument() -> None:
    async def scene() -> None:
        a, b, c = await named("a", "b", "c", reentrant=True)
        assert await a.by_argument([(b, "ask"), (a, "pong")], c) == 2

    fine(scene)


def test_who_waits_for_one_of_several_closes_no_circle() -> None:
    async def scene() -> None:
        (a,) = await named("a", reentrant=True)
        (b,) = await named("b")
        assert await a.by_wait([(b, "ask"), (a, "pong")], others=1) == 2

    fine(scene)


def test_who_waits_for_a_time_closes_no_circle_before_it_is_over() -> None:
    async def scene() -> None:
        a, b = await named("a", "b")
        with pytest.raises(DeadlockError):
            await a.by_wait([(b, "ask"), (a, "pong")], timeout=1.0)
        assert trio.current_time() >= 1.0

    rehearse(lambda _: scene(), virtual=True)


def test_an_argument_that_is_before_the_call_in_its_mailbox_is_no_circle() -> None:
    async def scene() -> None:
        a, c = await named("a", "c")
        waiting = c.nap.remote(1.0)
        assert await a.by_argument([(c, "pong")], c) == 1
        await waiting

    fine(scene)


def test_reentrant_lets_no_call_of_another_chain_in() -> None:
    async def scene() -> None:
        (a,) = await named("a", reentrant=True)
        first = a.nap.remote(1.0)
        second = a.pong.remote([])
        await trio.sleep(0.5)
        assert not second.done
        await get([first, second])

    fine(scene)


def test_an_exception_keeps_its_class_through_a_chain_of_actors() -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, c = await named("a", "b", "c")
        with pytest.raises(ZeroDivisionError, match="division by zero") as error:
            await a.ask([(b, "ask"), (c, "divide")])
        assert isinstance(error.value.__cause__, ZeroDivisionError)
        assert "Raised in a, ask()" in error.value.__notes__[0]
        assert "Raised in b, ask()" in error.value.__cause__.__notes__[0]

    rehearse(scene, virtual=True)
