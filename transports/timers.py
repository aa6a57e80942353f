"""One tickless heap of deadlines for a whole runtime: no task per call, no ticking while nothing is due."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

import trio


class Timer:
    """A pending deadline; `cancel()` makes it a no-op."""

    __slots__ = ("action", "at")

    def __init__(self, at: float, action: Callable[[], None] | None) -> None:
        self.at = at
        self.action = action

    def cancel(self) -> None:
        self.action = None


class Timers:
    """Runs actions at trio times.  `before_firing` runs first: what has arrived in time is not late."""

    def __init__(self, before_firing: Callable[[], None] = lambda: None) -> None:
        self.before_firing = before_firing
        self.heap: list[tuple[float, int, Timer]] = []
        self.order = itertools.count()
        self.scope = trio.CancelScope()

    def at(self, deadline: float, action: Callable[[], None]) -> Timer:
        """Run `action` at a trio time (`math.inf`: never)."""
        timer = Timer(deadline, action)
        if deadline != math.inf:
            heapq.heappush(self.heap, (deadline, next(self.order), timer))
            if deadline < self.scope.deadline:
                self.scope.deadline = deadline
        return timer

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        return self.at(trio.current_time() + seconds, action)

    @trio.lowlevel.enable_ki_protection
    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Fire what is due, until cancelled."""
        task_status.started()
        while True:
            with trio.CancelScope(deadline=self.next_deadline()) as self.scope:
                await trio.sleep_forever()
            if self.heap and self.heap[0][0] <= trio.current_time():
                self.before_firing()
                self.fire(trio.current_time())

    def next_deadline(self) -> float:
        while self.heap and self.heap[0][2].action is None:
            heapq.heappop(self.heap)
        return self.heap[0][0] if self.heap else math.inf

    def fire(self, now: float) -> None:
        while self.heap and self.heap[0][0] <= now:
            _, _, timer = heapq.heappop(self.heap)
            action, timer.action = timer.action, None
            if action is not None:
                action()
