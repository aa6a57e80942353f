"""What holds for streams wherever the generator runs, told once for every executor."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import trio

from tests.cast_streams import Plain, River, Spring
from tests.rehearsal import held, pending_everywhere, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Local,
    Runtime,
    TaskCancelledError,
    TaskError,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import CallRetried, FailureUnseen

EXECUTORS: list[Any] = [Local()]
NAMES = ["local"]

everywhere = pytest.mark.parametrize("executor", EXECUTORS, ids=NAMES)
both = pytest.mark.parametrize("cls", [Spring, River], ids=["plain", "async"])


async def all_of(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def until_failed(stream: Any, kind: type[BaseException]) -> tuple[list[Any], Any]:
    """The items that came, and the error that came after them."""
    items: list[Any] = []
    with pytest.raises(kind) as error:
        await gather(stream, items)
    return items, error.value


async def gather(stream: Any, items: list[Any]) -> None:
    async for item in stream:
        items.append(item)  # noqa: PERF401 - what came before an error counts


# -- items -------------------------------------------------------------------------------------------


@everywhere
@both
@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1000])
def test_items_come_in_order_and_all_of_them(executor: Any, cls: Any, count: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()

        assert await all_of(actor.numbers(count)) == list(range(count))
        assert not pending_everywhere(runtime)
        assert await actor.told() == ["closed"]

    rehearse(scene)


@everywhere
@both
def test_remote_gives_the_items_as_refs(executor: Any, cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()

        assert [await ref async for ref in actor.numbers.remote(5)] == [0, 1, 2, 3, 4]

        refs = [ref async for ref in actor.fail_at.remote(1, ValueError("no"))]
        assert await refs[0] == 0
        with pytest.raises(ValueError, match="no"):
            await refs[1]

    rehearse(scene)


@everywhere
@both
def test_the_generator_knows_its_call_at_every_step(executor: Any, cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()
        stream = actor.who()
        id = stream.feed.call.id

        assert await all_of(stream) == [(id, "who"), (id, "who")]

    rehearse(scene)


@everywhere
def test_an_unmarked_generator_is_reached_by_call(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring: Any = await Spring.options(executor=executor).start()
        plain: Any = await Plain.options(executor=executor).start()

        assert await all_of(spring.call(Spring.unmarked, 3)) == [0, 1, 2]
        assert await all_of(plain.call(Plain.unmarked, 3)) == [0, 1, 2]

    rehearse(scene)


# -- turns -------------------------------------------------------------------------------------------


@everywhere
def test_a_stream_holds_the_turn_until_it_ends(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        async with spring.endless() as stream:
            assert await anext(stream) == 0
            ref = spring.count.remote()
            spring.note.cast("later")
            for n in range(1, 200):
                assert await anext(stream) == n
            assert not ref.done
        await ref
        assert await spring.told() == ["closed", "later"]

    rehearse(scene)


@everywhere
@both
def test_a_generator_is_at_most_so_many_items_ahead_of_its_reader(executor: Any, cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()
        async with actor.careful(100) as stream:
            seen = 0
            async for _ in stream:
                seen += 1
                await trio.sleep(0.001)
                assert len(stream.items) <= 3
            assert seen == 100

    rehearse(scene)


@everywhere
def test_streams_of_many_actors_go_on_beside_each_other(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        springs = [await Spring.options(executor=executor).start() for _ in range(3)]
        streams = [spring.endless() for spring in springs]
        for n in range(300):
            assert [await anext(stream) for stream in streams] == [n] * 3
        for stream in streams:
            await stream.aclose()

    rehearse(scene)


# -- errors ------------------------------------------------------------------------------------------


@everywhere
@both
@pytest.mark.parametrize("position", [0, 1, 64, 100])
def test_what_a_generator_raises_reaches_the_reader_where_it_was_raised(
    executor: Any, cls: Any, position: int
) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()
        items, error = await until_failed(actor.fail_at(position, ValueError("no")), TaskError)

        assert items == list(range(position))
        assert isinstance(error, ValueError)
        assert await actor.count() == 0
        assert statistics(actor).incarnation == 1

    rehearse(scene)


@everywhere
def test_arguments_that_do_not_fit_are_refused_at_once(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring: Any = await Spring.options(executor=executor).start()
        with pytest.raises(TypeError, match="not_at_all"):
            spring.not_at_all(1)
        assert await all_of(spring.not_at_all(needed=1)) == [1]

    rehearse(scene)


@everywhere
@both
def test_crash_on_ends_the_incarnation_after_the_reader_is_told(executor: Any, cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor, crash_on=(LookupError,)).start()
        items, error = await until_failed(actor.fail_at(2, KeyError("grave")), TaskError)

        assert (items, isinstance(error, KeyError)) == ([0, 1], True)
        assert await actor.count() == 0
        assert statistics(actor).incarnation == 2

    rehearse(scene)


@everywhere
def test_an_actor_may_leave_in_the_midst_of_a_stream(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        items, error = await until_failed(spring.leave_at(3), ActorDiedError)

        assert items == [0, 1, 2]
        assert error.reason.kind == "normal"

    rehearse(scene)


# -- attempts ----------------------------------------------------------------------------------------


@everywhere
@both
def test_a_stream_that_raised_is_tried_again_before_its_first_item_only(executor: Any, cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()
        events = runtime.events()

        assert await all_of(actor.fail_at_first(0)) == [0, 1]
        assert len(held(events, CallRetried)) == 1
        items, error = await until_failed(actor.fail_at_first(1), TaskError)
        assert (items, isinstance(error, ValueError)) == ([0], True)
        assert len(held(events, CallRetried)) == 1

    rehearse(scene)


@everywhere
def test_a_stream_whose_actor_died_under_it_fails_once_an_item_has_come(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        stream = spring.endless.options(max_task_retries=2)()
        assert await anext(stream) == 0
        await kill(spring, no_restart=False)
        items, error = await until_failed(stream, ActorUnavailableError)

        assert items == list(range(1, 1 + len(items)))
        assert error.fate in ("begun", "unknown")
        assert await spring.count() == 0

    rehearse(scene)


@everywhere
def test_a_stream_that_waits_in_the_mailbox_survives_the_death_of_its_actor(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        first, second = spring.endless(), spring.numbers.remote(3)
        assert await anext(first) == 0
        await kill(spring, no_restart=False)

        assert [await ref async for ref in second] == [0, 1, 2]

    rehearse(scene)


# -- early ends --------------------------------------------------------------------------------------


@everywhere
@pytest.mark.parametrize("way", ["block", "aclose", "drop", "cancel"])
def test_a_stream_that_ends_early_closes_its_generator(executor: Any, way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        stream = spring.endless()
        assert await anext(stream) == 0
        if way == "aclose":
            await stream.aclose()
        elif way == "drop":
            del stream
            gc.collect()
        else:
            with trio.CancelScope() as scope:
                async with stream:
                    if way == "cancel":
                        scope.cancel()
                        await trio.sleep_forever()

        assert await spring.told() == ["closed"]
        assert not pending_everywhere(runtime)

    rehearse(scene)


@everywhere
def test_an_async_generator_that_waits_is_closed_at_once(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        river = await River.options(executor=executor).start()
        stream = river.stuck_after(2)
        assert [await anext(stream), await anext(stream)] == [0, 1]
        await stream.aclose()
        while await river.told() != ["closed"]:  # noqa: ASYNC110 - it is for its actor to say
            await trio.sleep(0.001)
        assert await all_of(stream) == []

    rehearse(scene)


@everywhere
def test_closing_twice_and_reading_after_it_is_harmless(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        stream = spring.endless()
        await anext(stream)
        await stream.aclose()
        await stream.aclose()

        assert await all_of(stream) == []

    rehearse(scene)


@everywhere
def test_a_stream_that_was_never_begun_sends_nothing(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        stream = spring.numbers(3)
        del stream
        gc.collect()

        assert await spring.count() == 0

    rehearse(scene)


@everywhere
@both
@pytest.mark.parametrize("error", [ValueError("at the end"), LookupError("gone")])
def test_what_a_closed_generator_raises_is_an_event(executor: Any, cls: Any, error: Exception) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()
        events = runtime.events()
        async with actor.fail_when_closed(error) as stream:
            await anext(stream)
        await until(lambda: held(events, FailureUnseen))
        (unseen,) = held(events, FailureUnseen)

        assert (unseen.method, str(unseen.error)) == ("fail_when_closed", str(error))
        assert await actor.count() == 0

    rehearse(scene)


@everywhere
def test_a_generator_that_does_not_close_is_told(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        events = runtime.events()
        async with spring.never_closes() as stream:
            await anext(stream)
        assert await spring.told() == ["ignored"]
        (unseen,) = held(events, FailureUnseen)

        assert "ignored GeneratorExit" in str(unseen.error)

    rehearse(scene)


@everywhere
def test_a_reader_cancelled_while_it_waits_loses_no_item(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        river = await River.options(executor=executor).start()
        stream = river.numbers(20, 0.002)
        items: list[int] = []
        while len(items) < 20:
            with trio.move_on_after(0.001):
                items.append(await anext(stream))
        assert items == list(range(20))

    rehearse(scene)


@everywhere
def test_the_timeout_of_a_stream_is_for_each_item(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        river = await River.options(executor=executor).start()
        assert await all_of(river.numbers.options(timeout=1.0)(5, 0.01)) == [0, 1, 2, 3, 4]
        items, _ = await until_failed(river.stuck_after.options(timeout=0.05)(2), GetTimeoutError)
        assert items == [0, 1]

    rehearse(scene)


@everywhere
def test_interrupt_ends_the_stream_that_runs(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        stream = spring.endless()
        await anext(stream)

        assert await interrupt(spring)
        await until_failed(stream, CallInterruptedError)
        assert await spring.told() == ["closed"]
        assert not await interrupt(spring)

    rehearse(scene)


@everywhere
def test_the_end_of_a_runtime_ends_its_streams(executor: Any) -> None:
    async def scene(runtime: Runtime) -> Any:
        spring = await Spring.options(executor=executor, shutdown=0.05).start()
        stream = spring.endless()
        await anext(stream)
        return stream

    stream = rehearse(scene)
    assert stream.feed.call.ended
    assert isinstance(stream.feed.call.error, ActorDiedError | TaskCancelledError)
