"""Recording: events in files and databases, and back; disks that are full; readers that fall behind."""

from __future__ import annotations

import json
import logging
import os
import resource
import sqlite3
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast import Faller, Player
from tests.rehearsal import LOCAL, run
from understudy import ExitReason, open_runtime
from understudy.actors.deadletter import DeadLetter
from understudy.actors.events import (
    ActorDied,
    CallAtDeath,
    Event,
    FailureUnseen,
    MessageBuried,
    MessageEnded,
    MessageEvent,
)
from understudy.recording import EventUnwritten, JsonLines, LogOpened, Recorded, Sqlite, UnknownEvent
from understudy.recording.plain import below, event_of, line_of
from understudy.supervisors.events import EventReader, EventsMissed, EventStream
from understudy.supervisors.observing import RecorderFailed

REASON = ExitReason("error", "it failed", ValueError("x"), status=-9, stderr="…")
LETTER = DeadLetter(3, "a/b", "add", (1, 2.5, "three", None, True), {"n": 4}, "poison", (REASON, REASON), 2)

# A value of each type that a field of an event may have.
VALUES: dict[Any, Any] = {
    int: 7, str: "wörter \"'\n", bool: True, float: 0.25, ExitReason: REASON, BaseException: KeyError("k"),
    DeadLetter: LETTER, tuple[CallAtDeath, ...]: (CallAtDeath(1, "add", "begun"),), dict[str, Any]: {"a": [1, None]},
    tuple[str, ...]: ("a", "b"), tuple[int, ...]: (1, 2), bytes: b"\xff\x00x",
}  # fmt: skip


def sample(kind: type[Event]) -> Event:
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: value_of(hints[field.name]) for field in fields(kind)})


def value_of(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(one for one in typing.get_args(hint) if one is not type(None))
    return VALUES[hint]


# A Traced holds what users gave, and goes to whoever traces, not into records.
OTHERS = ("UnknownEvent", "Own", "Traced")
KINDS = {one.__name__: one for one in (Event, *below(Event)) if one.__name__ not in OTHERS}
WRITERS = {"lines": JsonLines, "sqlite": Sqlite}
every = pytest.mark.parametrize("name", WRITERS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_event_is_read_back_as_it_was_written(kind: type[Event]) -> None:
    event = sample(kind)
    back = event_of(line_of(event))

    assert type(back) is kind
    assert back == event
    assert line_of(back) == line_of(event) or "traceback" in str(line_of(event))


def test_exceptions_come_back_as_their_words() -> None:
    try:
        raise KeyError("k")
    except KeyError as error:
        event = FailureUnseen(1, "a", 1, 2, "add", error, 0)
    back: Any = event_of(line_of(event))

    assert isinstance(back.error, Recorded)
    assert (back.error.kind, back.error.text, str(back.error)) == ("KeyError", "'k'", "KeyError: 'k'")
    assert "raise KeyError" in back.error.traceback
    assert line_of(back) == line_of(event)


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_arguments_of_dead_letters_are_plain_or_words() -> None:
    arguments = (object, [1, 2], 1 << 80, float("nan"), "x" * 9000, Mute(), "\udc00", b"bytes", {1: {2}})
    letter = DeadLetter(1, "a", "add", arguments, {}, "poison", ())
    back: Any = event_of(line_of(MessageBuried(1, "a", 1, letter)))
    told = back.letter.args

    assert told[0] == "<class 'object'>"
    assert told[1:4] == ("[1, 2]", str(1 << 80), "nan")
    assert len(told[4]) <= 2000
    assert told[5].startswith("<a Mute without words") or told[5].startswith("<Mute instance at")
    assert told[6:] == ("\\udc00", "b'bytes'", "{1: {2}}")


@dataclass(frozen=True, slots=True)
class Own(Event):
    what: Any = None


def test_what_cannot_be_put_into_json_is_told_to_be_missing() -> None:
    back = event_of(line_of(Own(5, "\udc00", 2, 1)))

    assert isinstance(back, EventUnwritten)
    assert (back.at, back.actor, back.incarnation, back.kind) == (5, "\\udc00", 2, "Own")


def test_events_of_others_are_known_where_they_are_made_and_kept_whole_elsewhere() -> None:
    assert event_of(line_of(Own(5, "a", 2, 1))) == Own(5, "a", 2, 1)
    foreign = event_of('{"event": "Elsewhere", "at": 1, "actor": "a", "incarnation": 2, "more": [3]}')
    assert foreign == UnknownEvent(1, "a", 2, "Elsewhere", {"more": [3]})


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", "nonsense", '{"event": 3}', '{"event": "ActorReady"}', '{"event": "ActorEnded", "at": 1}',
             '{"event":"FailureUnseen","at":1,"actor":"a","incarnation":1,"call_id":1,"method":"m","error":{"x":"y"}}']
)  # fmt: skip
def test_a_line_that_is_no_event_is_refused_and_shown(line: str) -> None:
    with pytest.raises(ValueError, match="this is no event: ") as error:
        event_of(line)
    assert line[:20] in str(error.value)


