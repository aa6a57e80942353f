"""A guest's standard error: shown as it comes, and its end kept for the error that tells of a death."""

from __future__ import annotations

import contextlib
import os
import select

from ..hub import Hub

KEPT = 64 * 1024  # bytes


class Stderr:
    """Reads one pipe; the last 64 KiB stay."""

    __slots__ = ("hub", "number", "show", "tail")

    def __init__(self, number: int, hub: Hub, show: bool) -> None:
        os.set_blocking(number, False)
        self.number = number
        self.hub = hub
        self.show = show
        self.tail = bytearray()
        hub.watch(number, self.read)

    def read(self) -> None:
        try:
            data = os.read(self.number, 65536)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        self.tail += data
        del self.tail[:-KEPT]
        if self.show:
            with contextlib.suppress(OSError):
                pass_on(data)

    def close(self) -> None:
        if self.number >= 0:
            self.hub.forget(self.number)
            os.close(self.number)
            self.number = -1

    def last_words(self) -> str:
        """Read what is left and close; returns the kept end as text."""
        before = -1
        while self.number >= 0 and before != (before := len(self.tail)) and before < KEPT:
            self.read()
        self.close()
        return self.tail.decode("utf-8", "replace")


def pass_on(data: bytes) -> None:
    """Write to our own standard error as much as it takes without blocking: nobody may be reading it."""
    rest = memoryview(data)
    while rest and select.select([], [2], [], 0)[1]:
        rest = rest[os.write(2, rest[: select.PIPE_BUF]) :]
