"""One for one: what ended is started again, and nothing else is touched."""

from __future__ import annotations

from dataclasses import dataclass

from .strategy import Decision, Exited, StartFailed, StrategyEvent, View

NOTHING = Decision()


@dataclass(frozen=True, slots=True)
class OneForOne:
    """Children do not depend on each other."""

    def decide(self, event: StrategyEvent, view: View, now: int) -> Decision:
        if isinstance(event, Exited | StartFailed):
            return Decision(start=(event.child,))
        return NOTHING
