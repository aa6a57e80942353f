"""The stream of events: one order, for every reader, however slow."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.cast import Faller
from tests.rehearsal import LOCAL, QUIET, held, rehearse, run
from understudy import ActorError, Runtime, kill, open_runtime
from understudy.actors.events import (
    ActorCrashed,
    ActorDied,
    ActorEnded,
    ActorReady,
    ActorStarting,
    CallRetried,
    Event,
    FailureUnseen,
    MessageBuried,
)
from understudy.supervisors.events import (
    HELD,
    ChildRestarting,
    EventReader,
    EventsMissed,
    EventStream,
    SupervisorGaveUp,
)

Quick = Faller.options(executor=LOCAL)


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_life_is_told_in_its_order(executor: object) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Faller.options(executor=executor, max_restarts=1, id="f").start()  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(ActorError):
                await faller.quit(1)
        await trio.testing.wait_all_tasks_blocked()
        told = [(type(event), event.incarnation) for event in held(events)]

        assert told == [
            (ActorStarting, 1), (ActorReady, 1), (ActorCrashed, 1), (ActorEnded, 1), (ChildRestarting, 1),
            (ActorStarting, 2), (ActorReady, 2), (ActorCrashed, 2), (ActorEnded, 2), (SupervisorGaveUp, 2),
            (ActorDied, 2),
        ]  # fmt: skip
        assert {event.actor for event in held(events)} == {"f"}

    rehearse(scene)


def test_times_never_run_backwards() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        for _ in range(3):
            faller = await Quick.start()
            await trio.sleep(1)
            await kill(faller)
        times = [event.at for event in held(events)]

        assert times == sorted(times)
        assert times[-1] - times[0] >= 3_000_000_000
        assert all(type(at) is int for at in times)

    rehearse(scene, virtual=True)


def test_every_reader_hears_everything_from_its_making_on() -> None:
    async def scene(runtime: Runtime) -> None:
        early = runtime.events()
        await Quick.start()
        late = runtime.events()
        await Quick.start()

        assert held(early)[2:] == held(late)
        assert len(held(late)) == 2

    rehearse(scene)


def event(number: int) -> Event:
    return Event(number, f"actor-{number}", 1)


async def read(reader: EventReader, count: int) -> list[Event]:
    return [await anext(reader) for _ in range(count)]


def test_a_slow_reader_is_told_how_much_it_missed() -> None:
    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        for number in range(HELD + 5):
            stream.emit(event(number))

        assert await read(reader, 2) == [EventsMissed(5, "", 0, 5), event(5)]
        stream.emit(event(HELD + 5))
        stream.emit(event(HELD + 6))
        assert await read(reader, 2) == [EventsMissed(7, "", 0, 1), event(7)]

    run(play)


def test_a_reader_never_holds_more_than_its_share() -> None:
    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        for number in range(3 * HELD):
            stream.emit(event(number))
        assert len(reader.held) == HELD
        first = await anext(reader)
        assert isinstance(first, EventsMissed)
        assert first.count == 2 * HELD

    run(play)


def test_a_waiting_reader_is_woken() -> None:
    async def play() -> None:
        stream = EventStream()
        async with EventReader(stream) as reader, trio.open_nursery() as nursery:
            found: list[Event] = []

            async def wait() -> None:
                found.append(await anext(reader))

            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            stream.emit(event(1))
        assert found == [event(1)]
        assert stream.readers == []

    run(play)


def test_a_cancelled_reader_loses_nothing() -> None:
    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        with trio.move_on_after(1):
            await anext(reader)
        stream.emit(event(1))
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(reader)
        assert await anext(reader) == event(1)

    run(play, virtual=True)


def test_a_closed_stream_ends_its_readers_after_what_they_hold() -> None:
    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        stream.emit(event(1))
        stream.close()

        assert [found async for found in reader] == [event(1)]

    run(play)


def test_a_closed_reader_ends() -> None:
    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        reader.close()
        reader.close()
        stream.emit(event(1))

        assert [found async for found in reader] == []

    run(play)


def test_readers_end_with_their_runtime() -> None:
    async def play() -> None:
        async with open_runtime() as runtime:
            events = runtime.events()
            await Quick.options(id="f").start()
        kinds = [type(found) async for found in events]

        assert kinds == [ActorStarting, ActorReady, ActorEnded, ActorDied]

    run(play)


def test_listeners_hear_before_readers() -> None:
    stream = EventStream()
    order: list[str] = []
    stream.listeners.append(lambda event: order.append("listener"))
    reader = EventReader(stream)
    reader.put = lambda event: order.append("reader")  # type: ignore[method-assign]
    stream.emit(event(1))

    assert order == ["listener", "reader"]


def test_the_failure_of_a_cast_is_told_with_its_call() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Quick.start()
        faller.fail.cast(KeyError("k"))
        await faller.add()
        (unseen,) = held(events, FailureUnseen)

        assert (unseen.actor, unseen.method, type(unseen.error)) == ("faller-1", "fail", KeyError)
        assert unseen.call_id > 0

    rehearse(scene)


def test_a_buried_message_and_a_retry_are_told() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Quick.options(max_task_retries=1, retry_exceptions=True).start()
        with pytest.raises(ValueError, match="x"):
            await faller.fail(ValueError("x"))
        (retried,) = held(events, CallRetried)
        assert retried.attempt == 2

        faller.note.cast("late")
        await kill(faller)
        (buried,) = held(events, MessageBuried)
        assert buried.letter == runtime.dead_letters[0]

    rehearse(scene)
