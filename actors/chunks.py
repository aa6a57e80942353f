"""`ChunkStream`: the results of a map over an actor that runs one call at a time, many calls to a message.

A call record costs more than a small call; here one record stands for a chunk of them.  Each call still has a
message id of its own, begins and ends on its own, and fails alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import trio
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from . import lifecycle
from .call import Call
from .checks import check_fields
from .errors import CallError
from .held import hold
from .leaving import cancelled
from .mapping import CHECKS, Flaw
from .reading import Readable
from .stream import Feed

if TYPE_CHECKING:
    from typing import Literal, Self

    from ..transports.page import Page


R_co = TypeVar("R_co", covariant=True)

WINDOW = 1024  # calls sent whose results nobody has taken
MOST = 256  # calls in one chunk
TURN = 2e-3  # seconds that a chunk should take, for it holds the actor's turn
GO = 64  # results taken in one go, after which the other tasks get their turn


class Chunk(Feed):
    """What the record of a chunk holds: its inputs, and the results that have come."""

    __slots__ = ("begun", "done", "first", "inputs", "stream")

    def __init__(self, stream: ChunkStream[Any], inputs: list[Any], call: Call) -> None:
        super().__init__(call, ahead=len(inputs))
        self.stream = stream
        self.inputs = inputs
        self.done = 0
        self.begun = 0  # as far as is known; more than done when the guest dies
        self.first = 0  # inputs that had their results before the guest died and the rest was sent again

    def put(self, values: list[Any]) -> None:
        self.done += len(values)
        self.owed -= len(values)
        self.items += values
        self.stream.wake()

    def has(self, id: int) -> bool:
        """Does the call of this id belong to it?"""
        return 0 <= id - self.call.id - self.first < len(self.inputs)

    def weigh(self, items: int, size: int) -> None:
        """They are as many as its inputs."""

    def flaw(self, error: Exception) -> None:
        """One call of the chunk has failed; the others go on."""
        self.put([Flaw(error, fatal=False)])
        self.owed += 1
        if self.call.ended:
            tell_unseen(self)

    def reached(self, page: Page | None) -> int:
        """Note how many the guest has begun, as its page tells; returns how many have their results."""
        size = len(self.inputs)
        self.begun = size if page is None else min(size, page.progress + 1 - self.call.position)
        return self.done

    def outlives(self, error: Exception) -> bool:
        """The guest died: what had begun has failed; True if the rest is to be sent again, in its place."""
        call = self.call
        begun = max(self.begun, self.done + 1)
        if self.stream.errors == "raise" or begun >= len(self.inputs) or call.mailbox.closed is not None:
            return False
        while self.done < begun:
            self.flaw(error)
        call.attempt, call.deaths = 1, ()  # of the rest, none has been tried
        return True

    def rewind(self) -> list[Call]:
        """The guest died: what has no result yet is sent again, and apart from that what was not tried."""
        call, done = self.call, self.done
        tried = max(self.begun, done + 1) if call.attempt > 1 else len(self.inputs)
        again = [call]
        if tried < len(self.inputs):
            again.append(self.split(tried))
        if done or len(again) > 1:
            self.first += done
            self.inputs, self.done = self.inputs[done:tried], 0
            self.ahead = len(self.inputs)
            if done:
                call.deaths = call.deaths[-1:]
            call.payload, call.code = self.stream.maker.payload(self.inputs, call, self.first)
        self.owed = self.begun = 0
        return again

    def split(self, tried: int) -> Call:
        """A call of what comes after so many inputs, which has one attempt less behind it."""
        call, stream = self.call, self.stream
        rest = Call(call.mailbox, call.method, call.id + self.first + tried, None, None, False, call.parent)
        rest.attempt, rest.deaths = call.attempt - 1, call.deaths[:-1]
        chunk = Chunk(stream, self.inputs[tried:], rest)
        rest.payload, rest.code = stream.maker.payload(chunk.inputs, rest, 0)
        stream.chunks.insert(stream.chunks.index(self) + 1, chunk)
        return rest

    def settled(self, call: Call) -> None:
        self.stream.chunk_ended(self, call)


class Single:
    """An item that travels alone, since it is or has a ref, for which its call waits."""

    __slots__ = ("call", "items", "stream")

    leaving = False

    def __init__(self, stream: ChunkStream[Any], call: Call) -> None:
        self.stream = stream
        self.call = call
        self.items: deque[Any] = deque()
        call.ref = self
        if call.ended:
            self.settled(call)

    def settled(self, call: Call) -> None:
        self.items.append(
            call.value if call.error is None else Flaw(cast("Exception", call.error), fatal=False)
        )
        self.stream.wake()


class Maker(Protocol):
    """Makes the calls of a map."""

    def make(self, inputs: list[Any], /) -> Call: ...
    def alone(self, item: Any, /) -> Call: ...
    def has_refs(self, item: Any, /) -> bool: ...
    def may_have_refs(self, inputs: list[Any], /) -> bool: ...
    def payload(self, inputs: list[Any], call: Call, first: int, /) -> tuple[Any, Any]: ...


class ChunkStream(Readable[R_co]):
    """The results of one method called with each of `items`, in their order; to its user a `MapStream`."""

    __slots__ = (
        "chunks", "clock", "errors", "held", "items", "maker", "open", "out", "size", "task", "turn", "window",
    )  # fmt: skip

    def __init__(
        self,
        maker: Maker,
        items: Iterable[Any],
        window: int,
        errors: Literal["raise", "return"],
    ) -> None:
        self.maker = maker
        self.items: Iterator[Any] | None = iter(items)
        self.window = window
        self.errors = errors
        check_fields(self, CHECKS)
        self.chunks: deque[Chunk | Single | Flaw] = deque()  # in the order of their items
        self.held: deque[Any] = deque()  # the results of the first of them
        self.out = 0  # items made calls of, whose results nobody has taken
        self.open = True
        self.size = 1
        self.clock = 0.0
        self.task: trio.lowlevel.Task | None = None
        self.turn = 0

    # -- what is under way ----------------------------------------------------------------------

    def fill(self) -> None:
        """Send chunks until the window is full or no items are left."""
        while self.items is not None and self.out + min(self.size, self.window) <= self.window:
            size = min(self.size, self.window)
            inputs: list[Any] = []
            flaw: Flaw | None = None
            try:
                inputs.extend(islice(self.items, size))  # keeps what comes before an error
            except Exception as error:
                flaw = Flaw(error, fatal=True)
            if len(inputs) < size:
                self.items = None
            if inputs:
                self.send(inputs, len(self.chunks))
            if flaw is not None:
                self.chunks.append(flaw)

    def send(self, inputs: list[Any], place: int) -> None:
        """Make a call of a chunk; but those of its items that have refs travel alone."""
        self.out += len(inputs)
        parts = [inputs]
        if self.maker.may_have_refs(inputs):
            parts = [list(part) for _, part in groupby(inputs, self.maker.has_refs)]
        for part in parts:
            for sent in self.sent(part):
                self.chunks.insert(place, sent)
                place += 1

    def sent(self, inputs: list[Any]) -> Iterator[Chunk | Single | Flaw]:
        """The calls of these items: one for all or, where one of them cannot travel so, one for each."""
        single = self.maker.has_refs(inputs[0])
        if len(inputs) > 1 and single:
            for item in inputs:
                yield from self.sent([item])
            return
        try:
            call = self.maker.alone(inputs[0]) if single else self.maker.make(inputs)
            sent = Single(self, call) if single else Chunk(self, inputs, call)
            hold(call)
            call.mailbox.put(call)
        except Exception as error:
            if len(inputs) == 1:
                yield Flaw(error, fatal=False)
                return
            for item in inputs:
                yield from self.sent([item])
        else:
            yield sent

    def chunk_ended(self, chunk: Chunk, call: Call) -> None:
        """A chunk's record has ended: all its results are there, or one of its calls ended it."""
        now = perf_counter()
        if self.clock and chunk.done:
            each = (now - self.clock) / chunk.done
            # Half a window at most, so that the actor has work while results are taken.
            self.size = max(1, min(MOST, 2 * self.size, int(TURN / each), self.window // 2))
        self.clock = now
        if call.error is not None and self.open:
            begun = max(chunk.begun, chunk.done + 1)
            left = chunk.inputs[begun:]
            if isinstance(call.error, CallError):
                call.error.call_id = call.id + chunk.first + chunk.done
            flaw = Flaw(cast("Exception", call.error), fatal=False)
            chunk.items.extend([flaw] * (begun - chunk.done))
            if left and self.errors == "return":
                self.out -= len(left)
                self.send(left, self.chunks.index(chunk) + 1)
        self.wake()

    def wake(self) -> None:
        if self.task is not None:
            task, self.task = self.task, None
            reschedule(task)

    # -- results --------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R_co:
        self.turn += 1
        if not self.held or self.turn % GO == 0:
            await self.wait()
        value = self.held.popleft()
        self.out -= 1
        if value.__class__ is Flaw:
            return self.flawed(value)  # type: ignore[no-any-return]
        return value  # type: ignore[no-any-return]

    async def wait(self) -> None:
        """Wait until there is a result; raises StopAsyncIteration when none will come."""
        if self.task is not None:
            raise trio.BusyResourceError("another task waits for the next result of this map")
        self.fill()
        if self.held:
            await trio.lowlevel.checkpoint()
        while not self.held:
            if not self.advance():
                await trio.lowlevel.checkpoint()
                raise StopAsyncIteration
            if not self.held:
                self.task = current_task()
                await wait_task_rescheduled(self.leave)

    def advance(self) -> bool:
        """Go to the first chunk that has results, or will have; False if there is none."""
        while self.chunks:
            first = self.chunks[0]
            if isinstance(first, Flaw):
                self.chunks.popleft()
                self.held = deque([first])
                return True
            self.held = first.items
            if self.held or first.call.state is not lifecycle.ENDED:
                return True
            self.chunks.popleft()
        return False

    def leave(self, _: Any) -> Abort:
        self.task = None
        return Abort.SUCCEEDED

    def flawed(self, flaw: Flaw) -> Any:
        if self.errors == "return" and not flaw.fatal:
            return flaw.error
        self.close()
        try:
            raise flaw.error
        finally:
            del flaw, self  # the traceback holds this frame

    # -- the end --------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Cancel what is under way; no result follows.  Idempotent."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        left, self.chunks, self.items, self.open = self.chunks, deque(), None, False
        self.held = deque()
        self.wake()
        for chunk in reversed(left):  # what waits is not to begin because what runs has ended
            if not isinstance(chunk, Flaw):
                tell_unseen(chunk)
                chunk.call.mailbox.withdraw(chunk.call, cancelled(chunk.call))

    async def __aenter__(self) -> Self:
        self.fill()
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ChunkStream, {len(self.chunks)} chunks under way>"


def tell_unseen(chunk: Chunk | Single) -> None:
    """Failures that nobody took are told as events, once."""
    mailbox = chunk.call.mailbox
    items = list(chunk.items)
    chunk.items.clear()
    for item in items:
        if item.__class__ is Flaw:
            lost = Call(mailbox, chunk.call.method, getattr(item.error, "call_id", 0), None, None, False, 0)
            lost.error = item.error
            mailbox.house.unseen(lost)


def chunk_with(id: int, sent: dict[int, Call]) -> Call | None:
    """The record of the chunk to which a call belongs, by its id."""
    for call in sent.values():
        if isinstance(call.ref, Chunk) and call.ref.has(id):
            return call
    return None
