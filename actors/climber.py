"""The ladder of one guest: one climb at a time, for a guest runs one call at a time."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..transports.deadlines import Deadlines
from . import events
from .ladder import KILL, TERMINATE, Climb
from .reasons import INTERRUPTED, SHUTDOWN, TIMEOUT, ExitReason

if TYPE_CHECKING:
    from ..transports.places.guest import Guest
    from .executor import Ladder
    from .life import Life


class Climber:
    """Starts and ends climbs, and does what their rungs say; `condemn` is told when one means the guest's end."""

    __slots__ = ("climb", "condemn", "deadlines", "guest", "life", "limits")

    def __init__(
        self, life: Life, guest: Guest, limits: Ladder, condemn: Callable[[ExitReason], None]
    ) -> None:
        self.life = life
        self.guest = guest
        self.limits = limits
        self.condemn = condemn
        self.deadlines = Deadlines(life.house.stage.timers)
        self.climb: Climb | None = None

    def begin(self, call_id: int, why: str, delay: float = 0.0) -> None:
        """Interrupt a call; or, with a delay, terminate the guest after it (`call_id` 0)."""
        if not self.guest.alive:
            return
        if self.climb is not None:
            if self.climb.call_id in (call_id, 0):
                return
            self.climb.end()
        climb = self.climb = Climb(self, call_id, why, self.limits, self.deadlines)
        if delay:
            climb.until = climb.timers.after(delay, climb.later(TERMINATE))
        else:
            climb.start()

    def ring(self, call_id: int, number: int) -> None:
        page = self.guest.page
        if number == signal.SIGINT and page is not None:
            page.interrupt(call_id)
        self.guest.signal(number)

    def took(self, rung: str, call_id: int, why: str) -> None:
        self.life.emit(events.LadderClimbed, rung, call_id)
        if rung in (TERMINATE, KILL):
            what = (
                f"call {call_id} did not end when it was interrupted"
                if call_id
                else "it did not end when asked"
            )
            self.condemn(ExitReason(why if why in (TIMEOUT, SHUTDOWN) else INTERRUPTED, what, ordered=True))

    def answered(self, call_id: int) -> str | None:
        """A call has ended; returns the rung that was climbed to for it, if it was climbed for."""
        climb = self.climb
        if climb is None or climb.call_id != call_id:
            return None
        self.climb = None
        climb.end()
        return climb.rung

    def end(self) -> None:
        """The guest has ended: climb no further."""
        if self.climb is not None:
            self.climb.end()
