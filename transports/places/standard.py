"""The standard streams of one guest: which descriptors it finds under 0, 1 and 2, and our ends of them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from ..hub import Hub
from .feed import FeedPipe
from .output import OutputPipe, Reader

STDIN, STDOUT, STDERR = 0, 1, 2
NUMBERS = {"stdout": STDOUT, "stderr": STDERR}

Way = Literal["read", "leave", "null"]


@dataclass(frozen=True, slots=True)
class Wiring:
    """What is to become of each: outputs are read by us, left to the host's own streams, or thrown away."""

    stdout: Way = "read"
    stderr: Way = "read"
    fed: bool = False


class Standard:
    """Our ends; `close` gives back every descriptor."""

    __slots__ = ("hub", "pipes", "stdin")

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.pipes: dict[str, OutputPipe] = {}
        self.stdin: FeedPipe | None = None

    def open(self, wiring: Wiring, readers: dict[str, Reader], handed: ExitStack) -> dict[int, int]:
        """Open what is wired; returns the guest's ends by their places, closed with `handed`.

        Raises:
            OSError: if descriptors have run out.
        """
        given: dict[int, int] = {}
        for name, place in NUMBERS.items():
            way = wiring.stdout if place == STDOUT else wiring.stderr
            given[place] = self.open_output(name, place, way, readers.get(name), handed)
        if wiring.fed:
            read_end, write_end = os.pipe()
            handed.callback(os.close, read_end)
            self.stdin = FeedPipe(write_end)
            given[STDIN] = read_end
        return given

    def open_output(self, name: str, place: int, way: Way, reader: Reader | None, handed: ExitStack) -> int:
        if way == "leave":
            return place
        if way == "null":
            nowhere = os.open(os.devnull, os.O_WRONLY)
            handed.callback(os.close, nowhere)
            return nowhere
        read_end, write_end = os.pipe()
        handed.callback(os.close, write_end)
        self.pipes[name] = OutputPipe(read_end, self.hub, reader)
        return write_end

    def finish(self) -> None:
        """The guest is dead: read what it left."""
        for pipe in self.pipes.values():
            pipe.finish()

    def last_words(self, name: str) -> str:
        pipe = self.pipes.get(name)
        return pipe.last_words() if pipe is not None else ""

    def close(self) -> None:
        for pipe in self.pipes.values():
            pipe.close()
        if self.stdin is not None:
            self.stdin.close()
