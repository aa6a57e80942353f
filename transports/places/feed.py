"""A guest's standard input: a pipe that we write into, no faster than it is read."""

from __future__ import annotations

import contextlib
import os

import trio


class FeedPipe:
    """Our end of one guest's standard input; writers take turns, so that their bytes do not mix."""

    __slots__ = ("number", "turn")

    def __init__(self, number: int) -> None:
        os.set_blocking(number, False)
        self.number = number
        self.turn = trio.Lock()

    @property
    def open(self) -> bool:
        return self.number >= 0

    async def write(self, data: bytes) -> None:
        """Write all; waits while the pipe is full.  If cancelled, a part may have been written.

        Raises:
            BrokenPipeError: if the guest has closed its end, or we ours.
        """
        rest = memoryview(data)
        async with self.turn:
            while rest:
                if self.number < 0:
                    raise BrokenPipeError("it is closed")
                try:
                    rest = rest[os.write(self.number, rest) :]
                except BlockingIOError:
                    with contextlib.suppress(trio.ClosedResourceError):
                        await trio.lowlevel.wait_writable(self.number)

    def close(self) -> None:
        """Whoever reads comes to the end; idempotent."""
        if self.number >= 0:
            trio.lowlevel.notify_closing(self.number)
            os.close(self.number)
            self.number = -1
