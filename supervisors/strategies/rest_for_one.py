"""Rest for one: if one has ended, those started after it are stopped, and it and they are started again."""

from __future__ import annotations

from dataclasses import dataclass

from .one_for_one import NOTHING
from .strategy import Decision, Exited, StartFailed, StrategyEvent, View


@dataclass(frozen=True, slots=True)
class RestForOne:
    """A child depends on those before it."""

    def decide(self, event: StrategyEvent, view: View, now: int) -> Decision:
        if isinstance(event, Exited | StartFailed):
            rest = view.after(event.child)
            return Decision(stop=rest, start=(event.child, *rest))
        return NOTHING
