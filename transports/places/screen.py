"""The host's own standard output and error, as many guests write to them: line by line, and never blocking us."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise

import trio

MOST = 256 * 1024  # bytes that wait for a reader; who has more to show waits as well
PATIENCE = 2.0  # seconds that the end of a runtime waits for a reader


class Cursor:
    """Where lines end: whoever began one that has no end yet."""

    __slots__ = ("owner",)

    def __init__(self) -> None:
        self.owner: object = None


class Screen:
    """One stream of the host's, by its number: 1 or 2."""

    def __init__(self, number: int, cursor: Cursor) -> None:
        self.number = number
        self.cursor = cursor
        self.rest = bytearray()
        self.behind: list[Callable[[], None]] = []  # who waits until it takes more
        self.wanted = trio.Event()
        self.idle = trio.Event()
        self.device: tuple[int, int, int] | None = None
        self.own = -1  # the same device, opened a second time so that writing never blocks

    @property
    def full(self) -> bool:
        """Is so much waiting that nobody should add to it?"""
        return len(self.rest) > MOST

    @property
    def coloured(self) -> bool:
        """Is it a terminal, and does nobody mind colours?"""
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        try:
            return os.isatty(self.number)
        except OSError:
            return False

    def show(self, owner: object, prefix: bytes, pieces: Sequence[bytes]) -> None:
        """Show pieces of lines, each line after its prefix; another's line that has no end is ended first."""
        if not pieces:
            return
        begin = prefix if self.cursor.owner is None else b"\n" + prefix
        first = b"" if self.cursor.owner is owner else begin
        out = [first, pieces[0]]
        for before, piece in pairwise(pieces):
            if before.endswith(b"\n"):
                out.append(prefix)
            out.append(piece)
        self.cursor.owner = None if pieces[-1].endswith(b"\n") else owner
        self.put(b"".join(out))

    def leave(self, owner: object) -> None:
        """It will show no more: a line that it has begun is ended."""
        if self.cursor.owner is owner:
            self.cursor.owner = None
            self.put(b"\n")

    # -- writing --------------------------------------------------------------------------------

    def put(self, data: bytes) -> None:
        """Write as much as it takes; the rest is written when it takes more."""
        if not self.rest:
            flush_ours(self.number)
            data = data[self.write(data) :]
        if data:
            self.rest += data
            self.wanted.set()

    async def shown(self) -> None:
        """Wait until nothing waits to be written."""
        if self.rest:
            await self.idle.wait()

    def write(self, data: bytes | bytearray) -> int:
        """Write without waiting; returns how much is dealt with, which is all if nobody can read it any more."""
        done, rest = 0, memoryview(data)
        try:
            descriptor = self.descriptor()
            with rest:
                while done < len(data) and (descriptor == self.own or is_writable(descriptor)):
                    # No longer than what is written whole, and to the end of a line: others write here, too.
                    end = data.rfind(b"\n", done, done + select.PIPE_BUF) + 1
                    done += os.write(descriptor, rest[done : end or done + select.PIPE_BUF])
        except BlockingIOError:
            pass
        except OSError:
            return len(data)
        return done

    def descriptor(self) -> int:
        """A second opening of the device where there is one, else the number itself."""
        found = os.fstat(self.number)
        device = (found.st_dev, found.st_ino, found.st_rdev)
        if device != self.device:
            self.close()
            self.own = reopened(self.number, found.st_mode)
            self.device = device
        return self.own if self.own >= 0 else self.number

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write what waits whenever more is taken; when cancelled, for some time still."""
        task_status.started()
        try:
            while True:
                await self.wanted.wait()
                await self.catch_up()
        finally:
            with trio.move_on_after(PATIENCE, shield=True):
                await self.catch_up()
            self.close()

    async def catch_up(self) -> None:
        while self.rest:
            with contextlib.suppress(OSError):  # files are always ready
                await trio.lowlevel.wait_writable(self.descriptor())
            del self.rest[: self.write(self.rest)]
            if not self.full and self.behind:
                behind, self.behind = self.behind, []
                for resume in behind:
                    resume()
        self.wanted = trio.Event()
        self.idle.set()
        self.idle = trio.Event()

    def close(self) -> None:
        if self.own >= 0:
            os.close(self.own)
            self.own = -1
        self.device = None


def reopened(number: int, mode: int) -> int:
    """The terminal or pipe behind a descriptor, opened so that it does not block; -1 if it cannot be.

    To set that on the descriptor itself would set it for the shell, and for whoever else shares it.
    """
    try:
        if stat.S_ISCHR(mode) and os.isatty(number):
            path = os.ttyname(number)
        elif stat.S_ISFIFO(mode):
            path = f"/proc/self/fd/{number}"
        else:
            return -1
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return -1


def is_writable(descriptor: int) -> bool:
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(0))
    except OSError as error:
        return error.errno != errno.EBADF


def flush_ours(number: int) -> None:
    """What the host itself has printed before comes before."""
    stream = sys.stdout if number == 1 else sys.stderr
    with contextlib.suppress(Exception):  # it may be closed, replaced, or none
        if stream.fileno() == number and is_writable(number):
            stream.flush()


def screens() -> dict[str, Screen]:
    """The host's streams, by name; they share a cursor if they are one device."""
    cursor = Cursor()
    return {"stdout": Screen(1, cursor), "stderr": Screen(2, cursor if same_device() else Cursor())}


def same_device() -> bool:
    try:
        return os.path.sameopenfile(1, 2)
    except OSError:
        return False


def pass_on(data: bytes) -> None:
    """Write to our own standard error as much as it takes without blocking: nobody may be reading it."""
    rest = memoryview(data)
    while rest and select.select([], [2], [], 0)[1]:
        rest = rest[os.write(2, rest[: select.PIPE_BUF]) :]
