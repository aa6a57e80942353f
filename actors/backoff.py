"""`Backoff(...)`: how long an actor stays down before each restart, as a frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

from .checks import Checks, check_fields

NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Backoff:
    """The first restart waits `min` seconds, each following one `factor` times as long, `max` at the most.

    An actor that was up for `reset_after` seconds (None: `max`) begins anew.  With `jitter` a wait is up to that
    share longer (0.5: by half), so that what fell together does not come back together; the share depends on
    `seed`, the actor's id and the attempt alone, so it is the same in every run.

    Example:
        Counter.options(backoff=Backoff(min=0.1, max=30.0, jitter=0.2)).child()

    Raises:
        ValueError: for a field that cannot be.
    """

    min: float = 0.1
    max: float = 30.0
    factor: float = 2.0
    jitter: float = 0.0
    reset_after: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self, BACKOFF_CHECKS)
        if self.max < self.min:
            raise ValueError(f"max must be at least min, {self.min!r}, not {self.max!r}")

    def delay(self, attempt: int, key: str) -> int:
        """Nanoseconds before this restart in a row, from 0; `key` tells actors apart."""
        share = self.jitter * Random(f"{self.seed}/{key}/{attempt}").random() if self.jitter else 0.0
        return round(self.grown(attempt) * (1.0 + share) * NANO)

    def grown(self, attempt: int) -> float:
        """Seconds without jitter; a power too large for a float is never computed."""
        if self.factor == 1.0 or attempt * math.log(self.factor) < math.log(self.max / self.min):
            return self.min * self.factor**attempt
        return self.max

    @property
    def stable(self) -> int:
        """Nanoseconds after which an actor that is up begins anew."""
        return round((self.max if self.reset_after is None else self.reset_after) * NANO)


def is_time(value: Any) -> bool:
    return is_number(value) and 0 < value < math.inf


def is_factor(value: Any) -> bool:
    return is_number(value) and 1 <= value < math.inf


def is_share(value: Any) -> bool:
    return is_number(value) and 0 <= value < math.inf


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_stable(value: Any) -> bool:
    return value is None or is_share(value)


def is_seed(value: Any) -> bool:
    return type(value) is int


BACKOFF_CHECKS: Checks = {
    "min": (is_time, "a number of seconds above 0"),
    "max": (is_time, "a number of seconds above 0"),
    "factor": (is_factor, "a number from 1"),
    "jitter": (is_share, "a share, 0 or more"),
    "reset_after": (is_stable, "a number of seconds, 0 or more, or None"),
    "seed": (is_seed, "a whole number"),
}
