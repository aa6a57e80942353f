"""`ChunkStream`: the results of a map over an actor that runs one call at a time, many calls to a message.

A call record costs more than a small call; here one record stands for a chunk of them.  Each call still has a
message id of its own, begins and ends on its own, and fails alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import trio
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from . import lifecycle
from .checks import check_fields
from .leaving import cancelled
from .mapping import CHECKS, Flaw
from .stream import Feed

if TYPE_CHECKING:
    from typing import Literal, Self

    from .call import Call

R_co = TypeVar("R_co", covariant=True)

WINDOW = 1024  # calls sent whose results nobody has taken
MOST = 256  # calls in one chunk
TURN = 2e-3  # seconds that a chunk should take, for it holds the actor's turn
GO = 64  # results taken in one go, after which the other tasks get their turn


class Chunk(Feed):
    """What the record of a chunk holds: its inputs, and the results that have come."""

    __slots__ = ("done", "first", "inputs", "stream")

    def __init__(self, stream: ChunkStream[Any], inputs: list[Any], call: Call) -> None:
        super().__init__(call, ahead=len(inputs))
        self.stream = stream
        self.inputs = inputs
        self.done = 0
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

    def rewind(self) -> None:
        """The guest died: what has no result yet is sent again."""
        if self.done:
            self.first += self.done
            self.inputs, self.done = self.inputs[self.done :], 0
            self.ahead = len(self.inputs)
            self.call.deaths = self.call.deaths[-1:]
            self.call.payload, self.call.code = self.stream.encode(self.inputs, self.call, self.first)
        self.owed = 0

    def settled(self, call: Call) -> None:
        self.stream.chunk_ended(self, call)


class ChunkStream(Generic[R_co]):
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
        while self.items is not None and self.out + self.size <= max(self.window, 1):
            inputs: list[Any] = []
            try:
                inputs += islice(self.items, self.size)
            except Exception as error:
                self.items = None
                self.chunks.append(Flaw(error, fatal=True))
                return
            if len(inputs) < self.size:
                self.items = None
            if inputs:
                self.send(inputs, len(self.chunks))

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
            self.size = max(1, min(MOST, 2 * self.size, int(TURN / each)))
        self.clock = now
        if call.error is not None and self.open:
            left = chunk.inputs[chunk.done + 1 :]
            chunk.items.append(Flaw(cast("Exception", call.error), fatal=False))
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
        for chunk in left:
            if isinstance(chunk, Chunk):
                chunk.call.mailbox.withdraw(chunk.call, cancelled(chunk.call))

    async def __aenter__(self) -> Self:
        self.fill()
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ChunkStream, {len(self.chunks)} chunks under way>"
