"""`ChunkStream`: the results of a map over an actor that runs one call at a time, many calls to a message.

A call record costs more than a small call; here one record stands for a chunk of them.  Each call still has a
message id of its own, begins and ends on its own, and fails alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

import trio
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from . import lifecycle
from .call import Call
from .checks import check_fields
from .errors import CallError
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

    def flaw(self, error: Exception) -> None:
        """One call of the chunk has failed; the others go on."""
        self.put([Flaw(error, fatal=False)])
        self.owed += 1

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

    def rewind(self) -> None:
        """The guest died: what has no result yet is sent again."""
        if self.done:
            self.first += self.done
            self.inputs, self.done = self.inputs[self.done :], 0
            self.ahead = len(self.inputs)
            self.call.deaths = self.call.deaths[-1:]
            self.call.payload, self.call.code = self.stream.encode(self.inputs, self.call, self.first)
        self.owed = self.begun = 0

    def settled(self, call: Call) -> None:
        self.stream.chunk_ended(self, call)


class ChunkStream(Readable[R_co]):
    """The results of one method called with each of `items`, in their order; to its user a `MapStream`."""

    __slots__ = (
        "chunks", "clock", "encode", "errors", "held", "items", "make", "open", "out", "size", "task", "turn", "window",
    )  # fmt: skip

    def __init__(
        self,
        make: Callable[[list[Any]], Call],
        encode: Callable[[list[Any], Call, int], tuple[Any, Any]],
        items: Iterable[Any],
        window: int,
        errors: Literal["raise", "return"],
    ) -> None:
        self.make = make
        self.encode = encode
        self.items: Iterator[Any] | None = iter(items)
        self.window = window
        self.errors = errors
        check_fields(self, CHECKS)
        self.chunks: deque[Chunk | Flaw] = deque()  # in the order of their items
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
        """Make a call of a chunk; where one of its items cannot travel, of each item."""
        self.out += len(inputs)
        try:
            call = self.make(inputs)
            chunk = Chunk(self, inputs, call)
            call.mailbox.put(call)
        except Exception as error:
            if len(inputs) > 1:
                self.out -= len(inputs)
                for at, item in enumerate(inputs):
                    self.send([item], place + at)
            else:
                self.chunks.insert(place, Flaw(error, fatal=False))
        else:
            self.chunks.insert(place, chunk)

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
            if isinstance(chunk, Chunk):
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


def tell_unseen(chunk: Chunk) -> None:
    """Failures that nobody took are told as events."""
    mailbox = chunk.call.mailbox
    for item in chunk.items:
        if item.__class__ is Flaw:
            lost = Call(mailbox, chunk.call.method, getattr(item.error, "call_id", 0), None, None, False, 0)
            lost.error = item.error
            mailbox.house.unseen(lost)


def chunk_with(id: int, sent: dict[int, Call]) -> Call | None:
    """The record of the chunk to which a call belongs, by its id."""
    for call in sent.values():
        if isinstance(call.ref, Chunk) and call.id <= id < call.id + MOST:
            return call
    return None
