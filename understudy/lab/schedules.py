"""Schedules: times on the calendar at which something happens, whatever the actors do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, runtime_checkable

from .distributions import DURATION, NANO, WHEN, Distribution, check, distribution, is_duration


@runtime_checkable
class Schedule(Protocol):
    """Times from the beginning of a run, in nanoseconds, in order."""

    def times(self, random: Random, /) -> Iterator[int]: ...


@dataclass(frozen=True, slots=True, init=False)
class Plan:
    """At these times, in seconds from the beginning.

    Example:
        Crash(Plan(10.0, 60.0))
    """

    at: tuple[float, ...]

    def __init__(self, *at: float) -> None:
        object.__setattr__(self, "at", tuple(sorted(at)) if all(map(is_duration, at)) else at)
        check(self, {"at": (are_durations, "numbers of seconds, 0 or more")})

    def times(self, random: Random, /) -> Iterator[int]:
        return (round(at * NANO) for at in self.at)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Again and again, with such times between."""

    between: Distribution | float

    def __post_init__(self) -> None:
        check(self, {"between": WHEN})
        refuse_standstill(self, self.between)

    def times(self, random: Random, /) -> Iterator[int]:
        between, at = distribution(self.between), 0
        while True:
            at += between.draw(random)
            yield at


@dataclass(frozen=True, slots=True)
class Bursts:
    """Again and again, and each time `count` of them, spread evenly at random over `within` seconds."""

    between: Distribution | float
    count: int
    within: float = 0.0

    def __post_init__(self) -> None:
        check(self, {"between": WHEN, "count": (is_count, "a count above 0"), "within": DURATION})
        refuse_standstill(self, self.between)

    def times(self, random: Random, /) -> Iterator[int]:
        between, at, last = distribution(self.between), 0, 0
        while True:
            at += between.draw(random)
            for offset in sorted(random.random() for _ in range(self.count)):
                last = max(last, at + round(offset * self.within * NANO))  # a burst may reach into the next
                yield last


class Heap(Protocol):
    """What will happen in a world."""

    def at(self, when: int, what: Callable[[Any], None], about: Any, /) -> None: ...


def follow(world: Heap, schedule: Schedule, random: Random, act: Callable[[], None]) -> None:
    """Do this at each of its times; the next is drawn when one has come."""
    times = schedule.times(random)

    def come(first: bool) -> None:
        if not first:
            act()
        at = next(times, None)
        if at is not None:
            world.at(at, come, False)

    come(True)


def refuse_standstill(schedule: object, between: Distribution | float) -> None:
    if distribution(between).mean <= 0:
        raise ValueError(f"{type(schedule).__name__}: between must take time, not {between!r}")


def are_durations(value: Any) -> bool:
    return bool(value) and all(map(is_duration, value))


def is_count(value: Any) -> bool:
    return type(value) is int and value > 0
