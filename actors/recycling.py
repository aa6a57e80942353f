"""Incarnations in processes that are replaced before they grow too old, too large or too much used.

It is never done while a call runs.  An actor that runs one call at a time is given no more of them once its time has
come, and leaves when it has done those in its hands; one that runs several waits for a moment in which it runs none,
since a call may be waiting for another that comes back to it.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from ..transports.guests import protocol as p
from ..transports.session import READY
from ..transports.system.processes import used
from .process import ProcessIncarnation
from .reasons import RECYCLED, SHUTDOWN, ExitReason

if TYPE_CHECKING:
    from .life import Life

LOOK = 1.0  # seconds between two looks at a guest's memory; one costs about a millisecond
SPREAD = 0.1  # those that started together end up to this part of their age apart


class RecyclingIncarnation(ProcessIncarnation):
    """`due` is why it is to be replaced, once it is."""

    __slots__ = ("due", "limits", "window")

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.limits = self.executor.limits
        self.due: ExitReason | None = None
        self.window = 0

    async def start(self) -> ExitReason | None:
        reason = await super().start()
        if reason is None:
            self.count_down()
        return reason

    def count_down(self) -> None:
        """Look at it from time to time, and know when it is old."""
        deadlines, limits = self.climber.deadlines, self.limits
        if limits.max_age is not None:
            share = zlib.crc32(f"{self.life.path} {self.life.number}".encode()) / 2**32
            deadlines.after(limits.max_age * (1 - SPREAD * share), self.aged)
        if limits.soft_memory is not None:
            deadlines.after(LOOK, self.weigh)

    def aged(self) -> None:
        self.tire(f"it was up for {self.limits.max_age:g} s")

    def weigh(self) -> None:
        """Look at its memory; the system does not show that of a process that has just ended."""
        usage, most = used(self.pid), self.limits.soft_memory
        assert most is not None
        if usage is not None and usage.memory > most:
            self.tire(f"it had {usage.memory:,} bytes of memory, and its soft limit is {most:,}")
        elif self.due is None and not self.dead.is_set():
            self.climber.deadlines.after(LOOK, self.weigh)

    # -- calls ----------------------------------------------------------------------------------

    def hand_over(self) -> None:
        if self.due is not None and self.lanes is None and not self.stopping:
            self.awake = False
            self.leave_if_quiet()
            return
        most = self.limits.max_calls
        if most is not None and self.lanes is None and self.session.state is READY:
            self.window = self.window or self.session.window  # what both ends have agreed on
            left = self.window if self.stopping else max(0, most - self.sent_count)
            self.session.window = min(self.window, len(self.sent) + left)
        super().hand_over()
        if most is not None and self.count >= most:
            self.tire(f"it was given {self.count} calls, and its limit is {most}")

    @property
    def count(self) -> int:
        """The calls that it was given."""
        if self.lanes is None:
            return self.sent_count
        return sum(lane.given for lane in self.lanes)

    def hear(self, messages: list[Any]) -> None:
        super().hear(messages)
        if self.due is not None:
            self.leave_if_quiet()

    # -- the end --------------------------------------------------------------------------------

    def tire(self, why: str) -> None:
        """Its time has come."""
        if self.due is None:
            self.due = ExitReason(RECYCLED, why, ordered=True)
            self.leave_if_quiet()

    def leave_if_quiet(self) -> None:
        if not self.sent and self.session.state is READY and self.why is None and not self.stopping:
            self.why = self.due
            self.say(p.STOP, SHUTDOWN)
            if not self.climber.climbs:
                self.climber.begin(0, SHUTDOWN, delay=self.life.spec.options.grace)
