"""Rejuvenating: children that have grown old or large are started afresh before they fail.

Huang, Kintala, Kolettis, Fulton, "Software rejuvenation" (FTCS 1995).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...actors.checks import Checks, check_fields
from .escalating import is_span
from .one_for_one import OneForOne
from .strategy import (
    FAR,
    NANO,
    Decision,
    Exited,
    Sample,
    Sampled,
    StartFailed,
    Strategy,
    StrategyEvent,
    View,
    is_interval,
)

UNSEEN = Sample()
ALONE = OneForOne()


@dataclass(frozen=True, slots=True)
class Rejuvenating:
    """A child that was up for `max_age` seconds, or whose process has `max_memory` bytes, is restarted when it is quiet.

    Every `sample_every` seconds all are looked at, and of those that are due the oldest is restarted, one at a
    time.  One that is never quiet is restarted all the same `patience` seconds after its time.  With `quiet=False`
    none is waited for, and age needs no looks.  What follows an end is `then`'s to decide.

    Raises:
        ValueError: for a limit or time that cannot be, or if there is neither limit.
    """

    max_age: float = math.inf
    max_memory: float = math.inf
    quiet: bool = True
    patience: float = 60.0
    every: float = 1.0
    then: Strategy = ALONE

    wakes_first = True

    def __post_init__(self) -> None:
        check_fields(self, REJUVENATING_CHECKS)
        if self.max_age == self.max_memory == math.inf:
            raise ValueError("give max_age (seconds), max_memory (bytes), or both")

    @property
    def sample_every(self) -> float | None:
        """Seconds between two looks; None if age alone decides."""
        return self.every if self.quiet or self.max_memory < math.inf else None

    def decide(self, event: StrategyEvent, view: View, now: int) -> Decision:
        if isinstance(event, Exited | StartFailed):
            return self.then.decide(event, view, now)
        if isinstance(event, Sampled):
            due = [id for id in view.ids if self.is_due(view.age(id), event.samples.get(id, UNSEEN))]
        elif self.sample_every is None:
            due = [id for id in view.ids if view.age(id) >= self.max_age]
        else:
            return Decision()
        return self.renew(due, view, now)

    def renew(self, due: list[str], view: View, now: int) -> Decision:
        """Restart the oldest; whoever comes next asks to be woken."""
        chosen = (max(due, key=view.age),) if due else ()
        return Decision(stop=chosen, start=chosen, wake_at=self.next_wake(view, now, len(due)))

    def next_wake(self, view: View, now: int, due: int) -> int | None:
        if self.sample_every is not None:
            return None
        if due > 1:
            return now + 1
        ages = [view.age(id) for id in view.ids]
        left = min((self.max_age - age for age in ages if 0 < age < self.max_age), default=self.max_age)
        return now + max(1, round(min(left * NANO, FAR)))

    def is_due(self, age: float, sample: Sample) -> bool:
        if age == 0.0:
            return False
        over = age - self.max_age
        if over < 0 and sample.memory < self.max_memory:
            return False
        return not self.quiet or sample.quiet or over >= self.patience


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def is_strategy(value: object) -> bool:
    return isinstance(value, Strategy)


REJUVENATING_CHECKS: Checks = {
    "max_age": (is_span, "a number of seconds above 0"),
    "max_memory": (is_span, "a number of bytes above 0"),
    "quiet": (is_flag, "True or False"),
    "patience": (is_span, "a number of seconds above 0"),
    "every": (is_interval, "a number of seconds above 0"),
    "then": (is_strategy, "a strategy"),
}
