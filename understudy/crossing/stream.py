"""Streams from the runtime's thread: items come over in batches, and no more than `AHEAD` before they are wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

import trio

from ..actors.errors import NoRuntimeError
from ..actors.method import ActorMethod
from ..actors.ref import ObjectRef
from ..actors.stream import RefStream, Stream
from ..actors.streaming import StreamMethod, on_handle
from ..supervisors.events import HELD, EventReader
from ..supervisors.house import RuntimeHouse
from ..transports.guests.protocol import STREAM
from ..transports.guests.weights import ROOM, TEXTS
from .crossing import Crossing, begin
from .ref import FarRef
from .waiters import Gate, ThreadWaiter, Waiter

if TYPE_CHECKING:
    from typing import Self

    from ..actors.mailbox import Mailbox

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")
F_co = TypeVar("F_co", bound=Callable[..., Any], covariant=True)
P = ParamSpec("P")

AHEAD = 64  # items that wait for their reader


class Source(Protocol):
    """What is read in the runtime's thread: a stream, a reader of events."""

    def __aiter__(self) -> AsyncIterator[Any]: ...
    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *details: object) -> Any: ...


class Pump:
    """The side in the runtime's thread: a task that reads the source while there is room."""

    ahead = AHEAD

    def __init__(self, crossing: Crossing, source: Callable[[], Source]) -> None:
        self.crossing = crossing
        self.source = source
        self.items: deque[Any] = deque()
        self.low = self.ahead // 2  # items; when no more are left, the pump is told
        self.scope = trio.CancelScope()
        self.room = trio.Event()
        self.over = Gate()
        self.error: BaseException | None = None
        self.reader: Waiter | None = None

    def begin(self) -> None:
        nursery = self.nursery()
        try:
            assert nursery is not None
            nursery.start_soon(self.run)
        except RuntimeError:  # the nursery is closed, or its event loop has ended
            self.cut_short()
            self.end()

    def nursery(self) -> trio.Nursery | None:
        return self.crossing.nursery

    async def run(self) -> None:
        try:
            with self.scope:
                async with self.source() as source:
                    await self.read(source)
        except trio.Cancelled:
            self.cut_short()
            raise
        except Exception as error:
            self.error = error
        finally:
            self.end()

    def cut_short(self) -> None:
        """The runtime closes under us."""
        self.error = NoRuntimeError("the runtime was closed before the stream's end")

    async def read(self, source: Source) -> None:
        async for item in source:
            self.items.append(item)
            self.wake()
            most = self.ahead if not isinstance(item, TEXTS) else min(self.ahead, 1 + ROOM // (len(item) + 1))
            self.low = most // 2  # before the look: whoever takes items comes by there, if we wait
            while len(self.items) >= most:
                self.room = trio.Event()
                await self.room.wait()

    def end(self) -> None:
        self.over.open()
        self.wake()

    def wake(self) -> None:
        reader, self.reader = self.reader, None
        if reader is not None:
            reader.wake()

    def go_on(self) -> None:
        self.room.set()

    def cancel(self) -> None:
        self.scope.cancel()


class EventPump(Pump):
    """Reads the runtime's events to the very last, which comes when all else has ended."""

    ahead = HELD

    def __init__(self, crossing: Crossing, house: RuntimeHouse, reader: EventReader) -> None:
        super().__init__(crossing, lambda: reader)
        self.house = house
        self.reader_there = reader

    def nursery(self) -> trio.Nursery:
        return self.house.nursery

    def cut_short(self) -> None:
        self.items.extend(self.reader_there.held)


class FarStream(Generic[R_co]):
    """Items as they come, for `async for` in any loop and for `for` in any thread; to be read by one at a time.

    Example:
        async with counter.numbers(1000) as numbers:
            async for n in numbers:
                ...

    Leaving the block, `aclose()`, `close()` or dropping the stream ends it at its source at once.  If you are
    cancelled while you wait for an item, the stream stays open and no item is lost.
    """

    def __init__(self, pump: Pump) -> None:
        self.crossing = pump.crossing
        self.pump = pump
        self.items = pump.items
        self.begun = False
        self.closed = False
        self.waiting = False  # somebody waits for the next item

    def begin(self) -> None:
        if not self.begun:
            self.crossing.check()
            self.begun = True
            self.crossing.post(begin, self.pump)

    def take(self) -> Any:
        item = self.items.popleft()
        if len(self.items) == self.pump.low:
            self.crossing.post(Pump.go_on, self.pump)
        return item

    def must_wait(self, waiter: Waiter) -> bool:
        if self.waiting:
            raise trio.BusyResourceError("somebody else waits for the next item of this stream")
        self.pump.reader = waiter  # before the look: either we see the item, or its sender sees us
        return not self.items and not self.pump.over.over

    def at_end(self) -> bool:
        """Has the last item been taken?  Raises what ended the stream, once."""
        if self.items or not (self.closed or self.pump.over.over):
            return False
        error, self.pump.error = self.pump.error, None
        if error is not None and not self.closed:
            raise error
        return True

    # -- in a loop ------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R_co:
        self.begin()
        while not self.items:
            if self.at_end():
                raise StopAsyncIteration
            waiter = self.crossing.waiter()
            if self.must_wait(waiter):
                self.waiting = True
                try:
                    await waiter.wait()
                finally:
                    self.waiting = False
        return self.take()  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        """End the stream, and wait until its source is closed.  Idempotent."""
        self.close()
        if self.begun:
            await self.crossing.passed(self.pump.over)

    async def __aenter__(self) -> Self:
        self.begin()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.aclose()

    # -- in a thread ----------------------------------------------------------------------------

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R_co:
        self.begin()
        while not self.items:
            if self.at_end():
                raise StopIteration
            self.crossing.refuse_own_thread()
            waiter = ThreadWaiter()
            if self.must_wait(waiter):
                self.waiting = True
                try:
                    waiter.wait()
                finally:
                    self.waiting = False
        return self.take()  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the stream, without waiting for that.  Idempotent."""
        self.closed = True
        self.items.clear()
        self.crossing.post(Pump.cancel, self.pump)

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *details: object) -> None:
        self.close()
        self.crossing.sleep(self.pump.over)

    def __del__(self) -> None:
        if getattr(self, "begun", False) and not self.pump.over.over:
            self.crossing.post(Pump.cancel, self.pump)


class FarStreamMethod(StreamMethod[F_co]):
    # A method that is a generator, on a far handle; without docstrings, so that editors show the user's own.
    __slots__ = ("crossing",)

    def __init__(self, method: ActorMethod[Any], crossing: Crossing) -> None:
        super().__init__(method)
        self.crossing = crossing

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        stream: FarStream[Any] = FarStream(Pump(self.crossing, self.source(args, kwargs)))
        return stream

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        method, source = self.method, self.source(args, kwargs)
        method.mailbox.check_limit(method)
        crossing = self.crossing
        stream: FarStream[Any] = FarStream(Pump(crossing, lambda: FarRefs(crossing, RefStream(source()))))
        stream.begin()
        return stream

    def source(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Stream[Any]]:
        method = self.method
        method.check(*args, **kwargs)
        call = method.mailbox.make(STREAM, method, args, kwargs)
        return lambda: Stream(call, self.ahead)

    def options(self, **options: Any) -> Any:
        return type(self)(self.method.options(**options), self.crossing)


class FarRefs:
    """A stream of refs as refs for other threads."""

    def __init__(self, crossing: Crossing, refs: RefStream[Any]) -> None:
        self.crossing = crossing
        self.refs = refs

    def __aiter__(self) -> AsyncIterator[ObjectRef[Any]]:
        return self

    async def __anext__(self) -> ObjectRef[Any]:
        near = await anext(self.refs)
        near.seen = True  # whether somebody sees its failure is the far ref's business now
        return FarRef(near.call, self.crossing)

    async def __aenter__(self) -> Self:
        await self.refs.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.refs.__aexit__(*details)


def far_method(
    mailbox: Mailbox, crossing: Crossing, name: str, function: Callable[..., Any]
) -> ActorMethod[Any] | StreamMethod[Any]:
    """A method as a far handle offers it."""
    method = on_handle(mailbox, name, function)
    return FarStreamMethod(method.method, crossing) if isinstance(method, StreamMethod) else method
