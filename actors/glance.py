"""A glance at the link: with one caller the reply often comes sooner than the event loop could fall asleep.

After some calls in a row that had the link for themselves, the next is sent at once and its reply looked for,
for no longer than a wake-up would cost.  Where that fails it is not tried for a while.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from ..transports.system.means import usable_cores, yield_core

if TYPE_CHECKING:
    from ..transports.links.link import HostLink
    from .call import Call

ALONE = 8  # calls in a row that had the link for themselves, before a glance is tried
MISSES = 3  # glances in vain, before none is tried
PAUSE = 64  # calls for which none is tried
TURNS = 16  # glances in a row, after which the other tasks get their turn
SPIN = 30e-6  # seconds to look; on one core only once, for the guest needs the core to answer


class Glance:
    """Whether a glance pays off, by experience."""

    __slots__ = ("hits", "misses", "ready", "spin", "streak")

    def __init__(self) -> None:
        self.ready = False
        self.streak = 0
        self.hits = 0
        self.misses = 0
        self.spin = SPIN if usable_cores() > 1 else 0.0

    def heard(self, alone: bool) -> None:
        """A frame came; was the call it answers alone on the link?"""
        self.streak = self.streak + 1 if alone else min(self.streak, 0)
        self.ready = self.streak >= ALONE

    def look(self, call: Call, link: HostLink) -> bool:
        """Look for the reply; True if it came."""
        until = perf_counter() + self.spin
        if not self.spin:
            yield_core()  # on one core the guest can only answer while we do not run
        while True:
            link.look()
            if call.ended:
                self.misses = 0
                self.hits += 1
                return True
            if link.number < 0 or perf_counter() > until:
                return self.missed()

    def missed(self) -> bool:
        self.misses += 1
        if self.misses >= MISSES:
            self.misses, self.streak, self.ready = 0, -PAUSE, False
        return False
