"""`Stream`: the items of a generator method, as they come."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import trio
from msgspec.structs import replace
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from ..transports.guests.context import role, running
from ..transports.guests.weights import MOST, ROOM, Weights
from ..transports.session import ProtocolError
from . import lifecycle
from .chain import claim
from .errors import NEVER_SENT, CallError, GetTimeoutError, TaskCancelledError
from .held import hold
from .reading import Readable
from .reasons import TIMEOUT
from .ref import ObjectRef
from .scope import owner_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ..transports.timers import Timer
    from .call import Call
    from .scope import Owner

R_co = TypeVar("R_co", covariant=True)

GO = 64  # items taken in one go, after which the other tasks get their turn


class Feed:
    """What a stream's call record holds: the items that have come, and who waits for the next."""

    __slots__ = ("ahead", "call", "got", "items", "owed", "owner", "step", "task", "timer", "weights")

    def __init__(self, call: Call, ahead: int) -> None:
        self.call = call
        self.ahead = ahead
        self.step = ahead // 2  # once more items than these were taken, the actor is told
        self.weights: Weights | None = None
        self.items: deque[Any] = deque()
        self.task: trio.lowlevel.Task | Callable[[], None] | None = None  # who waits, or is to be told
        self.owed = 0  # items that have come, less those the actor was told of
        self.got = False  # an item has come: from now on it cannot be tried again
        self.timer: Timer | None = None
        self.owner: Owner | None = None
        call.ref = self

    def put(self, values: list[Any]) -> None:
        """Items have come."""
        self.got = True
        self.items += values
        self.wake()

    def check_room(self) -> None:
        """Raise ProtocolError if no item should come, for want of room."""
        if self.weights is not None and self.weights.bytes > MOST:
            ahead = f"{self.weights.bytes:,} bytes of others, where {ROOM:,} may be ahead"
            raise ProtocolError(f"an item of call {self.call.id} beside {ahead}")

    def weigh(self, items: int, size: int) -> None:
        """So many items have come, of so many bytes."""
        weights = self.weights
        if weights is None:
            weights = self.weights = Weights()
        weights.give(items, size)
        self.step = self.owed // 4 if self.heavy else self.ahead // 2

    @property
    def heavy(self) -> bool:
        """Must the actor be told soon of what was taken, since it may wait for room?"""
        return self.weights is not None and self.weights.bytes * 2 > ROOM

    def taken(self, items: int) -> None:
        """Somebody took so many, and the actor is told."""
        self.owed -= items
        if self.weights is not None:
            self.weights.take(items)

    def outlives(self, error: Exception) -> bool:
        """The actor died; True if only a part of the call did."""
        return False

    def rewind(self) -> list[Call]:
        """The call is to be sent again; returns what is to be sent."""
        self.owed = 0
        return [self.call]

    def settled(self, call: Call) -> None:
        """The call has ended: no item will follow."""
        if self.owner is not None:
            self.owner.release(call)
            self.owner = None
        self.wake()

    def move(self, call: Call, owner: Owner | None) -> None:
        """Give the call another owner, who ends it at the latest; None is the runtime."""
        if self.owner is not None:
            self.owner.release(call)
        self.owner = owner
        if owner is not None:
            owner.take(call)

    def wake(self) -> None:
        if self.task is not None:
            task, self.task = self.task, None
            if isinstance(task, trio.lowlevel.Task):
                reschedule(task)
            else:
                task()

    def grant(self, taken: int) -> None:
        """Tell the actor how many items were taken, so that so many more may come."""
        call = self.call
        receiver = call.mailbox.receiver
        if receiver is not None and call.state is not lifecycle.ENDED:
            receiver.credit(call, taken)

    async def park(self) -> None:
        """Wait until something has come, an item or the end, for as long as the method's `timeout` allows."""
        if self.task is not None:
            raise trio.BusyResourceError("another task waits for the next item of this stream")
        self.task = current_task()
        self.timer = self.arm()
        try:
            await wait_task_rescheduled(self.leave)
        finally:
            if self.timer is not None:
                self.timer.cancel()

    def leave(self, _: Any) -> Abort:
        self.task = None
        return Abort.SUCCEEDED

    def arm(self) -> Timer | None:
        seconds = self.call.method.timeout
        if seconds is None:
            return None
        return self.call.mailbox.house.stage.timers.after(seconds, self.late)

    def late(self) -> None:
        call = self.call
        receiver = call.mailbox.receiver
        if receiver is not None and receiver.held:
            self.timer = self.arm()
            return
        name = call.method.name
        text = (
            f"the next item of {name}() from {call.mailbox.label} did not come within {call.method.timeout} s"
        )
        call.mailbox.withdraw(call, GetTimeoutError(text, NEVER_SENT, call.id, name), TIMEOUT)

    def close(self, why: str) -> None:
        call = self.call
        if not call.ended:
            name = call.method.name
            text = f"the stream of {name}() from {call.mailbox.label} {why}"
            call.mailbox.withdraw(call, TaskCancelledError(text, NEVER_SENT, call.id, name))


