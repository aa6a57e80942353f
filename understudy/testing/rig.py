"""A supervisor's rulebook with children of straw, on a heap: for strategies to decide about."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from ..actors.reasons import ERROR, SHUTDOWN_EXIT, ExitReason
from ..supervisors import steps
from ..supervisors.core import Core
from ..supervisors.rules import SECOND, ChildRules, Flags
from ..supervisors.strategies.strategy import Sample, Sampled, Woke

MILLI = SECOND // 1000
FELL = ExitReason(ERROR, "a child of straw fell")


class Rig:
    """Children start in 1 ms and stop in 1 ms; `falls` tells after how many nanoseconds one falls, None: never."""

    def __init__(
        self, flags: Flags, ids: Sequence[str], falls: Callable[[str, int], int | None], every: float | None
    ) -> None:
        self.core = Core(flags)
        self.falls = falls
        self.every = every
        self.now = 0
        self.over: steps.Over | None = None
        self.lives = dict.fromkeys(ids, 0)  # of each child: its incarnation
        self.up: set[str] = set()
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.wake = 0  # the number of the wake-up that counts
        self.starts = 0
        for id in ids:
            self.feed(steps.Added(id, ChildRules()))
        self.feed(steps.Begin(tuple(ids)))
        if every is not None:
            self.at(round(every * SECOND), self.look)

    def run(self, steps_at_most: int, until: int) -> None:
        """Let things happen, until the supervisor has ended, or for so long."""
        for _ in range(steps_at_most):
            if self.over is not None or not self.heap or self.heap[0][0] > until:
                return
            self.now, _, action = heapq.heappop(self.heap)
            action()

    def at(self, delay: int, action: Callable[[], None]) -> None:
        heapq.heappush(self.heap, (self.now + max(0, delay), next(self.order), action))

    def feed(self, event: steps.Event) -> None:
        waiting = [event]
        while waiting:
            for effect in self.core.feed(waiting.pop(0), self.now):
                self.carry_out(effect)

    def carry_out(self, effect: steps.Effect) -> None:
        if isinstance(effect, steps.Start):
            self.starts += 1
            self.lives[effect.id] = number = self.lives[effect.id] + 1
            self.at(MILLI, lambda: self.started(effect.id, number))
        elif isinstance(effect, steps.Stop):
            number = self.lives[effect.id]
            self.at(MILLI, lambda: self.ended(effect.id, number, SHUTDOWN_EXIT))
        elif isinstance(effect, steps.Wake):
            self.wake = wake = next(self.order)
            if effect.at is not None:
                self.at(effect.at - self.now, lambda: self.woke(wake))
        elif isinstance(effect, steps.Over):
            self.over = effect

    # -- what happens ---------------------------------------------------------------------------

    def started(self, id: str, number: int) -> None:
        if self.lives[id] != number:
            return
        self.up.add(id)
        self.feed(steps.Started(id))
        after = self.falls(id, self.now)
        if after is not None:
            self.at(after, lambda: self.ended(id, number, FELL))

    def ended(self, id: str, number: int, reason: Any) -> None:
        if self.lives[id] != number or self.over is not None:
            return
        self.lives[id] += 1  # this one cannot end twice
        started = id in self.up
        self.up.discard(id)
        self.feed(steps.Ended(id, reason, started))

    def woke(self, number: int) -> None:
        if self.wake == number:
            self.feed(Woke())

    def look(self) -> None:
        """Show the children, as if each grew by a megabyte a second."""
        grown = {id: Sample(memory=self.now // 1000) for id in self.up}
        self.feed(Sampled(grown))
        if self.over is None and self.every is not None:
            self.at(round(self.every * SECOND), self.look)
