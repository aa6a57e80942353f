"""Events as JSON, and back: what is read equals what was written, but for exceptions and arguments that are objects."""

from __future__ import annotations

import math
import os
import reprlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import msgspec

from ..actors.deadletter import DeadLetter
from ..actors.events import Event, MessageBuried
from ..transports.guests.faults import sendable, text_of, trace_of

LONGEST = 2000  # characters of an argument in a dead letter
WORD = 1 << 63  # integers beyond that are no integers to those who read JSON


@dataclass(frozen=True, slots=True)
class LogOpened(Event):
    """The first event of a file: `wall` is the time of day in nanoseconds since 1970 when the clock of `at` showed that."""

    wall: int
    pid: int


@dataclass(frozen=True, slots=True)
class EventUnwritten(Event):
    """An event, of this `kind`, that could not be put into JSON."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """An event of a kind that this program does not have: `content` is what was read."""

    kind: str
    content: dict[str, Any]


class Recorded(Exception):
    """An exception that was read back: the name of its type (`kind`), its text, and its traceback as text."""

    def __init__(self, kind: str, text: str, traceback: str = "") -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text
        self.traceback = traceback


Clock = Callable[[], int]  # that of the events, in nanoseconds


def opened(now: Clock) -> LogOpened:
    """To be written first."""
    return LogOpened(now(), "", 0, time.time_ns(), os.getpid())


# -- to JSON -------------------------------------------------------------------------------------------


def line_of(event: Event) -> bytes:
    """An event as JSON, its kind first; what cannot be told of it is told to be missing, never raised."""
    try:
        return packed(event)
    except Exception as error:
        kind, text = type(event).__name__, sendable(f"{type(error).__name__}: {error}")
        return packed(EventUnwritten(event.at, sendable(event.actor), event.incarnation, kind, text))


def packed(event: Event) -> bytes:
    if isinstance(event, MessageBuried):
        event = replace(event, letter=shown(event.letter))
    return b'{"event":"%s",%s' % (type(event).__name__.encode(), encoder.encode(event)[1:])


def simple(value: object) -> Any:
    """What msgspec does not know: exceptions, and whatever events of others hold."""
    if isinstance(value, Recorded):
        return {"kind": value.kind, "text": value.text, "traceback": value.traceback}
    if isinstance(value, BaseException):
        kind = type(value)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        return {"kind": name, "text": text_of(value), "traceback": trace_of(value)}
    return repr_of(value)


def shown(letter: DeadLetter) -> DeadLetter:
    """A dead letter whose arguments are plain, or their text."""
    args = tuple(argument(value) for value in letter.args)
    return replace(letter, args=args, kwargs={name: argument(value) for name, value in letter.kwargs.items()})


def argument(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case int() if type(value) is int and -WORD <= value < WORD:
            return value
        case float() if type(value) is float and math.isfinite(value):
            return value
        case str() if type(value) is str and len(value) <= LONGEST:
            return sendable(value)
        case _:
            return repr_of(value)


def repr_of(value: object) -> str:
    try:
        return sendable(texts.repr(value))[:LONGEST]
    except Exception as error:
        return f"<a {type(value).__name__} without words: {type(error).__name__}>"


texts = reprlib.Repr()
texts.maxother = texts.maxstring = LONGEST

encoder = msgspec.json.Encoder(enc_hook=simple)


# -- from JSON -----------------------------------------------------------------------------------------


class Tag(msgspec.Struct):
    """How a line begins."""

    event: str


def event_of(line: bytes | str) -> Event:
    """The event that a line tells of.

    Raises:
        ValueError: if it tells of none.
    """
    try:
        name = tags.decode(line).event
        kind = kind_named(name)
        return unknown(line, name) if kind is None else decoder_of(kind).decode(line)
    except (msgspec.MsgspecError, TypeError) as error:
        shown_line = line if isinstance(line, str) else line.decode(errors="replace")
        raise ValueError(f"this is no event: {shown_line[:200]!r} ({error})") from error


def unknown(line: bytes | str, name: str) -> UnknownEvent:
    content: dict[str, Any] = msgspec.json.decode(line)
    at, actor, incarnation = (
        content.pop(key, empty) for key, empty in (("at", 0), ("actor", ""), ("incarnation", 0))
    )
    del content["event"]
    return UnknownEvent(at, actor, incarnation, name, content)


def kind_named(name: str) -> Any:
    """A kind of event that is known here; those that others have made are, too."""
    if name not in known:
        known.update((kind.__name__, kind) for kind in (Event, *below(Event)))
    return known.get(name)


def below(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


@cache
def decoder_of(kind: Any) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(kind, dec_hook=revived)


def revived(kind: type, value: Any) -> Any:
    """An exception, as far as JSON can tell it."""
    if issubclass(kind, BaseException):
        return Recorded(**msgspec.convert(value, dict[str, str]))
    raise NotImplementedError(f"events hold no {kind.__name__} that JSON could tell")


known: dict[str, Any] = {}
tags = msgspec.json.Decoder(Tag)
