"""The standard streams of one incarnation in a process: where what it writes goes, and what it is fed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..transports.places.standard import STDOUT, Way, Wiring
from .sinks import sink_of
from .takers import KEEP, LEAVE, NULL, takers_of
from .writing import UNSURE, Writing

if TYPE_CHECKING:
    from ..transports.places.output import Reader
    from ..transports.places.standard import Standard
    from .executor import Process
    from .process import ProcessIncarnation
    from .takers import Taker


class Streams:
    """What is done with each stream; the pipes themselves are in `guest.standard`."""

    __slots__ = ("incarnation", "writings")

    def __init__(self, incarnation: ProcessIncarnation) -> None:
        self.incarnation = incarnation
        self.writings: dict[str, Writing] = {}

    @property
    def standard(self) -> Standard:
        return self.incarnation.guest.standard

    def open(self) -> dict[str, Reader]:
        """Open all that takes output; returns who reads which stream.

        Raises:
            OSError: if a file cannot be opened.
        """
        executor = self.incarnation.executor
        for name, takers in (("stdout", takers_of(executor.stdout)), ("stderr", takers_of(executor.stderr))):
            told: list[Taker] = [taker for taker in takers if is_told(taker)]
            if told:
                writing = self.writings[name] = Writing(self.incarnation, name, executor.output)
                for taker in told:
                    writing.sinks.append(sink_of(taker, writing))
        return dict(self.writings.items())

    async def finish(self) -> None:
        """The guest is dead: hand on what it left, and wait for those who take it, if not for long."""
        self.standard.finish()
        for writing in self.writings.values():
            await writing.taken()

    def whose(self) -> int | None:
        """The call that what is written now belongs to; None if none runs, UNSURE if it may be one of several."""
        sent, page = self.incarnation.sent, self.incarnation.guest.page
        oldest = next(iter(sent), None)
        if oldest is None:
            return None
        if self.incarnation.lanes is not None or page is None:
            return oldest if len(sent) == 1 else UNSURE
        # All before the oldest have been answered, and had told of their bytes before.
        return oldest if page.begun == oldest else UNSURE if page.begun in sent else None

    def whose_last(self) -> int | None:
        """The same of a guest that is dead."""
        whose = self.whose()
        return None if whose == UNSURE else whose

    def words(self, name: str) -> str:
        return self.standard.last_words(name)

    def close(self) -> None:
        """Give back all that takes output; what a file has yet to write, it writes."""
        for writing in self.writings.values():
            writing.close()


def on_wrote(incarnation: Any, message: list[Any]) -> None:
    """The guest tells whose its bytes are, ahead of what it answers."""
    writing = incarnation.streams.writings.get("stdout" if message[1] == STDOUT else "stderr")
    if writing is not None:
        writing.told(message[2], alone=len(incarnation.sent) <= 1)


def wiring_of(executor: Process) -> Wiring:
    ways = way_of(takers_of(executor.stdout)), way_of(takers_of(executor.stderr))
    return Wiring(*ways, executor.stdin == "pipe")


def way_of(takers: tuple[Taker, ...]) -> Way:
    return "leave" if LEAVE in takers else "null" if NULL in takers else "read"


def is_told(taker: object) -> bool:
    """Does it take output, when that comes?"""
    return taker not in (KEEP, LEAVE, NULL)
