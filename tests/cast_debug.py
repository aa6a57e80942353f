"""Actors that stop at breakpoints, importable by name in guests."""

from __future__ import annotations

import os
import time

import trio

from understudy import Actor, Process, method

SHOWN = Process(stderr="show")


class Thinker(Actor, executor=SHOWN):
    """Stops in the midst of its work."""

    def __init__(self, stop: bool = False) -> None:
        self.thoughts = 0
        if stop:
            breakpoint()
        self.ready = True

    @method
    def think(self, n: int) -> int:
        doubled = 2 * n
        breakpoint()
        tripled = 3 * n
        self.thoughts += 1
        return doubled + tripled

    @method
    def think_twice(self, n: int) -> int:
        return self.think(n) + self.think(n)

    @method
    def ponder(self) -> str:
        breakpoint()
        endless()
        return "came back"

    @method
    def count(self) -> int:
        return self.thoughts

    @method
    def pid(self) -> int:
        return os.getpid()


class AsyncThinker(Actor, executor=SHOWN):
    """Several calls at once, in tasks."""

    def __init__(self) -> None:
        self.others = 0

    @method
    async def think(self, n: int) -> int:
        breakpoint()
        await trio.sleep(0.05)
        return 5 * n

    @method
    async def other(self) -> int:
        self.others += 1
        return self.others


def endless() -> None:
    while True:
        time.sleep(0.01)