class Stream(Readable[R_co]):
    """Items of a method that is a generator, to be iterated over once.

    Nothing is sent before the first item is asked for.  The actor runs at most `ahead` items ahead of you, an
    option of the method; the stream holds the actor's turn until it ends.

    Example:
        async with counter.numbers(1000) as numbers:
            async for n in numbers:
                ...

    Leaving the block, `aclose()`, or dropping the stream closes the generator in the actor at once.  If you
    are cancelled while you wait for an item, the stream stays open and no item is lost.

    Raises:
        TaskError: what the generator raised, where it raised it.
        ActorError: if the actor died; a stream is tried again only before its first item.
        GetTimeoutError: if one item took longer than the method's `timeout`.
    """

    __slots__ = ("__weakref__", "begun", "feed", "items", "taken", "told", "turn")

    def __init__(self, call: Call, ahead: int) -> None:
        self.feed = Feed(call, ahead)
        self.items = self.feed.items
        self.begun = False
        self.told = False  # its error has been raised
        self.taken = 0  # items taken since the actor was last told
        self.turn = 0

    @property
    def call(self) -> Call:
        return self.feed.call

    @property
    def watcher(self) -> Feed:
        """As a ref's: by it a stream that is part of a result is handed up."""
        return self.feed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R_co:
        items = self.items
        self.turn += 1
        if not items:
            await self.wait()
        elif self.turn % GO == 0:
            await trio.lowlevel.checkpoint()
        self.taken += 1
        if self.taken > self.feed.step:
            self.grant()
        return items.popleft()  # type: ignore[no-any-return]

    def grant(self) -> None:
        """Tell the actor of what was taken."""
        taken, self.taken = self.taken, 0
        self.feed.grant(taken)

    async def wait(self) -> None:
        """Wait until there is an item; raises what ended the stream, or StopAsyncIteration."""
        self.begin()
        call = self.feed.call
        while not self.items:
            if call.state is lifecycle.ENDED:
                await trio.lowlevel.checkpoint()
                self.told, error = True, None if self.told else call.error
                raise StopAsyncIteration if error is None else error
            if self.taken and self.feed.heavy:
                self.grant()
            await self.feed.park()

    def begin(self) -> None:
        """Send the call, if that has not been done."""
        if not self.begun:
            call = self.feed.call
            if running.call is not None or role.get() is not None:
                claim(call)
                self.feed.move(call, owner_here())
            self.begun = True
            hold(call)
            call.mailbox.put(call)

    async def aclose(self) -> None:
        """Close the stream: no item follows, and the generator is closed at once.  Idempotent."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        self.items.clear()
        self.begun = self.told = True
        self.feed.close("was closed")

    async def __aenter__(self) -> Self:
        self.begin()
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Nobody can ask any more; this may run anywhere, in the middle of anything.
        feed = getattr(self, "feed", None)
        if feed is not None and self.begun and not self.told:
            feed.call.mailbox.house.stage.soon(abandoned, feed)

    def __repr__(self) -> str:
        return f"<Stream of {self.feed.call!r}>"


def abandoned(feed: Feed) -> None:
    """A stream was dropped: close it, or tell of a failure that nobody saw."""
    call = feed.call
    if call.ended and call.error is not None:
        call.mailbox.house.unseen(call)
    feed.close("was dropped")


class RefStream(Readable["ObjectRef[R_co]"], Generic[R_co]):
    """The items of a generator method as ObjectRefs, Ray's way; an error is the last ref's.

    Sent at once, and closed like a `Stream`.
    """

    __slots__ = ("stream",)

    def __init__(self, stream: Stream[R_co]) -> None:
        self.stream = stream
        stream.begin()

    @property
    def call(self) -> Call:
        return self.stream.feed.call

    @property
    def watcher(self) -> Feed:
        return self.stream.feed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ObjectRef[R_co]:
        stream, call = self.stream, self.stream.feed.call
        try:
            value = await anext(stream)
        except CallError as error:
            return ref_of(call, None, error)
        return ref_of(call, value, None)

    async def aclose(self) -> None:
        """Close the stream.  Idempotent."""
        await self.stream.aclose()

    def close(self) -> None:
        self.stream.close()

    async def __aenter__(self) -> Self:
        await self.stream.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        self.stream.close()

    def __repr__(self) -> str:
        return f"<RefStream of {self.stream.feed.call!r}>"


def ref_of(call: Call, value: Any, error: CallError | None) -> ObjectRef[Any]:
    """A ref of one item, which is there already."""
    item = replace(call, state=lifecycle.ENDED, value=value, error=error, ref=None)
    return ObjectRef(item, call.mailbox.house)
