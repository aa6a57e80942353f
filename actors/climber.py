"""The ladder of one guest: a climb for each call that must end, or one for the guest itself."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..transports.deadlines import Deadlines
from . import events
from .ladder import KILL, TERMINATE, Climb
from .reasons import INTERRUPTED, SHUTDOWN, TIMEOUT, ExitReason

if TYPE_CHECKING:
    from .executor import Ladder
    from .life import Life
    from .place import Place


MANY = 64  # climbs; of more, each rings the doorbell only now and then: a guest must come to its work


class Climber:
    """Starts and ends climbs, and does what their rungs say.

    `condemn` is told when one means the guest's end; `others` tells whether it runs other calls than this;
    `interrupt` tells a guest that reads.
    """

    __slots__ = (
        "climbs",
        "condemn",
        "deadlines",
        "guest",
        "interrupt",
        "latest",
        "life",
        "limits",
        "now",
        "others",
        "rings",
    )

    def __init__(
        self,
        life: Life,
        guest: Place,
        limits: Ladder,
        condemn: Callable[[ExitReason], None],
        others: Callable[[int], bool],
        interrupt: Callable[[int], None],
    ) -> None:
        self.life = life
        self.guest = guest
        self.limits = limits
        self.condemn = condemn
        self.deadlines = Deadlines(life.house.stage.timers)
        self.others = others
        self.interrupt = interrupt
        self.now = life.house.stage.now
        self.latest = -math.inf  # when a call last ended for which it was climbed
        self.rings = 0
        self.climbs: dict[int, Climb] = {}  # by call; 0 is the guest

    def begin(self, call_id: int, why: str, delay: float = 0.0) -> None:
        """Interrupt a call, after a delay if it may end by itself; or terminate the guest after it (`call_id` 0)."""
        if not self.guest.alive or 0 in self.climbs or call_id in self.climbs:
            return
        if call_id == 0:
            self.end()
        climb = self.climbs[call_id] = Climb(self, call_id, why, self.limits, self.deadlines)
        if delay:
            climb.until = climb.timers.after(delay, climb.start if call_id else climb.later(TERMINATE))
        else:
            climb.start()

    def ring(self, call_id: int, number: int) -> None:
        if number == signal.SIGINT:
            self.interrupt(call_id)
            self.rings += 1
            if self.rings % (1 + len(self.climbs) // MANY) == 0:
                self.guest.interrupt(call_id)
        else:
            self.guest.signal(number)

    def may_take(self, call_id: int) -> bool:
        """May a rung be taken that ends all that runs in the guest?"""
        if call_id == 0 or self.limits.collateral:
            return True
        # While it ends one call after another, as it was told, it needs no more than time.
        ending = len(self.climbs) > 1 and self.now() - self.latest < self.limits.interrupt
        return not ending and not self.others(call_id)

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
        climb = self.climbs.pop(call_id, None)
        if climb is None:
            return None
        climb.end()
        self.latest = self.now()
        return climb.rung

    def end(self) -> None:
        """The guest has ended: climb no further."""
        for climb in self.climbs.values():
            climb.end()
        self.climbs.clear()
