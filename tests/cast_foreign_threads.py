"""Actors whose methods start threads, and call others from those."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import trio

from understudy import Actor, blocking, method

WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "call": lambda other, _: blocking.call(other.add, 1),
    "remote": lambda other, _: other.add.remote(1),
    "cast": lambda other, _: other.add.cast(1),
    "get": lambda _, ref: blocking.get(ref),
    "wait": lambda _, ref: blocking.wait([ref]),
    "kill": lambda other, _: blocking.kill(other),
}


class Busy(Actor):
    """One call at a time."""

    @method
    def pooled(self, other: Any, way: str, threads: int) -> tuple[list[str], int]:
        """What each of some threads is told that calls; and what a call from here gives after that."""
        ref = other.rest.remote()

        def told(_: int) -> str:
            try:
                return f"{WAYS[way](other, ref)!r}, and was not refused"
            except RuntimeError as error:
                return str(error)

        with ThreadPoolExecutor(threads) as pool:
            said = list(pool.map(told, range(threads)))
        return said, blocking.call(other.add, 1)


class Busier(Busy, max_concurrency=4):
    """Several."""


class Looping(Actor):
    """In an event loop, whose threads take its context along."""

    @method
    async def pooled(self, other: Any, way: str, threads: int) -> tuple[list[str], int]:
        ref = other.rest.remote()
        said: list[str] = []

        def tell() -> None:
            try:
                said.append(f"{WAYS[way](other, ref)!r}, and was not refused")
            except RuntimeError as error:
                said.append(str(error))

        async with trio.open_nursery() as nursery:
            for _ in range(threads):
                nursery.start_soon(trio.to_thread.run_sync, tell)
        return said, await other.add(1)


class Other(Actor):
    @method
    async def add(self, n: int) -> int:
        return n + 1

    @method
    async def rest(self) -> None:
        await trio.sleep_forever()
