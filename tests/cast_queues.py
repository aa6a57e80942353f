"""Actors that put into queues and take out of them, importable by name in guests."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.cast import QUIET
from understudy import Actor, ActorDiedError, Empty, Full, Queue, method


class Clerk(Actor, executor=QUIET):
    """Methods that are not async: what waits is waited for, and gives the value itself."""

    def __init__(self, orders: Any = None) -> None:
        self.orders = orders

    @method
    def fill(self, orders: Any, items: list[Any]) -> int:
        for item in items:
            orders.put(item)
        size: int = orders.qsize()
        return size

    @method
    def take(self, orders: Any, count: int, timeout: float | None = None) -> list[Any]:
        return [orders.get(timeout=timeout) for _ in range(count)]

    @method
    def take_own(self, count: int) -> list[Any]:
        return self.take(self.orders, count)

    @method
    def take_deep(self, given: dict[str, list[Any]], count: int) -> list[Any]:
        return self.take(given["queues"][0], count)

    @method
    def at_once(self, orders: Any) -> list[Any]:
        """What each method says of a queue of two with nothing in it."""
        said: list[Any] = [len(orders), bool(orders), orders.size(), orders.empty(), orders.full()]
        orders.put_nowait(1)
        orders.put_nowait_batch([2])
        said += [orders.qsize(), orders.empty(), orders.full(), orders.maxsize]
        attempts: list[Any] = [
            lambda: orders.put_nowait(3),
            lambda: orders.put(3, block=False),
            lambda: orders.put(3, timeout=0.01),
            lambda: orders.put_nowait_batch([3, 4]),
        ]
        for attempt in attempts:
            try:
                attempt()
            except Full as error:
                said.append(type(error).__name__)
        said += [orders.get_nowait(), orders.get_nowait_batch(1)]
        attempts = [
            lambda: orders.get_nowait(),
            lambda: orders.get(block=False),
            lambda: orders.get(timeout=0.01),
            lambda: orders.get_nowait_batch(1),
        ]
        for attempt in attempts:
            try:
                attempt()
            except Empty as error:
                said.append(type(error).__name__)
        return said

    @method
    def last(self, orders: Any) -> str:
        try:
            orders.get()
        except ActorDiedError as error:
            return str(error)
        return "none"

    @method
    def give_back(self, orders: Any) -> Any:
        return orders

    @method
    def close(self, orders: Any) -> None:
        orders.shutdown()

    @method
    def wait_for_one(self, orders: Any, there: str) -> Any:
        Path(there).touch()
        return orders.get()

    @method
    def wrong(self, orders: Any) -> Any:
        return orders.get(timeout=-1)

    @method
    def unsendable(self, orders: Any) -> None:
        orders.put(lambda: (yield))

    @method
    def made_here(self) -> Any:
        return Queue(2)

    @method
    def nap(self, seconds: float) -> None:
        time.sleep(seconds)


class AsyncClerk(Actor, executor=QUIET):
    """Methods that are async: what waits is awaited, as by every task."""

    @method
    async def fill(self, orders: Queue[Any], items: list[Any]) -> int:
        for item in items:
            await orders.put(item)
        return len(items)

    @method
    async def take(self, orders: Queue[Any], count: int, timeout: float | None = None) -> list[Any]:
        return [await orders.get(timeout=timeout) for _ in range(count)]

    @method
    async def take_deep(self, given: dict[str, list[Any]], count: int) -> list[Any]:
        return await self.take(given["queues"][0], count)

    @method
    async def at_once(self, orders: Queue[Any]) -> list[str]:
        said: list[str] = []
        try:
            await orders.get(block=False)
        except Empty:
            said.append("Empty")
        await orders.put(1, block=False)
        await orders.put_async(2)
        try:
            await orders.put(3, block=False)
        except Full:
            said.append("Full")
        return said

    @method
    async def close(self, orders: Queue[Any]) -> None:
        await orders.shutdown()

    @method
    async def last(self, orders: Queue[Any]) -> str:
        try:
            await orders.get()
        except ActorDiedError as error:
            return str(error)
        return "none"

    @method
    async def wait_for_one(self, orders: Queue[Any], there: str) -> Any:
        Path(there).touch()  # noqa: ASYNC240
        return await orders.get()

    @method
    async def size(self, orders: Queue[Any]) -> int:
        return orders.qsize()
