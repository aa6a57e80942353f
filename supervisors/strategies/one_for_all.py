"""One for all: if one has ended, the others are stopped, and all are started again."""

from __future__ import annotations

from dataclasses import dataclass

from .one_for_one import NOTHING
from .strategy import Decision, Exited, StartFailed, StrategyEvent, View


@dataclass(frozen=True, slots=True)
class OneForAll:
    """Children cannot live without each other."""

    def decide(self, event: StrategyEvent, view: View, now: int) -> Decision:
        if isinstance(event, Exited | StartFailed):
            return Decision(stop=view.others(event.child), start=view.ids)
        return NOTHING
