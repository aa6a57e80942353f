"""The play: readers on the stage under fire, one in the wings out of it, and everything written down."""

from __future__ import annotations

import math
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from ..actors.deadletter import DeadLetter
from ..actors.errors import ActorError, CallError, GetTimeoutError
from ..actors.verbs import get_actor, statistics, wait_ready
from ..supervisors.runtime import open_runtime
from ..supervisors.spec import Supervisor
from ..testing.injection import Injector
from .account import Account
from .chaos import Chaos
from .corpus import Corpus, Piece, passes
from .measure import PATIENCE, Reader
from .score import BEAT, Score

if TYPE_CHECKING:
    from ..actors.actor import Handle

BACKLOG = 4  # calls each reader has before it: one that runs, others that a death must return

Onlooker = Callable[["Play"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How it is played; `patience` is the seconds a file may take."""

    workers: int = 2
    kills: float = 10.0
    seed: int = 0
    duration: float | None = None
    patience: float = PATIENCE


@dataclass(slots=True)
class Seat:
    """A reader and the pieces before it, the one it reads first."""

    path: str
    reader: Handle[Reader]
    pieces: deque[Piece] = field(default_factory=deque[Piece])


class Play:
    """One performance, and what is left of it afterwards."""

    def __init__(self, settings: Settings, corpus: Corpus) -> None:
        self.settings = settings
        self.corpus = corpus
        self.account = Account()
        self.injector = Injector()
        self.score = Score()
        self.source = passes(corpus, again=settings.duration is not None)
        self.until = math.inf if settings.duration is None else self.score.began + settings.duration
        self.again: deque[Piece] = deque()
        self.seats: list[Seat] = []
        self.wings: Seat
        self.turn = 1
        self.stopped = False
        self.letters: list[DeadLetter] = []

    def plan(self) -> Supervisor:
        reader = Reader.options(call_timeout=self.settings.patience)
        stage = (
            reader.options(id=f"reader-{number}").child(self.corpus.root)
            for number in range(1, self.settings.workers + 1)
        )
        return Supervisor(
            Supervisor(*stage, id="stage"), reader.options(id="wings").child(self.corpus.root), id="theatre"
        )

    async def perform(self, look_on: Onlooker) -> None:
        """Play until every file is accounted for, time is up, or Ctrl-C."""
        async with open_runtime(self.plan()) as runtime:
            paths = [f"stage/reader-{number}" for number in range(1, self.settings.workers + 1)]
            self.seats = [Seat(path, get_actor(path, Reader)) for path in paths]
            self.wings = Seat("wings", get_actor("wings", Reader))
            chaos = Chaos([seat.reader for seat in self.seats], self.injector, self.settings.seed)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.score.watch, runtime)
                nursery.start_soon(self.keep_time)
                nursery.start_soon(self.hear_ctrl_c, nursery)
                nursery.start_soon(chaos.wreak, self.settings.kills)
                nursery.start_soon(look_on, self)
                await self.read_all()
                nursery.cancel_scope.cancel()
            self.score.ended = trio.current_time()
            self.account.leave()
            self.letters = list(runtime.dead_letters)

    async def keep_time(self) -> None:
        """Note how many files each beat settled."""
        while True:
            before = self.settled
            await trio.sleep(BEAT)
            self.score.curve.append(self.settled - before)

    @property
    def settled(self) -> int:
        return self.account.results + len(self.account.buried)

    async def hear_ctrl_c(self, nursery: trio.Nursery) -> None:
        """The first Ctrl-C ends the play in good order; a second one is Python's own."""
        with trio.open_signal_receiver(signal.SIGINT) as signals:
            async for _ in signals:
                self.stopped = True
                return nursery.cancel_scope.cancel()

    # -- reading --------------------------------------------------------------------------------

    async def read_all(self) -> None:
        send, receive = trio.open_memory_channel[Piece](math.inf)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.look_twice, receive)
            async with send:
                for seat in self.seats * BACKLOG:
                    nursery.start_soon(self.feed, seat, send.clone())

    def next_piece(self) -> Piece | None:
        """What is to be read next; None when there is no more."""
        if self.again:
            return self.again.popleft()
        piece = next(self.source, None) if trio.current_time() < self.until else None
        if piece is not None:
            self.turn = piece.turn
            self.account.hand_out(piece)
        return piece

    async def feed(self, seat: Seat, wings: trio.MemorySendChannel[Piece]) -> None:
        async with wings:
            while (piece := self.next_piece()) is not None:
                seat.pieces.append(piece)
                await self.read(seat, piece, wings)
                seat.pieces.remove(piece)

    async def read(self, seat: Seat, piece: Piece, wings: trio.MemorySendChannel[Piece]) -> None:
        """Have a piece read under fire."""
        try:
            self.account.result(piece, await seat.reader.measure(piece.name))
        except GetTimeoutError as late:
            # A call that never began has lost its time to the one before it.  Of one that began nobody knows
            # whether the file or the fire took its time: it is read once more where nobody shoots.
            if late.safe_to_retry:
                self.account.sent_again += 1
                self.again.append(piece)
            else:
                self.account.second_looks += 1
                wings.send_nowait(piece)
        except CallError as error:
            self.failed(piece, error)

    async def look_twice(self, pieces: trio.MemoryReceiveChannel[Piece]) -> None:
        async for piece in pieces:
            self.wings.pieces.append(piece)
            await self.look_again(piece, self.settings.patience)
            self.wings.pieces.remove(piece)

    async def look_again(self, piece: Piece, patience: float) -> None:
        """Have a piece read alone and out of fire: if its time runs out here too, it has no end."""
        reader = self.wings.reader
        while True:
            await wait_ready(reader)
            before = statistics(reader).incarnation
            try:
                return self.account.result(piece, await reader.measure.options(timeout=patience)(piece.name))
            except GetTimeoutError:
                if statistics(reader).incarnation == before:
                    return self.account.interrupt(piece)
                patience *= 2  # its restarts took the time
            except CallError as error:
                return self.failed(piece, error)

    def failed(self, piece: Piece, error: CallError) -> None:
        if isinstance(error, ActorError):
            self.account.bury(piece, error.call_id)
        else:
            self.account.fail(piece, error)
