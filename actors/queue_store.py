"""What is in a `Queue`, and who waits there: in the process, and the thread, of the runtime."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import trio

from .errors import NEVER_SENT, ActorDiedError
from .queue_errors import Empty, Full
from .reasons import SHUTDOWN_EXIT


class QueueStore:
    """First in, first out; who waited longest is served first.  `Queue` says what its methods do."""

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self.items: deque[Any] = deque()
        self.closed = False
        self.getters = trio.lowlevel.ParkingLot()
        self.putters = trio.lowlevel.ParkingLot()

    def qsize(self) -> int:
        return len(self.items)

    def full(self) -> bool:
        return 0 < self.maxsize <= len(self.items)

    # -- one item -------------------------------------------------------------------------------

    async def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        with trio.move_on_after(seconds_of(block, timeout)):
            while self.full() and not self.closed and block:
                await self.putters.park()
        self.put_nowait(item)
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def get(self, block: bool = True, timeout: float | None = None) -> Any:
        await trio.lowlevel.checkpoint_if_cancelled()
        with trio.move_on_after(seconds_of(block, timeout)):
            while not self.items and not self.closed and block:
                await self.getters.park()
        item = self.get_nowait()
        await trio.lowlevel.cancel_shielded_checkpoint()
        return item

    def put_nowait(self, item: Any) -> None:
        self.put_nowait_batch([item])

    def get_nowait(self) -> Any:
        return self.get_nowait_batch(1)[0]

    # -- many items -----------------------------------------------------------------------------

    def put_nowait_batch(self, items: Iterable[Any]) -> None:
        batch = list(items)
        if self.closed:
            raise self.gone()
        if self.maxsize > 0 and len(self.items) + len(batch) > self.maxsize:
            raise Full(
                f"{len(batch)} more do not go into a queue of {self.maxsize} that holds {len(self.items)}"
            )
        self.items += batch
        self.getters.unpark(count=len(batch))

    def get_nowait_batch(self, num_items: int) -> list[Any]:
        if num_items < 0:
            raise ValueError(f"num_items must be a count, 0 or more, not {num_items}")
        if len(self.items) < num_items:
            if self.closed:
                raise self.gone()
            raise Empty(f"{num_items} were asked for and {len(self.items)} are there")
        batch = [self.items.popleft() for _ in range(num_items)]
        self.putters.unpark(count=num_items)
        return batch

    # -- the end --------------------------------------------------------------------------------

    async def shutdown(self, force: bool = False) -> None:
        self.closed = True
        if force:
            self.items.clear()
        self.getters.unpark_all()
        self.putters.unpark_all()
        await trio.lowlevel.checkpoint()

    def gone(self) -> ActorDiedError:
        return ActorDiedError("the queue was shut down", SHUTDOWN_EXIT, NEVER_SENT)

    def take_back(self, items: list[Any]) -> None:
        """Put items at the head again that did not reach who took them."""
        self.items.extendleft(reversed(items))
        self.getters.unpark(count=len(items))

    def __repr__(self) -> str:
        room = f" of {self.maxsize}" if self.maxsize > 0 else ""
        return f"{len(self.items)}{room} items{', shut down' if self.closed else ''}"


def seconds_of(block: bool, timeout: float | None) -> float:
    if timeout is not None and timeout < 0:
        raise ValueError(f"timeout must be a number of seconds, 0 or more, not {timeout}")
    return float("inf") if timeout is None or not block else timeout
