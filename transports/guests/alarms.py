"""The timers of an actor whose loop has no tasks: which is due, and how long until the next."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any

from .backstage import ActorTimer

LONGEST = 3600.0  # seconds of one wait; the system's calls take no number


class Alarms:
    """A heap of timers, by the system's clock; not for several threads at once."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, ActorTimer]] = []
        self.numbers = itertools.count()

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        timer = ActorTimer(time.monotonic() + seconds, period, function, args)
        self.arm(timer)
        return timer

    def arm(self, timer: ActorTimer) -> None:
        timer.on_cancel = self.disarm
        heapq.heappush(self.heap, (timer.at, next(self.numbers), timer))

    def disarm(self, timer: ActorTimer) -> None:
        self.heap = [entry for entry in self.heap if entry[2] is not timer]
        heapq.heapify(self.heap)

    def next_due(self) -> ActorTimer | None:
        """Take out a timer whose time has come."""
        if self.heap and self.heap[0][0] <= time.monotonic():
            return heapq.heappop(self.heap)[2]
        return None

    def ran(self, timer: ActorTimer) -> None:
        """A run has ended: set the next, if there is one."""
        if timer.advance(time.monotonic()):
            self.arm(timer)

    def wait(self) -> float | None:
        """Seconds until the next is due, or as many as may be waited in one go; None if there is none."""
        if not self.heap:
            return None
        return min(LONGEST, max(0.0, self.heap[0][0] - time.monotonic()))

    def clear(self) -> None:
        self.heap.clear()
