"""Distributions of times, drawn by inverting `random.random()`: one number each, so that runs can be compared in pairs.

Users write seconds; draws are whole nanoseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, runtime_checkable

from ..actors.checks import Checks, check_fields
from .arithmetic import ln, power

NANO = 1_000_000_000


@runtime_checkable
class Distribution(Protocol):
    """A distribution of durations."""

    @property
    def mean(self) -> float:
        """Its mean in seconds."""
        ...

    def draw(self, random: Random, /) -> int:
        """One duration, in nanoseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    seconds: float

    def __post_init__(self) -> None:
        check(self, {"seconds": DURATION})

    @property
    def mean(self) -> float:
        return self.seconds

    def draw(self, random: Random, /) -> int:
        return round(self.seconds * NANO)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Without memory: what has lasted for an hour is as likely to end in the next second as what is new.

    Example:
        Crash(Exponential(3600.0))     # one crash an hour, on average
    """

    mean: float

    def __post_init__(self) -> None:
        check(self, {"mean": TIME})

    def draw(self, random: Random, /) -> int:
        return round(self.mean * NANO * -ln(1.0 - random.random()))


@dataclass(frozen=True, slots=True)
class Weibull:
    """With a hazard that grows with age where `shape` is above 1 (wear, leaks), and falls where it is below."""

    scale: float
    shape: float

    def __post_init__(self) -> None:
        check(self, {"scale": TIME, "shape": (is_above_zero, "a number above 0")})

    @property
    def mean(self) -> float:
        return self.scale * math.gamma(1.0 + 1.0 / self.shape)

    def draw(self, random: Random, /) -> int:
        return round(self.scale * NANO * power(-ln(1.0 - random.random()), 1.0 / self.shape))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything between two bounds."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check(self, {"low": DURATION, "high": (is_above_zero, "a number of seconds above 0")})
        if self.high < self.low:
            raise ValueError(f"high must be at least low, {self.low!r}, not {self.high!r}")

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    def draw(self, random: Random, /) -> int:
        return round((self.low + (self.high - self.low) * random.random()) * NANO)


@dataclass(frozen=True, slots=True)
class Watched:
    """A user's own distribution, each draw of which is looked at.

    Raises:
        TypeError: for a draw that is no int.
        ValueError: for one below 0.
    """

    of: Distribution

    @property
    def mean(self) -> float:
        return self.of.mean

    def draw(self, random: Random, /) -> int:
        drawn: Any = self.of.draw(random)
        if type(drawn) is not int:
            raise TypeError(f"{self.of!r} must draw whole nanoseconds, as an int, not {drawn!r}; use round()")
        if drawn < 0:
            raise ValueError(f"{self.of!r} must draw 0 nanoseconds or more, not {drawn}")
        return drawn


OWN = frozenset({Fixed, Exponential, Weibull, Uniform, Watched})


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_above_zero(value: Any) -> bool:
    return is_number(value) and value > 0


def is_duration(value: Any) -> bool:
    return is_number(value) and value >= 0


def is_share(value: Any) -> bool:
    return is_number(value) and 0 <= value <= 1


def is_distribution(value: Any) -> bool:
    return isinstance(value, Distribution) or is_duration(value)


def is_optional_distribution(value: Any) -> bool:
    return value is None or is_distribution(value)


DURATION = (is_duration, "a number of seconds, 0 or more")
TIME = (is_above_zero, "a number of seconds above 0")
SHARE = (is_share, "a share from 0 to 1")
WHEN = (is_distribution, "a distribution, or a number of seconds, 0 or more")
WHEN_OR_NONE = (is_optional_distribution, "a distribution, a number of seconds, or None")


def distribution(value: Distribution | float) -> Distribution:
    """A number of seconds is a distribution too; each draw of a user's own is looked at."""
    if isinstance(value, int | float):
        return Fixed(value)
    return value if type(value) in OWN else Watched(value)


def check(value: object, checks: Checks) -> None:
    """Raise ValueError for the first field that cannot be, named with its class."""
    try:
        check_fields(value, checks)
    except ValueError as error:
        raise ValueError(f"{type(value).__name__}: {error}") from None