@every
def test_a_runtime_is_recorded_from_its_first_event_to_its_last(name: str, tmp_path: Path) -> None:
    recorder = WRITERS[name](tmp_path / "log", messages=True)
    seen: list[Event] = []

    async def play() -> None:
        async with open_runtime(record=recorder) as runtime:
            runtime.house.stream.listeners.append(seen.append)
            faller = await Faller.options(executor=LOCAL, id="f", crash_on=(ValueError,)).start()
            with pytest.raises(ValueError, match="x"):
                await faller.fail(ValueError("x"))
            await faller.add()

    run(play)
    told = list(recorder.read())
    opened = told[0]
    assert isinstance(opened, LogOpened)
    assert opened.pid == os.getpid()
    assert isinstance(told[-1], ActorDied)
    assert [event for event in told[1:] if not isinstance(event, MessageEvent)] == seen
    assert [event.method for event in told if isinstance(event, MessageEnded)] == ["add"]


@every
def test_two_runs_go_into_one_place_one_after_the_other(name: str, tmp_path: Path) -> None:
    recorder = WRITERS[name](tmp_path / "log")

    async def play() -> None:
        async with open_runtime(record=recorder):
            await Player.options(executor=LOCAL).start()

    run(play)
    run(play)
    kinds = [type(event) for event in recorder.read()]
    assert len(kinds) == 10
    assert kinds[:5] == kinds[5:]
    assert kinds[0] is LogOpened


def test_a_database_is_asked_by_sql(tmp_path: Path) -> None:
    recorder = Sqlite(tmp_path / "log", messages=True)

    async def play() -> int:
        async with open_runtime(record=recorder):
            player = await Player.options(executor=LOCAL, id="p").start()
            ref = player.add.remote(1)
            await ref
            return ref.id

    id = run(play)
    steps = [type(event).__name__ for event in recorder.read("call_id = ?", (id,))]
    assert steps == ["MessageQueued", "MessageBegun", "MessageEnded"]
    with sqlite3.connect(tmp_path / "log") as base:
        assert base.execute("SELECT DISTINCT actor FROM events WHERE event = 'ActorReady'").fetchall() == [
            ("p",)
        ]
    base.close()


def test_a_database_keeps_the_last_events(tmp_path: Path) -> None:
    recorder = Sqlite(tmp_path / "log", keep=10)
    told = pour(recorder, [Event(number, "a", 1) for number in range(100)])
    assert [event.at for event in told] == list(range(90, 100))


def test_files_are_turned_when_they_are_full_and_the_oldest_goes(tmp_path: Path) -> None:
    recorder = JsonLines(tmp_path / "log", rotate=300, keep=3)

    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(recorder.record, reader)
            for number in range(60):
                stream.emit(Event(number, "a", 1))
                await trio.testing.wait_all_tasks_blocked(0.001)
            stream.close()

    run(play)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size < 600 for path in tmp_path.iterdir())
    assert all(
        json.loads(path.read_text().splitlines()[0])["event"] == "LogOpened" for path in tmp_path.iterdir()
    )
    told = [event.at for event in recorder.read() if type(event) is Event]
    assert told == list(range(told[0], 60))
    assert 3 < len(told) < 60


