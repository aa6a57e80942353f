"""A look at the link before the guest falls asleep: one caller's next call often comes sooner than that.

Where looking does not pay off, it is not done for a while.
"""

from __future__ import annotations

import os
import socket
from time import perf_counter
from typing import Any

SPIN = 30e-6  # seconds to look; on one core only once, for the host needs the core to ask
LONGER = (
    3  # times as long, as long as the host sleeps still: once it finds that replies come at once, it does not
)
ROW = 8  # looks in a row that found something, after which it is known not to sleep
MISSES = 3  # looks in vain, before none is tried
PAUSE = 64  # reads for which none is tried
TURNS = 16  # looks in a row, after which the other tasks get their turn
READ_BYTES = 65536


class Glimpse:
    """Reads without waiting, or hardly."""

    __slots__ = ("hits", "misses", "pause", "row", "sock", "spin")

    def __init__(self, descriptor: int) -> None:
        self.sock = socket.socket(fileno=descriptor)
        self.hits = 0
        self.misses = 0
        self.row = 0
        self.pause = 0
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.spin = SPIN if cores > 1 else 0.0

    @property
    def enough(self) -> bool:
        """Is it time for the others?"""
        return self.hits % TURNS == 0

    def look(self) -> bytes | None:
        """What has come; None if nothing has."""
        if self.pause:
            self.pause -= 1
            return None
        if not self.spin and hasattr(os, "sched_yield"):
            os.sched_yield()
        until = perf_counter() + (self.spin if self.row >= ROW else LONGER * self.spin)
        while True:
            data = self.take()
            if data is not None:
                self.misses = 0
                self.hits += 1
                self.row += 1
                return data
            if perf_counter() > until:
                self.missed()
                return None

    def take(self) -> bytes | None:
        """What is there; None if nothing is."""
        try:
            return self.sock.recv(READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def missed(self) -> None:
        self.misses += 1
        self.row = 0
        if self.misses >= MISSES:
            self.misses, self.pause = 0, PAUSE


class EagerReader:
    """Reads from a link as the link itself does, and looks there for a while before it falls asleep."""

    __slots__ = ("glimpse", "wire")

    def __init__(self, wire: Any) -> None:
        self.wire = wire
        self.glimpse = Glimpse(wire.fileno())

    def receive(self) -> list[Any]:
        """Wait for the next messages; raises HostGone when the link has ended."""
        data = None if self.wire.buffer else self.glimpse.look()
        messages: list[Any] = self.wire.feed(data) if data is not None else []
        return messages or self.wire.receive()
