"""Faults as frozen values: what befalls an actor, and in a plan at which call, when, and in which incarnation.

`call` counts the calls that an incarnation begins, from 1; `after` is seconds since it became ready; `incarnation`
counts from 1, and without it every incarnation is struck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..actors.checks import Checks, check_fields, is_seconds


def is_number(value: object) -> bool:
    return value is None or (type(value) is int and value > 0)


def is_time(value: object) -> bool:
    return value is None or (is_seconds(value) and not isinstance(value, bool))


def is_error(value: object) -> bool:
    return value is None or isinstance(value, BaseException)


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_length(value: Any) -> bool:
    return is_seconds(value) and not isinstance(value, bool) and value > 0


CALL = (is_number, "the number of a call, from 1, or None")
AFTER = (is_time, "a number of seconds, 0 or more, or None")
INCARNATION = (is_number, "the number of an incarnation, from 1, or None for each")
LENGTH = (is_length, "a number of seconds above 0")
WHEN: Checks = {"call": CALL, "after": AFTER, "incarnation": INCARNATION}


@dataclass(frozen=True, slots=True)
class Fault:
    """Base of all faults."""

    def __post_init__(self) -> None:
        check_fields(self, CHECKS[type(self)])
        if getattr(self, "call", None) is not None and getattr(self, "after", None) is not None:
            raise ValueError(f"give call or after, not both: {self!r}")


@dataclass(frozen=True, slots=True)
class Crash(Fault):
    """It dies at once, as by SIGKILL; in this process, with an `error`, as if it had raised that."""

    call: int | None = None
    after: float | None = None
    incarnation: int | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """Nothing that it runs goes on, and it does not end when asked; a kill ends it."""

    call: int | None = None
    after: float | None = None
    incarnation: int | None = None


@dataclass(frozen=True, slots=True)
class Stall(Fault):
    """As a hang, but after so many `seconds` it goes on as if nothing had been."""

    seconds: float
    call: int | None = None
    after: float | None = None
    incarnation: int | None = None


@dataclass(frozen=True, slots=True)
class Leave(Fault):
    """It ends of its own accord, politely: with reason *normal* by a plan, with *shutdown* when injected."""

    call: int | None = None
    after: float | None = None
    incarnation: int | None = None


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """Each call, or the one with this number, takes so many `seconds` longer."""

    seconds: float
    call: int | None = None
    incarnation: int | None = None


@dataclass(frozen=True, slots=True)
class StartFails(Fault):
    """It does not start."""

    incarnation: int | None = None
    text: str = "the fault plan says so"


@dataclass(frozen=True, slots=True)
class SlowStart(Fault):
    """Its start takes so many `seconds` longer; `start_timeout` bounds it as ever."""

    seconds: float
    incarnation: int | None = None


@dataclass(frozen=True, slots=True)
class IgnoresShutdown(Fault):
    """It works on when it is asked to end, until it is killed at its `shutdown` deadline."""

    incarnation: int | None = None


@dataclass(frozen=True, slots=True)
class DiesStopping(Fault):
    """It dies when it is asked to end."""

    incarnation: int | None = None


CHECKS: Mapping[type, Checks] = {
    Crash: {**WHEN, "error": (is_error, "an exception, or None")},
    Hang: WHEN,
    Stall: {**WHEN, "seconds": LENGTH},
    Leave: WHEN,
    Slow: {"seconds": LENGTH, "call": CALL, "incarnation": INCARNATION},
    StartFails: {"incarnation": INCARNATION, "text": (is_text, "text")},
    SlowStart: {"seconds": LENGTH, "incarnation": INCARNATION},
    IgnoresShutdown: {"incarnation": INCARNATION},
    DiesStopping: {"incarnation": INCARNATION},
}
STRIKES = (Crash, Hang, Stall, Leave)  # have a moment
