"""What one actor in this process has to do beside its calls: timers that are due, and the time left to stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..transports.guests.backstage import ActorTimer

if TYPE_CHECKING:
    from ..transports.timers import Timer, Timers


class Agenda:
    """Made when it is first needed: most actors have neither timers nor an end in sight."""

    __slots__ = ("armed", "due", "limit", "now", "pump", "timers")

    def __init__(self, timers: Timers, now: Callable[[], float], pump: Callable[[], None]) -> None:
        self.timers = timers
        self.now = now
        self.pump = pump
        self.armed: dict[ActorTimer, Timer] = {}
        self.due: deque[ActorTimer] = deque()
        self.limit: Timer | None = None  # when it is told to stop, the end of its time

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        timer = ActorTimer(self.now() + seconds, period, function, args)
        self.arm(timer)
        return timer

    def arm(self, timer: ActorTimer) -> None:
        timer.on_cancel = self.disarm
        self.armed[timer] = self.timers.at(timer.at, partial(self.ring, timer))

    def ring(self, timer: ActorTimer) -> None:
        del self.armed[timer]
        self.due.append(timer)
        self.pump()

    def disarm(self, timer: ActorTimer) -> None:
        armed = self.armed.pop(timer, None)
        if armed is not None:
            armed.cancel()

    def ran(self, timer: ActorTimer) -> None:
        """A run has ended: set the next, if there is one."""
        if timer.advance(self.now()):
            self.arm(timer)

    def next_due(self) -> ActorTimer | None:
        """The timer whose turn it is, of those that were not cancelled meanwhile."""
        while self.due:
            timer = self.due.popleft()
            if timer.pending:
                return timer
        return None

    def end_by(self, seconds: float, action: Callable[[], None]) -> None:
        """From now on the actor stops, and is given so many seconds."""
        if self.limit is not None:
            self.limit.cancel()
        self.limit = self.timers.after(seconds, action)

    def time_left(self, otherwise: float) -> float:
        """Seconds left to stop; if nobody told it to, it has this many."""
        return otherwise if self.limit is None else max(0.0, self.limit.at - self.now())

    def clear(self) -> None:
        """Forget all timers: who set them is no more."""
        for timer in (*self.armed, *self.due):
            timer.cancel()
        self.due.clear()

    def close(self) -> None:
        """The incarnation ends: nothing is due any more."""
        for armed in (*self.armed.values(), *([self.limit] if self.limit is not None else [])):
            armed.cancel()
        self.armed.clear()
        self.due.clear()
