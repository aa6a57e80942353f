"""Where keepers wait between two runtimes of one process, if somebody asks for that, as test suites do.

A runtime that closes ends its keepers.  A suite of tests opens a thousand runtimes, and would load the same code as
often: while the room is open, keepers that are at rest wait here for the next runtime that has use for them.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .zygote import put_down

if TYPE_CHECKING:
    import socket

    from .zygote import Zygote

MOST = 8  # keepers that wait
PATIENCE = 5.0  # seconds a keeper has to end


@dataclass(frozen=True, slots=True)
class Waiting:
    """A keeper without a runtime: its process, our end of its link, and where its standard error is read."""

    process: subprocess.Popen[bytes]
    link: socket.socket
    stderr: int

    def at_rest(self) -> bool:
        """Does it live, and has it nothing to say?"""
        poll = select.poll()
        poll.register(self.link, select.POLLIN)
        return self.process.poll() is None and not poll.poll(0)

    def end(self) -> None:
        """It ends when its link does."""
        self.link.close()
        os.close(self.stderr)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        put_down(self.process)


class GreenRoom:
    """Empty, and takes nobody in, unless it is `kept_open()`."""

    def __init__(self) -> None:
        self.is_open = False
        self.waiting: dict[Zygote, Waiting] = {}

    @property
    def pids(self) -> set[int]:
        return {waiting.process.pid for waiting in self.waiting.values()}

    @property
    def descriptors(self) -> set[int]:
        """What those who wait hold open here."""
        return {
            number for waiting in self.waiting.values() for number in (waiting.link.fileno(), waiting.stderr)
        }

    @contextmanager
    def kept_open(self) -> Generator[None]:
        """Keepers may wait here meanwhile; those that do at the end are ended."""
        before, self.is_open = self.is_open, True
        try:
            yield
        finally:
            self.is_open = before
            self.clear()

    @contextmanager
    def kept_shut(self) -> Generator[None]:
        """Nobody waits here meanwhile: each runtime starts keepers of its own, and ends them."""
        before, self.is_open = self.is_open, False
        self.clear()
        try:
            yield
        finally:
            self.is_open = before

    def take_in(self, zygote: Zygote, waiting: Waiting) -> None:
        """Let one wait, in the place of one of the same kind, or of who has waited longest."""
        if zygote in self.waiting or len(self.waiting) >= MOST:
            self.waiting.pop(zygote if zygote in self.waiting else next(iter(self.waiting))).end()
        self.waiting[zygote] = waiting

    def call(self, zygote: Zygote) -> Waiting | None:
        """One that waits and is fit to go on."""
        waiting = self.waiting.pop(zygote, None)
        if waiting is not None and not waiting.at_rest():
            waiting.end()
            return None
        return waiting

    def clear(self) -> None:
        while self.waiting:
            self.waiting.popitem()[1].end()

    def disown(self) -> None:
        """In a forked child: they are our parent's."""
        for waiting in self.waiting.values():
            waiting.link.close()
            waiting.process.returncode = 0
        self.waiting.clear()


GREEN_ROOM = GreenRoom()
