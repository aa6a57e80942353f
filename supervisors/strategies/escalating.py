"""Escalating: the child alone, then the rest too, then all, then the supervisor, as a fault comes back.

Restart the smallest part first and widen on recurrence: "recursive restartability" (Candea and Fox, 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...actors.checks import Checks, check_fields
from .one_for_all import OneForAll
from .one_for_one import NOTHING, OneForOne
from .rest_for_one import RestForOne
from .strategy import Decision, Exited, StartFailed, StrategyEvent, View


@dataclass(frozen=True, slots=True)
class Escalating:
    """A child's ends within `within` seconds: the first `alone` restart it alone, the next `rest` those after it
    too, the next `all` everybody; one more gives up.

    The supervisor's own intensity bounds this as any strategy: give it room for `alone + rest + all` restarts.

    Raises:
        ValueError: for a count or time that cannot be.
    """

    within: float = 60.0
    alone: int = 1
    rest: int = 1
    all: int = 1

    def __post_init__(self) -> None:
        check_fields(self, ESCALATING_CHECKS)

    def decide(self, event: StrategyEvent, view: View, now: int) -> Decision:
        if not isinstance(event, Exited | StartFailed):
            return NOTHING
        ends = view.history.of(event.child).within(self.within)
        for tries, rung in ((self.alone, OneForOne()), (self.rest, RestForOne()), (self.all, OneForAll())):
            if ends <= tries:
                return rung.decide(event, view, now)
            ends -= tries
        return Decision(give_up=True)


def is_tries(value: object) -> bool:
    return type(value) is int and value >= 0


def is_span(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


TRIES = (is_tries, "a count of restarts, 0 or more")
ESCALATING_CHECKS: Checks = {
    "within": (is_span, "a number of seconds above 0"),
    "alone": TRIES,
    "rest": TRIES,
    "all": TRIES,
}
