"""Channels at the doors: the channel is in the runtime's thread, its ends are used in any loop and any thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from ..actors import channel_pair
from ..actors.channel import PlainReceiveChannel, PlainSendChannel
from ..actors.channel_ends import HostReceive, HostSend, checked_store
from ..actors.channel_errors import ChannelEnded
from ..actors.errors import NoRuntimeError
from ..actors.nearby import FAR, marked
from ..actors.spawner import open_spawner

if TYPE_CHECKING:
    from typing import Self

    from ..actors.channel import ReceiveChannel, SendChannel
    from ..actors.channel_store import Store
    from .crossing import Crossing

T = TypeVar("T")
Ends = tuple["SendChannel[Any]", "ReceiveChannel[Any]"]


class Hand:
    """Where an item is put that was taken for somebody elsewhere; who has left by then gets none."""

    def __init__(self, end: HostReceive[Any]) -> None:
        self.end = end
        self.items: list[Any] = []
        self.left = False

    async def take(self) -> Any:
        item: Any = await HostReceive[Any].receive(self.end)
        self.items.append(item)
        if self.left:
            self.put_back()
        return self.items[0] if self.items else None

    def leave(self) -> None:
        """In the runtime's thread: who waited does so no more."""
        self.left = True
        self.put_back()

    def put_back(self) -> None:
        while self.items:
            self.end.put_back(self.items.pop())


class FarSend(HostSend[Any]):
    """Where items are put in, some 50 µs each."""

    __slots__ = ("_crossing",)

    def __init__(self, store: Store, crossing: Crossing) -> None:
        super().__init__(store)
        self._crossing = crossing

    def clone(self) -> Any:
        self._check()
        return type(self)(self._store, self._crossing)

    def send_nowait(self, item: Any) -> None:
        self._crossing.do(super().send_nowait, item)


class FarReceive(HostReceive[Any]):
    """Where items are taken out, some 50 µs each."""

    __slots__ = ("_crossing",)

    def __init__(self, store: Store, crossing: Crossing) -> None:
        super().__init__(store)
        self._crossing = crossing

    def clone(self) -> Any:
        self._check()
        return type(self)(self._store, self._crossing)

    def receive_nowait(self) -> Any:
        return self._crossing.do(super().receive_nowait)


class AioSend(FarSend):
    """For tasks."""

    __slots__ = ()

    async def send(self, item: Any) -> None:
        await self._crossing.perform(super().send, item)


class AioReceive(FarReceive):
    """For tasks."""

    __slots__ = ()

    async def receive(self) -> Any:
        hand = Hand(self)
        try:
            return await self._crossing.perform(hand.take)
        except BaseException:
            self._crossing.post(Hand.leave, hand)
            raise


class PlainSend(FarSend, PlainSendChannel[Any]):
    """For threads."""

    __slots__ = ()

    def send(self, item: Any) -> Any:
        self._crossing.perform_blocking(super().send, item)


class PlainReceive(FarReceive, PlainReceiveChannel[Any]):
    """For threads."""

    __slots__ = ()

    def receive(self) -> Any:
        hand = Hand(self)
        try:
            return self._crossing.perform_blocking(hand.take)
        except BaseException:
            self._crossing.post(Hand.leave, hand)
            raise

    def __next__(self) -> Any:
        try:
            return self.receive()
        except ChannelEnded:
            raise StopIteration from None

    async def __anext__(self) -> NoReturn:
        raise TypeError("a channel of understudy.blocking is read by plain `for`")


for kind in (AioSend, AioReceive, PlainSend, PlainReceive):
    FAR[kind] = marked


def far_ends(capacity: int, max_bytes: int, send: type[FarSend], receive: type[FarReceive]) -> Ends:
    """A channel in the thread of the runtime that is open here; raises NoRuntimeError if that is none of a door."""
    runtime: Any = open_spawner()
    crossing: Crossing | None = getattr(runtime, "crossing", None)
    if crossing is None:
        raise NoRuntimeError("the runtime that is open here is trio's: write understudy.open_channel(...)")
    store = checked_store(capacity, max_bytes)
    # An end is closed by the way that items go: what is sent after that finds it closed.
    store.thread, store.soon, store.find = crossing.thread, crossing.call_soon, runtime.house.find
    return send(store, crossing), receive(store, crossing)


class AioChannel(channel_pair.open_channel[T]):
    """As `understudy.open_channel`, with the same ends, for tasks of asyncio; a runtime must be open."""

    __slots__ = ()
    make: ClassVar[Any] = partial(far_ends, send=AioSend, receive=AioReceive)


class PlainChannel(tuple[PlainSendChannel[T], PlainReceiveChannel[T]]):
    """As `understudy.open_channel`, for threads: `send` and `receive` wait, and plain `for` reads to the end.

    A Ctrl-C ends a wait, and no item is lost.
    """

    __slots__ = ()

    def __new__(cls, capacity: int, *, max_bytes: int = channel_pair.MOST_BYTES) -> Self:
        pair: Self = channel_pair.paired(cls, far_ends(capacity, max_bytes, PlainSend, PlainReceive))
        return pair

    def __init__(self, capacity: int, *, max_bytes: int = channel_pair.MOST_BYTES) -> None:
        """The ends are there."""
