"""One stream that an incarnation writes: cut into pieces, attributed, and given to all who take it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ..transports.guests.protocol import NONE
from ..transports.ledger import Ledger
from ..transports.lines import Chunks, Lines
from ..transports.places.output import READ
from .output import Output, OutputFailed

if TYPE_CHECKING:
    from ..transports.places.output import OutputPipe
    from ..transports.timers import Timer
    from .process import ProcessIncarnation

log = logging.getLogger("understudy.actors.output")

QUIET = 0.05  # seconds after which the beginning of a line is passed on without its end

UNSURE = -1  # a call, but which one?
WAIT, TRIES = 0.001, 4  # seconds, and how often, that bytes wait for the guest to tell whose they are
ROUNDS = 16  # reads, for a guest that goes on writing

Cut = Literal["lines", "chunks"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pieces of one stream that came together, in one call if in any."""

    pieces: list[bytes]
    at: int
    call_id: int | None


class Sink(Protocol):
    """Who takes output: at once, or it holds the pipe until it is through."""

    def take(self, batch: Batch, /) -> None: ...
    def end(self) -> None:
        """No more will come."""

    async def taken(self) -> None:
        """Wait until all is where it belongs."""

    def close(self) -> None: ...


class Writing:
    """What one incarnation writes to one stream."""

    __slots__ = (
        "incarnation", "ledger", "lines", "pipe", "sinks", "stream", "timer", "waited", "waiting", "whose",
    )  # fmt: skip

    def __init__(self, incarnation: ProcessIncarnation, stream: str, cut: Cut) -> None:
        self.incarnation = incarnation
        self.stream = stream
        self.lines = Lines() if cut == "lines" else Chunks()
        self.ledger = Ledger()
        self.waited = self.waiting = 0
        self.sinks: list[Sink] = []
        self.pipe: OutputPipe | None = None
        self.timer: Timer | None = None
        self.whose: int | None = None  # the call that began the line

    # -- what comes -----------------------------------------------------------------------------

    def come(self) -> None:
        """There is something to read."""
        if not self.take_told():
            call_id = self.incarnation.streams.whose()
            if call_id == UNSURE and self.waited < TRIES:
                self.wait()
            else:
                self.waited = 0
                self.take(call_id if call_id != UNSURE else None)

    def take_told(self) -> bool:
        """Read bytes whose call is known; False if there are none."""
        assert self.pipe is not None
        due = self.ledger.due
        data = self.pipe.take(min(due, READ)) if due else b""
        self.take_in(data, self.incarnation.streams.whose_last())
        return bool(data)

    def take(self, call_id: int | None) -> None:
        """Read bytes of which nothing is known, but which call runs; if that is another by now, not even that."""
        assert self.pipe is not None
        data = self.pipe.take()
        still = call_id is None or self.incarnation.streams.whose() == call_id
        self.take_in(data, call_id if still else None)

    def wait(self) -> None:
        """Several calls may have written this; what the guest tells of them is on its way."""
        self.waited += 1
        self.waiting = 1
        self.hold()
        self.incarnation.life.house.stage.timers.after(WAIT, self.wait_over)

    def wait_over(self) -> None:
        self.waiting = 0
        self.let_go()

    @property
    def held(self) -> bool:
        """Is one of those who take it behind?"""
        return self.pipe is not None and self.pipe.holds > self.waiting

    def told(self, spans: list[list[int]], alone: bool) -> None:
        """The guest tells how far the bytes of its calls go: they come before the replies do."""
        assert self.pipe is not None
        self.ledger.mark(spans)
        for _ in range(ROUNDS):
            if self.held:
                return  # it comes later
            if not self.take_told():
                break
        if alone:  # what is left came by another way, in the same call
            last = spans[-1][0] if spans else NONE
            self.take_in(self.pipe.take(), last if last > NONE else self.incarnation.streams.whose_last())
        self.part()
        if alone or not self.pipe.open:
            self.ledger.settle()

    def take_in(self, data: bytes, other: int | None) -> None:
        for part, call_id in self.ledger.split(data, other):
            self.feed(part, call_id)

    def feed(self, data: bytes, call_id: int | None) -> None:
        """Bytes of one call, or of none."""
        if self.whose != call_id:
            self.part()
        self.whose = call_id
        pieces = self.lines.feed(data)
        if pieces:
            self.give(pieces, call_id)
        self.cancel_timer()
        if self.lines.rest:
            self.timer = self.incarnation.life.house.stage.timers.after(QUIET, self.part)

    def part(self) -> None:
        """No more has come for some time: what there is of a line is passed on."""
        self.cancel_timer()
        piece = self.lines.partial()
        if piece:
            self.give([piece], self.whose)

    def give(self, pieces: list[bytes], call_id: int | None) -> None:
        batch = Batch(pieces, int(self.incarnation.life.house.stage.now() * 1e9), call_id)
        for sink in self.sinks:
            sink.take(batch)

    def outputs(self, batch: Batch) -> list[Output]:
        """The pieces as values."""
        return [self.output(piece, batch) for piece in batch.pieces]

    def output(self, piece: bytes, batch: Batch) -> Output:
        life, (text, raw) = self.incarnation.life, readable(piece)
        partial = not piece.endswith(b"\n")
        number = life.number + (life.incarnation is not self.incarnation)  # a standby is the next
        where = batch.at, life.path, number, self.stream
        return Output(*where, text, partial, batch.call_id, self.incarnation.pid, raw)

    def hold(self) -> None:
        if self.pipe is not None:
            self.pipe.hold()

    def let_go(self) -> None:
        if self.pipe is not None:
            self.pipe.let_go()

    def failed(self, taker: str, text: str, lost: int) -> None:
        """Tell that a taker has begun to fail, and in the log too; or, without a text, that it takes again."""
        life = self.incarnation.life
        if text:
            log.warning("%s of %s is not taken by %s: %s", self.stream, life.path, taker, text)
        life.emit(OutputFailed, self.stream, taker, text, lost)

    # -- the end --------------------------------------------------------------------------------

    def end(self) -> None:
        """The guest is dead: take what it left."""
        assert self.pipe is not None
        for data in self.pipe.drain():
            self.take_in(data, self.incarnation.streams.whose_last())
        self.cancel_timer()
        rest = self.lines.end()
        if rest:
            self.give([rest], self.whose)
        for sink in self.sinks:
            sink.end()

    async def taken(self) -> None:
        """Wait until all who take it have taken all."""
        for sink in self.sinks:
            await sink.taken()

    def close(self) -> None:
        self.cancel_timer()
        for sink in self.sinks:
            sink.close()

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def readable(piece: bytes) -> tuple[str, bytes]:
    """The text, and the bytes too if it cannot tell them."""
    try:
        return piece.decode(), b""
    except UnicodeDecodeError:
        return piece.decode("utf-8", "replace"), piece
