"""The ladder: what must end is interrupted, then terminated, then killed, with a deadline on each rung.

Each rung repeats its signal until the call has ended: user code and destructors swallow exceptions.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import trio

from .executor import Ladder

if TYPE_CHECKING:
    from ..transports.deadlines import Deadline, Deadlines

INTERRUPT, TERMINATE, KILL = "interrupt", "terminate", "kill"

# Rung to its signal and the rung above; the doorbell is a signal too.
RUNGS: dict[str, tuple[int, str | None]] = {
    INTERRUPT: (signal.SIGINT, TERMINATE),
    TERMINATE: (signal.SIGTERM, KILL),
    KILL: (signal.SIGKILL, None),
}

FIRST_REPEAT, LAST_REPEAT = 0.01, 0.1  # seconds between two signals on a rung, doubling


class Climbed(Protocol):
    """What climbs: it says what a rung does, and hears which one was taken."""

    def ring(self, call_id: int, number: int) -> None: ...
    def took(self, rung: str, call_id: int, why: str) -> None: ...
    def may_take(self, call_id: int) -> bool: ...


class Climb:
    """One climb, for one call (0: for the whole incarnation); `over` is set when it has ended."""

    __slots__ = ("call_id", "climber", "limits", "over", "pause", "repeat", "rung", "timers", "until", "why")

    def __init__(self, climber: Climbed, call_id: int, why: str, limits: Ladder, timers: Deadlines) -> None:
        self.climber = climber
        self.call_id = call_id
        self.why = why
        self.limits = {INTERRUPT: limits.interrupt, TERMINATE: limits.terminate}
        self.timers = timers
        self.over = trio.Event()
        self.rung = ""
        self.pause = FIRST_REPEAT
        self.repeat: Deadline | None = None
        self.until: Deadline | None = None

    def start(self, rung: str = INTERRUPT) -> None:
        self.take(rung)

    def take(self, rung: str) -> None:
        """Step onto a rung and give it its time."""
        self.cancel_timers()
        self.rung, self.pause = rung, FIRST_REPEAT
        above = RUNGS[rung][1]
        self.climber.took(rung, self.call_id, self.why)
        if above is not None:
            self.until = self.timers.after(self.limits[rung], self.later(above))
        self.signal()

    def later(self, rung: str) -> Callable[[], None]:
        return lambda: self.go_on(rung)

    def go_on(self, rung: str) -> None:
        """The time on a rung is over; the next is for this call alone, or it must wait."""
        if self.climber.may_take(self.call_id):
            self.take(rung)
        else:
            self.until = self.timers.after(self.limits[INTERRUPT], self.later(rung))

    def signal(self) -> None:
        self.climber.ring(self.call_id, RUNGS[self.rung][0])
        self.repeat = self.timers.after(self.pause, self.signal)
        self.pause = min(self.pause * 2, LAST_REPEAT)

    def end(self) -> None:
        """The call has ended, or the incarnation: climb no further."""
        self.cancel_timers()
        self.over.set()

    def cancel_timers(self) -> None:
        for timer in (self.repeat, self.until):
            if timer is not None:
                timer.cancel()
