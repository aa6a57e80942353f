"""A guest's standard output or error: a pipe, read no faster than it is taken, and its end kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from ..hub import Hub

KEPT = 64 * 1024  # bytes, for whoever asks what it said last
READ = 64 * 1024  # bytes in one go, so that others get their turn
MOST = 2 * 1024 * 1024  # bytes left in a pipe by the dead; the system allows a pipe of 1 MiB


class Reader(Protocol):
    """Who takes what comes, by the pipe's `take`; one that cannot take more for now holds it, and the guest waits."""

    pipe: OutputPipe | None

    def come(self) -> None: ...
    def end(self) -> None: ...


class OutputPipe:
    """One pipe, read by its reader; without one, for the end of it alone."""

    __slots__ = ("holds", "hub", "number", "reader", "tail")

    def __init__(self, number: int, hub: Hub, reader: Reader | None) -> None:
        os.set_blocking(number, False)
        self.number = number
        self.hub = hub
        self.reader = reader
        if reader is not None:
            reader.pipe = self
        self.tail = bytearray()
        self.holds = 0
        hub.watch(number, self.come)

    @property
    def open(self) -> bool:
        return self.number >= 0

    def come(self) -> None:
        """There is something, or its end."""
        if self.reader is not None:
            self.reader.come()
        else:
            self.take()

    def take(self, most: int = READ) -> bytes:
        """Read at most so much; nothing if nothing is there, or nothing will be."""
        if self.number < 0:
            return b""
        try:
            data = os.read(self.number, most)
        except BlockingIOError:
            return b""
        if not data:
            self.close()
        self.tail += data
        del self.tail[:-KEPT]
        return data

    def hold(self) -> None:
        """Read no more until it is let go as often as it was held."""
        self.holds += 1
        if self.holds == 1 and self.number >= 0:
            self.hub.forget(self.number)

    def let_go(self) -> None:
        self.holds -= 1
        if self.holds == 0 and self.number >= 0:
            self.hub.watch(self.number, self.come)

    def finish(self) -> None:
        """The guest is dead: read what is left, and close."""
        if self.reader is not None:
            self.reader.end()
        else:
            list(self.drain())
        self.close()

    def drain(self) -> Iterator[bytes]:
        """All that is there now, if it has an end."""
        read = 0
        while read < MOST and (data := self.take()):
            read += len(data)
            yield data

    def last_words(self) -> str:
        """The end of what has come, as text."""
        return self.tail.decode("utf-8", "replace")

    def close(self) -> None:
        if self.number >= 0:
            if self.holds == 0:
                self.hub.forget(self.number)
            os.close(self.number)
            self.number = -1
