"""What an executor does for the object it runs: timers and a nursery, found by `self.after` and the like.

The same module in the host and in guests.  An executor puts a `Backstage` into `Running.backstage`, in the
same places where it puts the call that runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol


class ActorTimer:
    """A function that an actor runs later, once or again and again; made by `self.after` and `self.every`."""

    __slots__ = ("args", "at", "function", "on_cancel", "period")

    def __init__(
        self, at: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        self.at = at
        self.period = period
        self.function: Callable[..., Any] | None = function
        self.args = args
        self.on_cancel: Callable[[ActorTimer], None] | None = None

    @property
    def pending(self) -> bool:
        """Is a run still to come?"""
        return self.function is not None

    def cancel(self) -> None:
        """No further run begins; one that has begun goes on.  Idempotent."""
        self.function = None
        on_cancel, self.on_cancel = self.on_cancel, None
        if on_cancel is not None:
            on_cancel(self)

    def advance(self, now: float) -> bool:
        """Set the time of the next run, leaving out those that were missed; False if there is none."""
        if self.period is None:
            self.function = None
        elif self.function is not None:
            self.at += self.period * (1 + max(0, math.floor((now - self.at) / self.period)))
        return self.function is not None


class Backstage(Protocol):
    """What an executor offers; `actor` is the object it runs, None while that is being made."""

    @property
    def actor(self) -> Any: ...
    @property
    def nursery(self) -> Any: ...
    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer: ...


def schedule(
    found: Backstage, seconds: float, again: bool, function: Callable[..., Any], args: tuple[Any, ...]
) -> ActorTimer:
    """Have a function run in so many seconds, and if `again` every so many; refuses what cannot be."""
    if not callable(function):
        raise TypeError(f"a timer runs a function, not {function!r}")
    if not is_delay(seconds) or (again and seconds == 0):
        raise ValueError(
            f"seconds must be a number {'above 0' if again else 'of 0 or more'}, not {seconds!r}"
        )
    return found.schedule(seconds, seconds if again else None, function, args)


def is_delay(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
