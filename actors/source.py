"""The giving end of a stream in this process: how far the generator may run, and when it waits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from time import perf_counter
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from ..transports.guests.weights import ROOM, TEXTS, weight_of
from .stream import GO, Feed

if TYPE_CHECKING:
    from .call import Call

LARGE = 4096  # bytes; where no item is longer, their number bounds them
TURN = 200e-6  # seconds that a generator runs in one go


class Source:
    """`room` is how many items may still be given: those taken make room for as many more.

    Where they are large texts or bytes, fewer: they may not weigh more than those of a guest.
    """

    __slots__ = ("call", "cut", "each", "feed", "given", "over", "room", "task")

    def __init__(self, call: Call) -> None:
        feed = call.ref
        assert isinstance(feed, Feed)
        self.call = call
        self.feed = feed
        self.room = feed.ahead
        self.given = 0
        self.each = 1  # what the last ones weighed, on the average
        self.cut = False  # its actor ends
        self.over: trio.Event | None = None  # to be set when it has ended, if it was interrupted
        self.task: trio.lowlevel.Task | None = None

    @property
    def stopped(self) -> bool:
        """Does nobody want another item?"""
        return self.cut or self.call.ended

    @property
    def space(self) -> int:
        """How many items may be given now, as far as can be told before they are there."""
        weights = self.feed.weights
        if weights is None:
            return self.room
        return min(self.room, -(-(ROOM - weights.bytes) // self.each))

    def give(self, items: list[Any]) -> None:
        self.room -= len(items)
        self.given += len(items)
        feed, last = self.feed, items[-1]
        feed.owed += len(items)
        if feed.weights is not None or (isinstance(last, TEXTS) and len(last) > LARGE):
            size = weight_of(items)
            self.each = max(1, size // len(items))
            feed.weigh(len(items), size)
        feed.put(items)

    def credit(self, items: int) -> None:
        """So many items were taken."""
        self.room += items
        self.feed.taken(items)
        self.wake()

    def wake(self) -> None:
        """There is news: room, or an end."""
        if self.task is not None:
            task, self.task = self.task, None
            reschedule(task)

    async def wait(self) -> None:
        """Wait for room, or for the end of the call; if there is room, let others have their turn."""
        if self.space > 0 or self.stopped:
            await trio.lowlevel.checkpoint()
        else:
            self.task = current_task()
            await wait_task_rescheduled(self.leave)

    def leave(self, _: Any) -> Abort:
        self.task = None
        return Abort.SUCCEEDED


def step(generator: Generator[Any, Any, Any], items: list[Any], room: int) -> bool:
    """Run a generator for a while, as far as there is room; True if it has ended."""
    until = perf_counter() + TURN
    while len(items) < room:
        try:
            items.append(next(generator))
        except StopIteration:
            return True
        if perf_counter() > until:
            break
    return False


async def drain(generator: Generator[Any, Any, Any], source: Source, run: Callable[..., Any]) -> None:
    """Give what a generator yields until it or its call ends; closed in any case.  `run` calls a function of it."""
    over = False
    try:
        while not over and not source.stopped:
            items: list[Any] = []
            try:
                over = run(step, generator, items, source.space)
            finally:
                if items and not source.call.ended:
                    source.give(items)
            if not over:
                await source.wait()
    finally:
        run(generator.close)


async def pour(generator: AsyncGenerator[Any, Any], source: Source) -> None:
    """Give what an async generator yields, until it or its call ends; it is closed in any case."""
    try:
        async for item in generator:
            if not source.stopped:
                source.give([item])
            if source.space <= 0 or source.given % GO == 0:
                await source.wait()
            if source.stopped:
                return
    finally:
        await generator.aclose()
