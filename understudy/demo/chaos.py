"""Chaos: real signals to the readers, so many a second, in an order that a seed decides."""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

import trio

from ..actors.verbs import statistics
from ..testing.injection import Injector
from .measure import Reader

if TYPE_CHECKING:
    from ..actors.actor import Handle

SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP)
NOBODY = 0.01  # seconds until it looks again, when every reader has been hit already


class Chaos:
    """Hits readers, ready or only starting, none twice in one life.

    Who was hit before it was ready is spared until it is: however many shots a second, the play goes on.
    """

    def __init__(self, readers: Sequence[Handle[Reader]], injector: Injector, seed: int) -> None:
        self.readers = readers
        self.injector = injector
        self.dice = random.Random(seed)
        self.early: dict[str, int] = {}  # path to the last incarnation that was hit before it was ready

    async def wreak(self, per_second: float) -> None:
        """Hit one reader after the other, until cancelled."""
        due = trio.current_time()
        while per_second > 0:
            await trio.sleep_until(due)
            targets = self.targets()
            if targets:
                self.hit(self.dice.choice(targets), self.dice.choice(SIGNALS))
                due = max(due + 1 / per_second, trio.current_time())
            else:
                due = trio.current_time() + NOBODY

    def targets(self) -> list[Handle[Reader]]:
        return [reader for reader in self.readers if self.is_fair(reader)]

    def is_fair(self, reader: Handle[Reader]) -> bool:
        now = statistics(reader)
        spared = now.state != "ready" and self.early.get(now.path) == now.incarnation - 1
        return self.injector.can_inject(reader) and not spared

    def hit(self, reader: Handle[Reader], fault: signal.Signals) -> None:
        now = statistics(reader)
        if now.state != "ready":
            self.early[now.path] = now.incarnation
        self.injector.inject(reader, fault)