def test_a_line_that_was_cut_off_by_a_power_cut_ends_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(line_of(Event(1, "a", 1)) + b"\n" + line_of(Event(2, "a", 1))[:20])
    assert list(JsonLines(path).read()) == [Event(1, "a", 1)]


def pour(recorder: Any, events: list[Event], then: Any = None) -> list[Event]:
    """Have a recorder write these; returns what it reads, less LogOpened."""

    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        for event in events:
            stream.emit(event)
        stream.close()
        await recorder.record(reader)

    run(play)
    return [event for event in recorder.read() if not isinstance(event, LogOpened)]


@pytest.mark.slow
@every
def test_a_recorder_that_fell_behind_writes_how_much_it_missed(name: str, tmp_path: Path) -> None:
    told = pour(WRITERS[name](tmp_path / "log"), [Event(number, "a", 1) for number in range(10_005)])
    assert told[0] == EventsMissed(5, "", 0, 5)
    assert len(told) == 10_001


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_told_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with open_runtime(record=JsonLines("/dev/full")) as runtime, runtime.events() as events:
            event = await anext(events)
            while not isinstance(event, RecorderFailed):
                event = await anext(events)
            assert "No space left" in event.text
            assert await Player.options(executor=LOCAL).remote().add(1) == 1

    with caplog.at_level(logging.ERROR, "understudy"):
        run(play)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "events are lost until it can be" in told[0]
    assert "is closed without " in told[1]


@pytest.fixture
def small_files() -> Iterator[Any]:
    """Files may not become larger than so many bytes, until that is lifted."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int | None) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before if size is None else (size, before[1]))

    yield limit
    limit(None)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on files")
@pytest.mark.slow
@every
def test_when_there_is_room_again_the_gap_is_written_and_all_that_follows(
    name: str, tmp_path: Path, small_files: Any
) -> None:
    recorder = WRITERS[name](tmp_path / "log")

    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        watching = EventReader(stream)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(recorder.record, reader)
            await settled()
            stream.emit(Event(1, "first", 1))
            await settled()
            small_files(10)
            stream.emit(Event(2, "lost", 1))
            stream.emit(Event(3, "lost", 1))
            await settled()
            small_files(None)
            assert [type(event) for event in watching.held] == [Event, Event, Event, RecorderFailed]
            stream.emit(Event(4, "last", 1))
            await settled()
            stream.close()

    run(play)
    told = [event for event in recorder.read() if not isinstance(event, LogOpened)]
    assert [event.actor for event in told if type(event) is Event] == ["first", "last"]
    (gap,) = [event for event in told if isinstance(event, EventsMissed)]
    assert gap.count == 3  # that it cannot write is an event, too


async def settled() -> None:
    """Until threads have written, too."""
    await trio.testing.wait_all_tasks_blocked(0.02)
    await trio.sleep(0.05)


def test_a_place_that_is_not_there_is_told_and_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for recorder in (JsonLines(tmp_path / "no" / "log"), Sqlite(tmp_path / "no" / "log")):

        async def play(recorder: Any = recorder) -> None:
            async with open_runtime(record=recorder):
                assert await Player.options(executor=LOCAL).remote().add(1) == 1

        run(play)
        assert "it records nothing more" in caplog.text
        caplog.clear()


@every
def test_a_cancelled_recorder_writes_what_has_come(name: str, tmp_path: Path) -> None:
    recorder = WRITERS[name](tmp_path / "log")

    async def play() -> None:
        stream = EventStream()
        reader = EventReader(stream)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(recorder.record, reader)
            await settled()
            for number in range(10):
                stream.emit(Event(number, "a", 1))
            nursery.cancel_scope.cancel()
        assert stream.readers == []

    run(play)
    assert len(list(recorder.read())) == 11


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: JsonLines("x", rotate=-1), "rotate is 0 or a size"),
        (lambda: JsonLines("x", keep=0), "keep is 1 or more"),
        (lambda: Sqlite("x", keep=0), "1 or more"),
    ],
)
def test_numbers_that_cannot_be_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_what_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(JsonLines(tmp_path / "none").read())
    with pytest.raises(sqlite3.OperationalError):
        list(Sqlite(tmp_path / "none").read())
    assert not list(tmp_path.iterdir())
