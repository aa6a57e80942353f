"""Files that output is written to: by a thread, so that a slow disk holds up nobody but who writes to it; and rotated."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import trio

from .places.screen import Cursor

MOST = 256 * 1024  # bytes that wait to be written; who has more waits as well


class Writer(Protocol):
    """Who writes to a file, and is told when it cannot be written, and (None) when it can be again."""

    def failed(self, error: OSError | None, lost: int, /) -> None: ...


class RotatingFile:
    """The file on the disk; with `most` bytes full, it becomes PATH.1 and so on, and a new one begins."""

    def __init__(self, path: Path, most: int, keep: int) -> None:
        self.path = path
        self.most = most
        self.keep = keep
        self.number = self.begin()
        self.size = os.fstat(self.number).st_size

    def begin(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> tuple[int, OSError | None]:
        """Write, in as many files as that takes; returns how much was written, and why not more."""
        done = 0
        try:
            while done < len(data):
                room = self.room(data, done)
                if room == 0:
                    self.turn()
                    continue
                done += self.put(data[done : done + room])
        except OSError as error:
            return done, error
        return done, None

    def put(self, data: bytes) -> int:
        written = os.write(self.number, data)
        self.size += written
        return written

    def room(self, data: bytes, done: int) -> int:
        """How much of the data goes into this file: as many whole lines as fit; 0 if it is full."""
        left = self.most - self.size
        if not self.most or len(data) - done <= left:
            return len(data) - done
        lines = data.rfind(b"\n", done, done + max(left, 0)) + 1 - done
        return lines if lines > 0 else 0 if self.size else left

    def turn(self) -> None:
        """Begin a new file; the oldest goes."""
        paths = [self.path, *(Path(f"{self.path}.{n}") for n in range(1, self.keep))]
        for older, newer in zip(reversed(paths), reversed(paths[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)
        if len(paths) == 1:
            self.path.unlink(missing_ok=True)
        fresh = self.begin()
        os.close(self.number)
        self.number, self.size = fresh, os.fstat(fresh).st_size

    def close(self) -> None:
        os.close(self.number)


class OutputFile:
    """One file, however many write to it."""

    def __init__(self, file: RotatingFile) -> None:
        self.file = file
        self.writers: list[Writer] = []
        self.cursor = Cursor()
        self.rest = bytearray()
        self.behind: list[Callable[[], None]] = []
        self.wanted = trio.Event()
        self.idle = trio.Event()
        self.idle.set()
        self.torn = False  # the end of a line was lost

    @property
    def full(self) -> bool:
        return len(self.rest) > MOST

    def put(self, writer: Writer, pieces: Sequence[bytes]) -> None:
        """Add pieces of lines; a line that another has begun is ended first."""
        if self.cursor.owner is not None and self.cursor.owner is not writer:
            self.rest += b"\n"
        self.rest += b"".join(pieces)
        self.cursor.owner = None if pieces[-1].endswith(b"\n") else writer
        if self.idle.is_set():
            self.idle = trio.Event()
        self.wanted.set()

    def leave(self, writer: Writer) -> None:
        """One writes no more; after the last the file is closed, when all is written."""
        self.writers.remove(writer)
        self.wanted.set()

    async def written(self) -> None:
        """Wait until all that was put is in the file, or lost."""
        await self.idle.wait()

    async def run(self) -> None:
        """Write what comes until the last writer has left; if cancelled, what has come."""
        try:
            while self.writers or self.rest:
                await self.wanted.wait()
                self.wanted = trio.Event()
                await self.write_all()
        finally:
            with trio.CancelScope(shield=True):
                await self.write_all()
            self.file.close()

    async def write_all(self) -> None:
        while self.rest:
            data = (b"\n" if self.torn else b"") + bytes(self.rest)
            self.rest.clear()
            done, error = await trio.to_thread.run_sync(self.file.write, data)
            self.torn = (self.torn and done == 0) or (0 < done < len(data) and data[done - 1] != 10)
            for writer in self.writers:
                writer.failed(error, len(data) - done)
            behind, self.behind = self.behind, []
            for resume in behind:
                resume()
        self.idle.set()


class Files:
    """The files of a runtime, by path: who writes to the same one shares it."""

    def __init__(self) -> None:
        self.files: dict[str, OutputFile] = {}
        self.nursery: trio.Nursery | None = None

    def open(self, writer: Writer, path: str | os.PathLike[str], most: int, keep: int) -> OutputFile:
        """The file at a path, begun or continued.

        Raises:
            OSError: if it cannot be opened, or is written to with other limits.
        """
        assert self.nursery is not None, "the runtime is not running"
        name = os.path.abspath(path)
        found = self.files.get(name)
        if found is None:
            found = self.files[name] = OutputFile(RotatingFile(Path(name), most, keep))
            self.nursery.start_soon(self.keep, name, found)
        elif (found.file.most, found.file.keep) != (most, keep):
            text = "another actor's output goes to this file already, rotated otherwise"
            raise OSError(errno.EBUSY, text, name)
        found.writers.append(writer)
        return found

    async def keep(self, name: str, file: OutputFile) -> None:
        try:
            await file.run()
        finally:
            del self.files[name]

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as self.nursery:
            task_status.started()
            await trio.sleep_forever()
