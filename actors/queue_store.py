"""What is in a `Queue`, and who waits there: in the process, and the thread, of the runtime."""

from __future__ import annotations

from typing import Any

import trio

from .here import check_trio
from .shelf import Shelf, seconds_of


class QueueStore(Shelf[Any, trio.lowlevel.ParkingLot]):
    """First in, first out; who waited longest is served first.  `Queue` says what its methods do."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize, trio.lowlevel.ParkingLot(), trio.lowlevel.ParkingLot())

    async def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        check_trio("Queue()")
        await trio.lowlevel.checkpoint_if_cancelled()
        with trio.move_on_after(seconds_of(block, timeout)):
            while self.full() and not self.closed and block:
                await self.putters.park()
        self.put_nowait(item)
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def get(self, block: bool = True, timeout: float | None = None) -> Any:
        check_trio("Queue()")
        await trio.lowlevel.checkpoint_if_cancelled()
        with trio.move_on_after(seconds_of(block, timeout)):
            while not self.items and not self.closed and block:
                await self.getters.park()
        item = self.get_nowait()
        await trio.lowlevel.cancel_shielded_checkpoint()
        return item

    async def shutdown(self, force: bool = False) -> None:
        self.close(force)
        await trio.lowlevel.checkpoint()
