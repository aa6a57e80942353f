"""The rulebook of a link: which message may follow which, and how many calls may be in a guest's hands.

Pure and synchronous.  What a guest sends is checked here before anyone believes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .guests import protocol as p
from .guests.protocol import RESULT

NEW, STARTING, READY, LEAVING, CLOSED = "new", "starting", "ready", "leaving", "closed"

CHANNELS = (p.ATTACH, p.PUT, p.WANT, p.RETURN, p.DETACH)

# State to what a guest may say in it, and the state that follows.
RULES: dict[str, dict[int, str]] = {
    NEW: {p.HELLO: STARTING},
    STARTING: {
        p.READY: READY,
        p.FAILED: CLOSED,
        p.ASK: STARTING,
        p.MISHAP: STARTING,
        p.PREPARED: STARTING,
        p.WROTE: STARTING,
    },
    READY: {
        p.RESULT: READY,
        p.ERROR: READY,
        p.SKIPPED: READY,
        p.INTERRUPTED: READY,
        p.CLOSED: READY,
        p.ITEM: READY,
        p.FLAW: READY,
        p.ASK: READY,
        p.WROTE: READY,
        p.ENDING: LEAVING,
    },
    LEAVING: {p.ASK: LEAVING, p.STATE: LEAVING, p.MISHAP: LEAVING, p.WROTE: LEAVING},
    CLOSED: {},
}
for _state in (STARTING, READY, LEAVING):
    RULES[_state].update(dict.fromkeys(CHANNELS, _state))

MISHAPS = frozenset({p.LOAD, p.SAVE, p.LAST, p.NURSERY})

# What each message must look like, its kind aside.
SHAPES: dict[int, Callable[[list[Any]], bool]] = {
    p.HELLO: lambda m: len(m) == 4 and type(m[1]) is int and type(m[2]) is list and type(m[3]) is int,
    p.READY: lambda m: len(m) == 1,
    p.PREPARED: lambda m: len(m) == 1,
    p.FAILED: lambda m: len(m) in (2, 3) and is_fault(m[1]) and (len(m) == 2 or type(m[2]) is str),
    p.RESULT: lambda m: len(m) == 3 and type(m[1]) is int,
    p.ERROR: lambda m: len(m) == 3 and type(m[1]) is int and is_fault(m[2]),
    p.SKIPPED: lambda m: len(m) == 2 and type(m[1]) is int,
    p.INTERRUPTED: lambda m: len(m) == 2 and type(m[1]) is int,
    p.CLOSED: lambda m: len(m) == 2 and type(m[1]) is int,
    p.ITEM: lambda m: len(m) == 3 and type(m[1]) is int and is_list(m[2]) and len(m[2]) > 0,
    p.FLAW: lambda m: len(m) == 3 and type(m[1]) is int and is_fault(m[2]),
    p.ASK: lambda m: len(m) == 4 and type(m[1]) is int and type(m[2]) is int and type(m[3]) is list,
    p.ENDING: lambda m: (
        len(m) == 4 and type(m[1]) is str and (m[2] is None or is_fault(m[2])) and type(m[3]) is int
    ),
    p.STATE: lambda m: len(m) == 2,
    p.ATTACH: lambda m: len(m) == 4 and all_counts(m[1:], -(1 << 62)),
    p.PUT: lambda m: len(m) == 4 and all_counts([m[1], m[3]]) and is_list(m[2]),
    p.WANT: lambda m: len(m) == 5 and all_counts(m[1:]),
    p.RETURN: lambda m: len(m) == 3 and all_counts(m[1:]),
    p.DETACH: lambda m: len(m) == 3 and all_counts(m[1:]),
    p.WROTE: lambda m: len(m) == 3 and m[1] in (1, 2) and is_list(m[2]) and all_spans(m[2]),
    p.MISHAP: lambda m: len(m) == 3 and type(m[1]) is str and m[1] in MISHAPS and is_fault(m[2]),
}


class ProtocolError(Exception):
    """The other side said something that may not be said, or not now."""


class Session:
    """The state of one link."""

    __slots__ = ("capabilities", "state", "window")

    def __init__(self) -> None:
        self.state = NEW
        self.window = 1
        self.capabilities: frozenset[str] = frozenset()

    def receive(self, message: Any) -> int:
        """Check a message from the guest and take the step it asks for; returns its kind.

        Raises:
            ProtocolError: if it is malformed or not allowed now.
        """
        if message.__class__ is list and len(message) == 3:
            kind: int = message[0]
            if (
                kind == RESULT
                and kind.__class__ is int
                and self.state is READY
                and message[1].__class__ is int
            ):
                return kind  # nearly all messages; the tables say the same, more slowly
        if not is_message(message):
            raise ProtocolError("a message is a list that begins with its kind")
        kind = message[0]
        following = RULES[self.state].get(kind)
        if following is None:
            raise ProtocolError(f"{p.NAMES.get(kind, kind)} may not come while the link is {self.state}")
        if not SHAPES[kind](message):
            raise ProtocolError(f"{p.NAMES[kind]} is malformed")
        self.state = following
        if kind == p.HELLO:
            self.greet(message[1], message[2])
        return kind

    def greet(self, version: int, capabilities: list[Any]) -> None:
        """Agree on a version and on what both can do."""
        if version != p.VERSION:
            raise ProtocolError(f"the guest speaks version {version} and we speak {p.VERSION}")
        self.capabilities = frozenset(name for name in capabilities if type(name) is str)
        self.window = p.WINDOW if p.PAGE_CAPABILITY in self.capabilities else 1


def is_list(value: object) -> bool:
    return type(value) is list


def is_message(value: Any) -> bool:
    return is_list(value) and len(value) > 0 and type(value[0]) is int


def is_fault(value: Any) -> bool:
    """An exception as data: module, qualname, text, traceback, and perhaps itself."""
    return is_list(value) and all_texts(value)


def all_counts(parts: list[Any], least: int = 0) -> bool:
    return all(type(part) is int and least <= part < 1 << 62 for part in parts)


def all_spans(spans: list[Any]) -> bool:
    return all(is_list(span) and len(span) == 2 and all(type(part) is int for part in span) for span in spans)


def all_texts(parts: list[Any]) -> bool:
    return len(parts) == 5 and all(type(part) is str for part in parts[:4])
