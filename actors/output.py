"""What an actor in a process writes to its standard streams, as values; and files for it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .checks import Checks, check_fields, is_positive
from .events import Event


@dataclass(frozen=True, slots=True)
class Output(Event):
    """A line that an actor's process wrote to its `stream`, "stdout" or "stderr".

    `text` has the line's end with it; `partial` ones have none: a very long line comes in several, and one whose end
    does not come within 50 ms, or within its call, comes without.  `data` are the bytes: those of all outputs
    together are what was written.  `call_id` is the call that ran, None where that is not sure.
    """

    stream: str
    text: str
    partial: bool
    call_id: int | None = None
    pid: int = 0
    raw: bytes = b""  # the bytes themselves, where text cannot tell them

    @property
    def data(self) -> bytes:
        return self.raw or self.text.encode()


@dataclass(frozen=True, slots=True)
class OutputFailed(Event):
    """Output of `stream` could not be taken by `taker`, a file or a function: `text` tells why.

    Told when that begins, and when it ends: `lost` counts the bytes that were not taken meanwhile.
    """

    stream: str
    taker: str
    text: str
    lost: int


@dataclass(frozen=True, slots=True)
class RotatedFile:
    """A file for output that never grows beyond `max_bytes`: it becomes `PATH.1`, that `PATH.2`, and so on.

    The oldest of `keep` files is deleted.  Only their owner can read them.

    Example:
        Process(stdout=RotatedFile("worker.log", max_bytes=1_000_000, keep=3))

    Raises:
        ValueError: for a size or a number below 1.
    """

    path: str | os.PathLike[str]
    max_bytes: int = 10_000_000
    keep: int = 5

    def __post_init__(self) -> None:
        check_fields(self, FILE_CHECKS)


FILE_CHECKS: Checks = {
    "path": (lambda path: isinstance(path, str | os.PathLike), "a path"),
    "max_bytes": (is_positive, "a number of bytes above 0"),
    "keep": (is_positive, "a count above 0"),
}
