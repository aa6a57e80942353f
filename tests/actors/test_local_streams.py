"""Streams of actors in this process: as many as one likes, and never more in memory than asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

from tests.cast_streams import River, Spring
from tests.rehearsal import LOCAL, held, pending_everywhere, rehearse
from understudy import (
    Actor,
    ActorUnavailableError,
    CallInterruptedError,
    Runtime,
    TaskCancelledError,
    TaskError,
    current_call,
    interrupt,
    kill,
    method,
    statistics,
)
from understudy.actors.events import ActorEnded, FailureUnseen

both = pytest.mark.parametrize("cls", [Spring, River], ids=["plain", "async"])


@pytest.mark.slow
def test_ten_thousand_actors_stream_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        local = Spring.options(executor=LOCAL)
        streams = [(await local.start()).endless() for _ in range(10_000)]
        for n in range(3):
            assert [await anext(stream) for stream in streams] == [n] * 10_000
        for stream in streams:
            stream.close()
        await trio.testing.wait_all_tasks_blocked()
        assert not pending_everywhere(runtime)

    rehearse(scene, virtual=True)


@pytest.mark.slow
def test_one_actor_gives_ten_thousand_streams_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        river = await River.options(executor=LOCAL, max_concurrency=10_000).start()
        streams = [river.numbers(5) for _ in range(10_000)]
        for n in range(5):
            assert [await anext(stream) for stream in streams] == [n] * 10_000
        for stream in streams:
            assert [item async for item in stream] == []
        assert len(await river.told()) == 10_000

    rehearse(scene, virtual=True)


@both
def test_a_generator_without_a_reader_stops_after_so_many_items(cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=LOCAL).start()
        object_here = actor._life.incarnation.actor
        async with actor.careful(1000) as stream:
            await trio.testing.wait_all_tasks_blocked()
            assert (object_here.given, len(stream.items)) == (3, 3)
            for n in range(20):
                assert await anext(stream) == n
                await trio.testing.wait_all_tasks_blocked()
                assert object_here.given <= n + 1 + 3
                assert len(stream.items) <= 3

    rehearse(scene, virtual=True)


def test_the_items_are_the_very_same_objects() -> None:
    class Giver(Actor, executor=LOCAL):
        @method
        def same(self, *items: Any) -> Iterator[Any]:
            yield from items

    async def scene(runtime: Runtime) -> None:
        mine = object(), [1]
        got = [item async for item in (await Giver.start()).same(*mine)]
        assert all(a is b for a, b in zip(mine, got, strict=True))

    rehearse(scene, virtual=True)


@both
@pytest.mark.parametrize("ticks", range(12))
def test_a_reader_cancelled_at_any_await_leaves_nothing_behind(cls: Any, ticks: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=LOCAL).start()

        async def read(scope: trio.CancelScope) -> None:
            with scope:
                async with actor.careful(50) as stream:
                    async for _ in stream:
                        await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()
            nursery.start_soon(read, scope)
            for _ in range(ticks):
                await trio.lowlevel.checkpoint()
            scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert not pending_everywhere(runtime)
        assert [n async for n in actor.careful(5)] == [0, 1, 2, 3, 4]

    rehearse(scene, virtual=True)


def test_a_call_waits_while_the_stream_before_it_waits_for_its_reader() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL).start()
        stream = spring.careful(10)
        ref = spring.count.remote()
        await trio.testing.wait_all_tasks_blocked()
        assert ref.done
        assert await anext(stream) == 0
        ref = spring.count.remote()
        await trio.testing.wait_all_tasks_blocked()
        assert not ref.done
        assert [n async for n in stream] == list(range(1, 10))
        assert await ref == 10

    rehearse(scene, virtual=True)


def test_an_interrupted_stream_is_closed_and_its_actor_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL).start()
        stream = spring.careful(10)
        await anext(stream)
        await trio.testing.wait_all_tasks_blocked()
        assert await interrupt(spring)
        with pytest.raises(CallInterruptedError):
            _ = [n async for n in stream]
        assert statistics(spring).incarnation == 1

    rehearse(scene, virtual=True)


def test_a_stream_may_be_interrupted_twice_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL).start()
        stream = spring.careful(10)
        await anext(stream)
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt, spring)
            nursery.start_soon(interrupt, spring)
        with pytest.raises(CallInterruptedError):
            _ = [n async for n in stream]

    rehearse(scene, virtual=True)


def test_an_interrupted_stream_restarts_its_actor_where_that_is_wanted() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL, after_interrupt="restart").start()
        events = runtime.events()
        stream = spring.endless()
        await anext(stream)
        assert await interrupt(spring)
        assert await spring.count() == 0
        assert [event.reason.kind for event in held(events, ActorEnded)] == ["interrupted"]

    rehearse(scene, virtual=True)


def test_a_killed_actor_closes_its_generator_and_tells_what_that_raises() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL).start()
        events = runtime.events()
        stream = spring.fail_when_closed(ValueError("at the end"))
        await anext(stream)
        await kill(spring, no_restart=False)
        with pytest.raises(ActorUnavailableError):
            _ = [n async for n in stream]
        assert [str(event.error) for event in held(events, FailureUnseen)] == ["at the end"]
        assert await spring.count() == 0

    rehearse(scene, virtual=True)


class Lake(Actor, executor=LOCAL):
    @method(max_task_retries=2)
    async def numbers(self, before: int) -> AsyncIterator[int]:
        """Waits without end at this position, on the first attempt."""
        for n in range(3):
            if n == before and current_call().attempt == 1:
                await trio.sleep_forever()
            yield n


@pytest.mark.parametrize("before", [0, 1])
def test_a_stream_whose_actor_died_is_tried_again_only_if_no_item_has_come(before: int) -> None:
    async def scene(runtime: Runtime) -> None:
        lake = await Lake.start()
        stream = lake.numbers(before)
        stream.begin()
        await trio.testing.wait_all_tasks_blocked()
        await kill(lake, no_restart=False)
        items: list[int] = []
        try:
            async for n in stream:
                items.append(n)  # noqa: PERF401 - what came before the error counts
        except ActorUnavailableError:
            items.append(-1)
        assert items == ([0, -1] if before else [0, 1, 2])

    rehearse(scene, virtual=True)


def test_sync_calls_of_a_class_with_generators_keep_their_order() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL).start()
        streams = [spring.numbers(1) for _ in range(4)]
        for n in range(200):
            spring.note.cast(n)
            if n % 50 == 0:
                streams[n // 50].begin()
                spring.note.cast("after")
        got = [line for line in await spring.told() if line != "after"]
        assert [n for n in got if n != "closed"] == list(range(200))
        assert got.count("closed") == 4
        assert got.index("closed") == 1

    rehearse(scene, virtual=True)


class Reader(Actor, executor=LOCAL):
    """Begins streams in its methods, and leaves them open."""

    def __init__(self) -> None:
        self.kept: Any = None

    @method
    async def begin(self, spring: Any) -> int:
        self.kept = spring.endless()
        return await anext(self.kept)

    @method
    async def read_out(self) -> None:
        async for _ in self.kept:
            pass

    @method
    async def hand_over(self, spring: Any) -> Any:
        stream = spring.endless()
        assert await anext(stream) == 0
        return stream


def test_a_stream_ends_with_the_call_in_which_it_was_begun() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL).start()
        reader = await Reader.start()
        assert await reader.begin(spring) == 0
        await trio.testing.wait_all_tasks_blocked()
        assert statistics(spring).pending == 0
        with pytest.raises(TaskError, match=r"begin\(\), its owner, has ended") as error:
            await reader.read_out()
        assert isinstance(error.value.__cause__, TaskCancelledError)

    rehearse(scene, virtual=True)


def test_a_stream_that_is_its_call_s_result_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=LOCAL).start()
        reader = await Reader.start()
        stream = await reader.hand_over(spring)
        assert [await anext(stream) for _ in range(100)] == list(range(1, 101))
        await stream.aclose()

    rehearse(scene, virtual=True)
