"""The ends of channels in `async` methods of a guest."""

from __future__ import annotations

from typing import Any

from ..transports.guests.interrupts import whole
from .channel_errors import ChannelEnded
from .guest_channel import BATCH, LARGE, SHORT, GuestReceive, GuestSend, refuse_nowait

GO = 63  # a power of two less one: items in one go, after which the other tasks get their turn


class AsyncSend(GuestSend):
    """What is collected leaves when all tasks have taken their next steps."""

    __slots__ = ()

    async def send(self, item: Any) -> None:
        office: Any = self.office
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


class AsyncReceive(GuestReceive):
    """Items come while other tasks run."""

    __slots__ = ()

    async def receive(self) -> Any:
        office: Any = self.office
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

    def receive_nowait(self) -> Any:
        refuse_nowait("receive")
