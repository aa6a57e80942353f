"""The ends of a channel in the process of who opened it, and the tickets with which they travel."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

import trio

from ..transports.guests import pickles
from .channel import ReceiveChannel, SendChannel
from .channel_errors import (
    CLOSED_HERE,
    NO_RECEIVER,
    BrokenChannelError,
    ChannelEnded,
    ClosedChannelError,
    error_for,
)
from .channel_store import GO, LIGHT, TEXTS, Store
from .channel_ticket import RECEIVE, SEND, Member, Ticket, tickets
from .errors import NoRuntimeError
from .guest_channel import end_at
from .guest_end import HOME
from .queue_errors import Empty, Full

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)

BLOCKING = "in a task a channel is read by `async for` and await receive(); plain `for` is for methods of actors elsewhere"

NO_TASK = (
    "understudy.open_channel() is for tasks of trio, and none runs here: under asyncio write aio.open_channel(...), in plain"
    " code and methods that are not async blocking.open_channel(...), with a runtime of that door open"
)


def make_ends(capacity: int, max_bytes: int) -> tuple[HostSend[Any], HostReceive[Any]]:
    """The first two ends of a new channel; raises NoRuntimeError where no task of trio could use them."""
    store = checked_store(capacity, max_bytes)
    if not trio.lowlevel.in_trio_run():
        raise NoRuntimeError(NO_TASK)
    return HostSend(store), HostReceive(store)


def checked_store(capacity: int, max_bytes: int) -> Store:
    """What is in a new channel: nothing; raises ValueError."""
    for name, value, least in (("capacity", capacity, 0), ("max_bytes", max_bytes, 1)):
        if type(value) is not int or value < least:
            raise ValueError(f"{name} of a channel must be a count, {least} or more, not {value!r}")
    return Store(capacity, max_bytes)


class HostEnd(Member):
    """What both ends have in common."""

    __slots__ = ("__weakref__", "_closed")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._closed = False
        self._join()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._store.leave_from_anywhere(self._members(), self._number, "")

    def clone(self) -> Any:
        self._check()
        return type(self)(self._store)

    def _check(self) -> None:
        if self._closed:
            raise ClosedChannelError(CLOSED_HERE)

    def __reduce__(self) -> Any:
        return end_at, self.take_ticket()

    def take_ticket(self) -> tuple[int, int]:
        """Have a ticket travel with what is being encoded; returns what names it there."""
        ticket = self.ticket()
        pickles.along({-ticket.number: ticket})
        return self.direction, ticket.number

    def ticket(self) -> Ticket:
        self._check()
        return Ticket(self._store, self.direction)

    def __repr__(self) -> str:
        store = self._store
        return f"<{type(self).__name__}, {len(store.items)} of {store.capacity} items{', closed' if self._closed else ''}>"


class HostSend(HostEnd, SendChannel[T_contra]):
    """Where items are put in."""

    __slots__ = ()

    direction = SEND

    async def send(self, item: T_contra) -> None:
        store = self._store
        store.turn += 1
        if not store.turn & GO:
            await trio.lowlevel.checkpoint()
        if self._closed or not store.receivers:
            raise self._refusal()
        kept: Any = item
        if kept.__class__ in TEXTS and len(kept) >= LIGHT:
            kept = store.weighed(item)
        if kept is item and store.free > 0 and not store.putters and not store.bytes:
            store.free -= 1  # as `add`, without the calls
            store.items.append(item)
            if store.getters:
                store.feed()
        elif store.putters or store.full:
            await trio.lowlevel.checkpoint_if_cancelled()
            await store.wait_room(kept)
        else:
            store.add(kept)

    def send_nowait(self, item: T_contra) -> None:
        store = self._store
        if self._closed or not store.receivers:
            raise self._refusal()
        if store.putters or store.full:
            raise Full(f"the channel has room for {store.capacity} items, and all of it is taken")
        store.add(store.weighed(item))

    def _refusal(self) -> Exception:
        return ClosedChannelError(CLOSED_HERE) if self._closed else BrokenChannelError(NO_RECEIVER)


class HostReceive(HostEnd, ReceiveChannel[T_co]):
    """Where items are taken out."""

    __slots__ = ()

    direction = RECEIVE

    async def receive(self) -> T_co:
        store = self._store
        store.turn += 1
        if not store.turn & GO:
            await trio.lowlevel.checkpoint()
        if self._closed:
            raise ClosedChannelError(CLOSED_HERE)
        if store.items:
            return store.take()  # type: ignore[no-any-return]
        await trio.lowlevel.checkpoint_if_cancelled()
        if store.ended:
            raise error_for(*store.end)
        return await store.wait_item()  # type: ignore[no-any-return]

    def put_back(self, item: Any) -> None:
        """An item that was taken, for somebody who does not get it."""
        store = self._store
        store.free -= 1
        store.items.appendleft(item)
        store.feed()

    def receive_nowait(self) -> T_co:
        store = self._store
        self._check()
        if store.items:
            return store.take()  # type: ignore[no-any-return]
        if store.ended:
            raise error_for(*store.end)
        raise Empty("the channel is empty")

    async def __anext__(self) -> T_co:
        store = self._store
        if store.items and not self._closed and store.turn & GO != GO:
            store.turn += 1
            return store.take()  # type: ignore[no-any-return]
        try:
            return await self.receive()
        except ChannelEnded:
            raise StopAsyncIteration from None

    def __next__(self) -> NoReturn:
        raise TypeError(BLOCKING)


def closed_end(direction: int, number: int) -> HostEnd:
    """What stands for the end in a dead letter: it is closed, as the letter is not to keep the channel open."""
    ticket = tickets.get(number)
    store = ticket.store if ticket is not None else Store(0, 1)
    kind: Any = HostReceive if direction == RECEIVE else HostSend
    end: HostEnd = kind.__new__(kind)
    end._store, end._closed = store, True  # pyright: ignore[reportPrivateUsage]
    return end


HOME["end"] = closed_end
