"""Faults: what befalls a modelled actor, and when.

`when` is a distribution, which runs on the actor's own clock and begins anew with each incarnation, or a schedule,
which runs on the calendar and passes over an actor that is down.  `clock` says when the former begins: when the
actor is *up*, or once it has *aged*; a fault by the clock *whole* strikes only while every actor of the scenario
is up, and is drawn anew if it does not.  `noticed` is how long it takes until the runtime knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..actors.checks import is_tuple, one_of
from .distributions import SHARE, WHEN, Distribution, Exponential, check, is_above_zero, is_distribution
from .schedules import Arrivals, Schedule

Check = tuple[Callable[[Any], bool], str]
Times = Distribution | Schedule | float
UP, AGED, WHOLE = "up", "aged", "whole"


def is_times(value: Any) -> bool:
    return isinstance(value, Schedule) or is_distribution(value)


def is_corruption(value: object) -> bool:
    return value is None or isinstance(value, Corruption)


def is_fault(value: object) -> bool:
    return isinstance(value, Crash | Hang | Leave | Slow)


def is_schedule(value: object) -> bool:
    return isinstance(value, Schedule)


def are_patterns(value: Any) -> bool:
    return is_tuple(value) and len(value) > 0 and all(map(is_text, value))


def is_text(value: Any) -> bool:
    return isinstance(value, str)


SCHEDULE = (is_schedule, "a schedule: Plan, Arrivals, Bursts")
ACTORS = (are_patterns, "a tuple of patterns of paths, such as ('crunchers/*',)")

FAULT_CHECKS: dict[str, Check] = {
    "when": (is_times, "a distribution, a schedule, or a number of seconds"),
    "clock": (one_of(UP, AGED, WHOLE), "'up', 'aged' or 'whole'"),
}


@dataclass(frozen=True, slots=True)
class Corruption:
    """State that was spoilt and that others hold too: a lone restart brings it back.

    With this `share` of crashes the actor crashes again `recurs` after each restart, until *all* children of its
    supervisor, or only the *rest* (it and those after it), were down at the same moment and nobody holds it.
    """

    share: float = 1.0
    cure: str = "all"
    recurs: Distribution | float = 0.0

    def __post_init__(self) -> None:
        check(self, {"share": SHARE, "cure": (one_of("all", "rest"), "'all' or 'rest'"), "recurs": WHEN})


@dataclass(frozen=True, slots=True)
class Crash:
    """Fail-stop: it runs no more, and the runtime knows after `noticed`.

    Example:
        Crash(Exponential(3600.0))
        Crash(Weibull(60.0, 2.0), noticed=0.5, corruption=Corruption(share=0.2))
    """

    when: Times
    noticed: Distribution | float = 0.0
    clock: str = UP
    corruption: Corruption | None = None

    def __post_init__(self) -> None:
        check(self, FAULT_CHECKS | {"noticed": WHEN, "corruption": (is_corruption, "a Corruption, or None")})


@dataclass(frozen=True, slots=True)
class Hang:
    """It answers nothing and does not stop when asked, until somebody notices and it is killed."""

    when: Times
    noticed: Distribution | float = 5.0
    clock: str = UP

    def __post_init__(self) -> None:
        check(self, FAULT_CHECKS | {"noticed": WHEN})


@dataclass(frozen=True, slots=True)
class Leave:
    """It ends of its own accord, with reason *normal*: a watchdog of its own, a planned restart."""

    when: Times
    clock: str = UP

    def __post_init__(self) -> None:
        check(self, FAULT_CHECKS)


@dataclass(frozen=True, slots=True)
class Slow:
    """Its calls take `factor` times as long, for a while or until it ends."""

    when: Times
    factor: float = 10.0
    lasts: Distribution | float = 60.0
    clock: str = UP

    def __post_init__(self) -> None:
        check(self, FAULT_CHECKS | {"factor": (is_above_zero, "a number above 0"), "lasts": WHEN})


Fault = Crash | Hang | Leave | Slow


@dataclass(frozen=True, slots=True)
class Outage:
    """While it lasts nothing starts that needs what is down; `actors` are patterns of paths, as for a shell."""

    when: Schedule
    lasts: Distribution | float
    actors: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        check(self, {"when": SCHEDULE, "lasts": WHEN, "actors": ACTORS})


@dataclass(frozen=True, slots=True)
class Together:
    """One cause, many faults: at each of these times `fault` strikes *all* of the actors that are up, or *one*.

    The times are the schedule's, whatever the `when` of the fault.  A burst over a whole tree is a schedule of
    `Bursts` that hits one.

    Example:
        Together(Plan(3600.0), actors=("crunchers/*",))         # the power fails
    """

    when: Schedule
    fault: Fault = Crash(0.0)
    actors: tuple[str, ...] = ("*",)
    hits: str = "all"

    def __post_init__(self) -> None:
        hits = (one_of("all", "one"), "'all' or 'one'")
        check(self, {"when": SCHEDULE, "fault": (is_fault, "a fault"), "actors": ACTORS, "hits": hits})


def beta_factor(mean: float, beta: float, actors: tuple[str, ...] = ("*",)) -> tuple[Crash, Together]:
    """Crashes every `mean` seconds per actor, a share `beta` of them from a cause that all have in common.

    Gives a fault for each actor's model, and one for the scenario (Fleming's beta factor model, 1975).
    """
    if not 0 < beta < 1:
        raise ValueError(f"beta must be a share between 0 and 1, not {beta!r}")
    common = Together(Arrivals(Exponential(mean / beta)), actors=actors)
    return Crash(Exponential(mean / (1 - beta))), common
