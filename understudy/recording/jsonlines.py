"""Events in files, a line of JSON each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..actors.events import Event
from ..supervisors.events import EventReader
from .plain import Clock, event_of, line_of, opened
from .sink import pour

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Write events to a file, one line of JSON each; `read()` gives them back.

    With `messages=True` what happens to messages, too.  A file of more than `rotate` bytes becomes `PATH.1`, that
    `PATH.2` and so on, and the oldest of `keep` is deleted; `rotate=0` is never.  Each file begins with LogOpened,
    which ties the events' clock to the time of day.

    Example:
        async with open_runtime(tree, record=JsonLines("events.jsonl")):
            ...
        for event in JsonLines("events.jsonl").read():
            print(event)

    Raises:
        ValueError: for a size or a number below 0.
    """

    path: str | os.PathLike[str]
    messages: bool = False
    rotate: int = 100 * MEGABYTE
    keep: int = 5

    def __post_init__(self) -> None:
        if self.rotate < 0 or self.keep < 1:
            raise ValueError(
                f"rotate={self.rotate}, keep={self.keep}: rotate is 0 or a size, keep is 1 or more"
            )

    async def record(self, events: EventReader) -> None:
        """Write until no more events come."""
        await pour(events, lambda now: LineFile(self, now), repr(self))

    def read(self) -> Iterator[Event]:
        """The events of all files that are kept, oldest first; a last line that is cut off ends them.

        Raises:
            FileNotFoundError: if there is no file.
            ValueError: for a line that is no event.
        """
        paths = [path for path in reversed(paths_of(self)) if path.exists()]
        for path in paths or [Path(self.path)]:
            with path.open("rb") as lines:
                for line in lines:
                    if line.endswith(b"\n"):
                        yield event_of(line)


def paths_of(plan: JsonLines) -> list[Path]:
    """The files, the newest first."""
    return [Path(plan.path), *(Path(f"{os.fspath(plan.path)}.{n}") for n in range(1, plan.keep))]


class LineFile:
    """The open file; a line that did not fit is taken back, so that there are whole lines only."""

    def __init__(self, plan: JsonLines, now: Clock) -> None:
        self.plan = plan
        self.now = now
        self.file = open(plan.path, "ab", buffering=0)  # noqa: SIM115  closed by close()
        self.size = self.file.tell()

    def write(self, events: Sequence[Event]) -> None:
        if self.plan.rotate and self.size > self.plan.rotate:
            self.turn()
        self.put(b"".join(line_of(event) + b"\n" for event in events))

    def put(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self.file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self.file.truncate(self.size)
            raise
        self.size += len(data)

    def turn(self) -> None:
        """Begin a new file."""
        paths = paths_of(self.plan)
        for older, newer in zip(reversed(paths), reversed(paths[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)
        fresh = open(paths[0], "wb" if len(paths) == 1 else "ab", buffering=0)  # noqa: SIM115  closed by close()
        self.file.close()
        self.file, self.size = fresh, 0
        self.put(line_of(opened(self.now)) + b"\n")

    def close(self) -> None:
        try:
            with contextlib.suppress(OSError):  # a pipe, or a device
                os.fsync(self.file.fileno())
        finally:
            self.file.close()
