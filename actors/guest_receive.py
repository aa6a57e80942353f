"""The receiving end of a channel, as the methods of a guest use it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

from ..transports.guests import protocol as p
from ..transports.guests.interrupts import whole
from . import errors
from .channel import PlainReceiveChannel, ReceiveChannel
from .channel_errors import ChannelEnded
from .guest_end import GO, RECEIVE, SHORT, GuestEnd, refuse_nowait
from .queue_errors import Empty

if TYPE_CHECKING:
    from ..transports.guests.channels import Office


class GuestReceive(GuestEnd, ReceiveChannel[Any]):
    """Where items are taken out, as they have come."""

    __slots__ = ("acked", "mark")

    direction = RECEIVE

    def __init__(self, ticket: int, office: Office) -> None:
        self.acked: int = 0  # taken, as the host was told
        self.mark = -1  # so many in stock, and more are asked for
        super().__init__(ticket, office)

    def empty(self) -> deque[Any]:
        return deque()

    def come(self, what: list[Any]) -> None:
        self.stock.extend(what)
        self.total += len(what)
        self.asked = max(0, self.asked - len(what))
        self.mark = self.size // 2 if self.size > 1 else -1

    @whole
    def taken(self, item: Any) -> Any:
        """An item was taken: the page knows it, or the host is told."""
        office = self.office
        left = len(self.stock)
        if self.slot >= 0:
            office.page[p.TAKEN + self.slot] = self.total - left
        else:
            self.want()
            office.flush()
        if left == self.mark:
            self.more()
        return item if item.__class__ in SHORT else self.load(item)

    def load(self, item: Any) -> Any:
        try:
            return self.office.guest.values.load(item)
        except Exception as error:
            text = f"an item of a channel cannot be unpickled here: {type(error).__name__}: {error}"
            raise errors.Unsendable(text, errors.BEGUN) from error

    def more(self) -> None:
        """Ask for more before all is used up."""
        with self.office.lock:
            if self.asked == 0 and self.over is None:
                self.grow()
                self.want()
        self.office.flush()

    def want(self, now: bool = False) -> None:
        unsaid, self.unsaid = self.unsaid, 0
        self.acked = self.kept()
        self.office.say(p.WANT, self.number, unsaid, self.acked, int(now))

    def tidy(self) -> bool:
        """Tell what was taken, give back what is not; False if nothing is left to be looked after."""
        if not self.stock and not self.asked and self.acked == self.total:
            return False
        if self.used():
            if self.acked != self.kept():
                self.want()
        elif self.stock or self.asked:
            self.give_back()
            self.acked = self.total
        else:
            self.want()
        return True


class BlockingReceive(GuestReceive, PlainReceiveChannel[Any]):
    """In methods that are not `async`."""

    __slots__ = ()

    @whole
    def receive(self) -> Any:
        while True:
            try:
                item = self.stock.popleft()
            except IndexError:
                self.refused()
                self.wait()
            else:
                return self.taken(item)

    @whole
    def receive_nowait(self) -> Any:
        if not self.stock:
            self.refused()
            self.look()
        try:
            item = self.stock.popleft()
        except IndexError:
            self.refused()
            raise Empty("the channel is empty") from None
        return self.taken(item)

    @whole
    def __next__(self) -> Any:
        try:
            return self.receive()
        except ChannelEnded:
            raise StopIteration from None

    async def __anext__(self) -> NoReturn:
        raise TypeError("in a method that is not async a channel is read by plain `for` and receive()")


class ThreadedReceive(BlockingReceive):
    """In methods that run in several threads."""

    __slots__ = ()

    @whole
    def taken(self, item: Any) -> Any:
        office = self.office
        with office.lock:
            left = len(self.stock)
            if self.slot >= 0:
                office.page[p.TAKEN + self.slot] = self.total - left
            else:
                self.want()
        if self.slot < 0:
            office.flush()
        if left == self.mark:
            self.more()
        return item if item.__class__ in SHORT else self.load(item)


class AsyncReceive(GuestReceive):
    """Items come while other tasks run."""

    __slots__ = ()

    async def receive(self) -> Any:
        office = self.office
        office.turn += 1
        if not office.turn & GO:
            await office.loop.pause()
        while not self.stock:
            self.refused()
            await self.wait_async()
        return self.pop()

    @whole
    def pop(self) -> Any:
        return self.taken(self.stock.popleft())

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except ChannelEnded:
            raise StopAsyncIteration from None

    def __next__(self) -> NoReturn:
        raise TypeError("in the event loop of an actor a channel is read by `async for` and await receive()")

    def receive_nowait(self) -> Any:
        refuse_nowait("receive")
