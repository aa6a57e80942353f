"""Chaos: real signals to the readers, so many a second, in an order that a seed decides."""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from typing import Any

import trio

from ..testing.inject import Injector

SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP)
NOBODY = 0.01  # seconds until it looks again, when every reader has been hit already


async def wreak(readers: Sequence[Any], per_second: float, seed: int, injector: Injector) -> None:
    """Hit one reader after the other, ready or only starting, until cancelled; none twice in one life."""
    if per_second <= 0:
        return
    dice = random.Random(seed)
    due = trio.current_time()
    while True:
        due = max(due + 1 / per_second, trio.current_time())
        await trio.sleep_until(due)
        fault = dice.choice(SIGNALS)
        alive = await somebody(readers, injector)
        injector.inject(dice.choice(alive), fault)


async def somebody(readers: Sequence[Any], injector: Injector) -> list[Any]:
    """Those who can be hit, as soon as there are any."""
    while True:
        alive = [reader for reader in readers if injector.can_inject(reader)]
        if alive:
            return alive
        await trio.sleep(NOBODY)
