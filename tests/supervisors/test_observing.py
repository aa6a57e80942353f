"""Observers of a runtime: they see it from its first event to its last, and their failures are their own."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from tests.cast import Player
from tests.rehearsal import LOCAL, run
from understudy import Supervisor, aio, blocking, open_runtime
from understudy.actors.events import (
    ActorDied,
    ActorEnded,
    ActorReady,
    ActorStarting,
    Event,
    MessageEnded,
    MessageEvent,
)
from understudy.supervisors import observing
from understudy.supervisors.events import EventReader, EventStream
from understudy.supervisors.observing import RecorderFailed

PLAN = Supervisor(Player.options(executor=LOCAL, id="p").child())


class Listing:
    """Records in a list."""

    def __init__(self, messages: bool = False) -> None:
        self.messages = messages
        self.events: list[Event] = []
        self.over = False

    async def record(self, events: EventReader) -> None:
        while batch := await events.read():
            self.events += batch
        self.over = True


class Breaking(Listing):
    async def record(self, events: EventReader) -> None:
        await events.read()
        raise OSError("no such place")


class Stuck(Listing):
    async def record(self, events: EventReader) -> None:
        await trio.sleep_forever()


def test_a_recorder_takes_everything_from_the_first_event_to_the_last() -> None:
    listing = Listing()

    async def play() -> None:
        async with open_runtime(PLAN, record=listing) as runtime:
            await runtime.get_actor("p").add(1)

    run(play)
    assert [type(event) for event in listing.events] == [ActorStarting, ActorReady, ActorEnded, ActorDied]
    assert listing.over


def test_a_recorder_that_wants_messages_gets_them_and_its_neighbour_does_not() -> None:
    first, second = Listing(messages=True), Listing()

    async def play() -> None:
        async with open_runtime(PLAN, record=[first, second]) as runtime:
            await runtime.get_actor("p").add(1)

    run(play)
    assert [event.method for event in first.events if isinstance(event, MessageEnded)] == ["add"]
    assert [event for event in first.events if not isinstance(event, MessageEvent)] == second.events


def test_a_recorder_that_fails_is_told_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with open_runtime(PLAN, record=[Breaking(), listing]) as runtime:
            assert await runtime.get_actor("p").add(1) == 1

    listing = Listing()
    run(play)
    (failed,) = [event for event in listing.events if isinstance(event, RecorderFailed)]
    assert failed.text == "OSError: no such place"
    assert isinstance(listing.events[-1], ActorDied)
    assert "records nothing more" in caplog.text


def test_a_runtime_does_not_wait_for_ever_for_a_recorder(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> float:
        async with open_runtime(PLAN, record=Stuck()):
            begun = trio.current_time()
        return trio.current_time() - begun

    assert run(play, virtual=True) == pytest.approx(observing.PATIENCE)
    assert "what they had not written is lost" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [({"recrod": 1}, "no option 'recrod'; beside the tree it has "), ({"record": 3}, "3 records nothing")],
)
def test_a_wrong_option_is_refused_before_anything_starts(options: Any, words: str) -> None:
    async def play() -> None:
        async with open_runtime(PLAN, **options):
            raise AssertionError("it is open")

    with pytest.raises(TypeError, match=words):
        run(play)
    with pytest.raises(TypeError, match=words), blocking.open_runtime(PLAN, **options):
        raise AssertionError("it is open")


def test_the_doors_for_asyncio_and_plain_code_take_the_same_options() -> None:
    import asyncio

    listings = Listing(), Listing()

    async def play() -> None:
        async with aio.open_runtime(PLAN, record=listings[0]):
            pass

    asyncio.run(play())
    with blocking.open_runtime(PLAN, record=listings[1]):
        pass
    assert [len(listing.events) for listing in listings] == [4, 4]


def test_a_reader_reads_all_that_is_there_at_once_and_in_the_end_nothing() -> None:
    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        for number in range(3):
            stream.emit(Event(number, "a", 1))
        assert [event.at for event in await reader.read()] == [0, 1, 2]
        stream.close()
        assert await reader.read() == []

    run(play)
