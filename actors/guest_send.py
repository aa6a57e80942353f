"""The sending end of a channel, as the methods of a guest use it."""

from __future__ import annotations

from collections import deque
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..transports.guests import protocol as p
from ..transports.guests.channels import HELD
from ..transports.guests.interrupts import whole
from ..transports.guests.protocol import PLAIN_TYPES
from . import errors
from .channel import PlainSendChannel, SendChannel
from .guest_end import GO, SEND, SHORT, GuestEnd, refuse_nowait
from .queue_errors import Full

if TYPE_CHECKING:
    from ..transports.guests.channels import Office

BATCH = 256  # items in one message
LARGE = 256 * 1024  # bytes; as soon as so much is collected it leaves
CANNOT = "an item of a channel cannot travel from here"
ROOM = 1024 * 1024  # bytes put in with what was granted at once


class GuestSend(GuestEnd, SendChannel[Any]):
    """Where items are put in; they are collected, and leave together."""

    __slots__ = ("dirty", "heavy", "items", "weight")

    direction = SEND

    def __init__(self, ticket: int, office: Office) -> None:
        self.items: deque[Any] = deque()
        self.dirty = False
        self.heavy = 0  # bytes put in with what was granted last
        self.weight = 0  # bytes collected
        super().__init__(ticket, office)

    def empty(self) -> list[None]:
        return []

    @whole
    def offer(self, item: Any) -> bool:
        """Put an item in, if that was granted."""
        try:
            self.stock.pop()
        except IndexError:
            return False
        self.items.append(item)
        if not self.dirty:
            self.dirty = True
            self.office.mark(self)
        return True

    def fit(self, item: Any) -> Any:
        """An item that is fit to travel; raises Unsendable."""
        self.check()
        office = self.office
        values = office.guest.values
        size = len(item) if isinstance(item, str | bytes) else 0
        if type(item) not in PLAIN_TYPES or not values.trusted or size > LARGE:
            try:
                item = values.item(item)
            except office.unfit as error:
                raise errors.Unsendable(f"{CANNOT}: {error}", errors.NEVER_SENT) from error.__cause__
            size = max(size, len(getattr(item, "data", b"")))
        self.weight += size
        return item

    def come(self, what: int) -> None:
        self.stock.extend(repeat(None, what))
        self.total += what
        self.asked = max(0, self.asked - what)
        self.heavy = 0

    def finish(self) -> None:
        self.stock.clear()

    def want(self, now: bool = False) -> None:
        unsaid, self.unsaid = self.unsaid, 0
        self.office.say(p.WANT, self.number, unsaid, 0, int(now))

    def pack(self) -> Any:
        """What is collected, as a message; the office's lock is held."""
        office = self.office
        self.dirty = False
        items = [self.items.popleft() for _ in range(len(self.items))]
        self.heavy, self.weight = self.heavy + self.weight, 0
        if self.heavy > ROOM and self.number >= 0:
            self.give_back()
            self.heavy = 0
        elif not self.asked and self.size > 1 and len(self.stock) * 2 <= self.size:
            self.grow()
        unsaid, self.unsaid = self.unsaid, 0
        values = office.guest.values
        try:
            return values.encode((p.PUT, self.number, items, unsaid))
        except (TypeError, ValueError, OverflowError):
            # One is wider than msgpack's integers, or not UTF-8: pickle carries it.
            fit = [values.item(item) if type(item) in PLAIN_TYPES else item for item in items]
            return values.encode((p.PUT, self.number, fit, unsaid))

    def tidy(self) -> bool:
        """Give back what was granted and is not used; False if nothing is left to be looked after."""
        if not self.stock and not self.asked:
            return False
        if not self.used():
            self.give_back()
        return True

    def part(self, office: Office) -> None:
        if self.dirty:
            office.dirty.remove(self)
            office.out.append(self.pack())


class BlockingSend(GuestSend, PlainSendChannel[Any]):
    """In methods that are not `async`."""

    __slots__ = ()

    @whole
    def send(self, item: Any) -> Any:
        if item.__class__ not in SHORT:
            item = self.fit(item)
        while not self.offer(item):
            self.refused()
            self.wait()
        self.leave_soon()

    @whole
    def send_nowait(self, item: Any) -> None:
        if item.__class__ not in SHORT:
            item = self.fit(item)
        if not self.offer(item):
            self.refused()
            self.look()
            if not self.offer(item):
                self.refused()
                raise Full("the channel has no room for another item")
        self.leave_soon()

    @whole
    def leave_soon(self) -> None:
        """Let it leave at once, unless others left just now."""
        office = self.office
        if perf_counter() - office.flushed > HELD or len(self.items) >= BATCH or self.weight > LARGE:
            office.flush()


class AsyncSend(GuestSend):
    """What is collected leaves when all tasks have taken their next steps."""

    __slots__ = ()

    async def send(self, item: Any) -> None:
        office = self.office
        office.turn += 1
        if not office.turn & GO:
            await office.loop.pause()
        if item.__class__ not in SHORT:
            item = self.fit(item)
        while not self.offer(item):
            self.refused()
            await self.wait_async()
        if len(self.items) >= BATCH or self.weight > LARGE:
            office.flush()

    def send_nowait(self, item: Any) -> None:
        refuse_nowait("send")
