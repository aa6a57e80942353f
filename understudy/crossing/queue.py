"""`Queue` at the doors: between tasks of any loop and threads, who all may use the same one."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import anyio
import trio

from ..actors.errors import NoRuntimeError
from ..actors.shelf import Shelf, seconds_of
from .waiters import ThreadWaiter

V = TypeVar("V")

Wake = Callable[[], object]
Ready = Callable[[], object]


class Line:
    """Who waits, the longest first; they are woken to look again, from any thread."""

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self.wakes: deque[Wake] = deque()

    def join(self, wake: Wake, ready: Ready) -> bool:
        """Wait here, unless there is nothing to wait for."""
        with self.lock:
            if ready():
                return False
            self.wakes.append(wake)
        return True

    def leave(self, wake: Wake) -> None:
        """Wait no more; who was woken meanwhile hands that on to the next."""
        with self.lock:
            if wake in self.wakes:
                self.wakes.remove(wake)
            else:
                self.unpark(count=1)

    def unpark(self, *, count: int) -> None:
        while count > 0 and self.wakes:
            try:
                self.wakes.popleft()()
            except RuntimeError:
                continue  # its loop was closed under it
            count -= 1

    def unpark_all(self) -> None:
        self.unpark(count=len(self.wakes))


class FarShelf(Shelf[V, Line]):
    """A queue that no loop owns."""

    def __init__(self, maxsize: int = 0) -> None:
        self.lock = threading.RLock()
        super().__init__(maxsize, Line(self.lock), Line(self.lock))

    def may_put(self) -> bool:
        return self.closed or not self.full()

    def may_get(self) -> bool:
        return self.closed or bool(self.items)

    def put_nowait_batch(self, items: Iterable[V]) -> None:
        batch = list(items)  # that may be anybody's code
        with self.lock:
            super().put_nowait_batch(batch)

    def get_nowait_batch(self, num_items: int) -> list[V]:
        with self.lock:
            return super().get_nowait_batch(num_items)

    def close(self, force: bool) -> None:
        with self.lock:
            super().close(force)

    async def put_async(self, item: V, block: bool = True, timeout: float | None = None) -> None:
        """Put an item in; waits while there is no room, at most `timeout` seconds.  If cancelled, it is not in.

        Raises:
            Full: if there is no room in time, or at once with `block=False`.
            ActorDiedError: if the queue was shut down.
        """
        with within(seconds_of(block, timeout)):
            while block and await paused(self.putters, self.may_put):
                pass
        self.put_nowait(item)

    async def get_async(self, block: bool = True, timeout: float | None = None) -> V:
        """Take the oldest item; waits while there is none, at most `timeout` seconds.  If cancelled, none is lost.

        Raises:
            Empty: if there is none in time, or at once with `block=False`.
            ActorDiedError: if the queue was shut down and is empty.
        """
        with within(seconds_of(block, timeout)):
            while block and await paused(self.getters, self.may_get):
                pass
        return self.get_nowait()


class AioQueue(FarShelf[V]):
    """First in, first out, with room for `maxsize` items (0: without end); as `understudy.Queue`, with its methods.

    Tasks of any loop may use it; for threads there is `blocking.Queue`.
    """

    async def put(self, item: V, block: bool = True, timeout: float | None = None) -> None:
        """As `put_async`."""
        await self.put_async(item, block, timeout)

    async def get(self, block: bool = True, timeout: float | None = None) -> V:
        """As `get_async`."""
        return await self.get_async(block, timeout)

    async def shutdown(self, force: bool = False) -> None:
        """Take nothing more; what is in it can still be taken, or with `force` is gone.  Idempotent."""
        self.close(force)


class PlainQueue(FarShelf[V]):
    """First in, first out, with room for `maxsize` items (0: without end); Ray's `Queue` with its blocking methods.

    Any thread may use it; tasks of any loop write `await q.put_async(item)` and `await q.get_async()`.  A Ctrl-C ends
    a wait, and no item is lost.

    Example:
        orders: blocking.Queue[str] = blocking.Queue(maxsize=100)
        orders.put("tea")
        order = orders.get(timeout=1.0)
    """

    def put(self, item: V, block: bool = True, timeout: float | None = None) -> None:
        """Put an item in; waits while there is no room, at most `timeout` seconds.

        Raises:
            Full: if there is no room in time, or at once with `block=False`.
            ActorDiedError: if the queue was shut down.
        """
        until = time.monotonic() + seconds_of(block, timeout)
        while block and slept(self.putters, self.may_put, until):
            pass
        self.put_nowait(item)

    def get(self, block: bool = True, timeout: float | None = None) -> V:
        """Take the oldest item; waits while there is none, at most `timeout` seconds.

        Raises:
            Empty: if there is none in time, or at once with `block=False`.
            ActorDiedError: if the queue was shut down and is empty.
        """
        until = time.monotonic() + seconds_of(block, timeout)
        while block and slept(self.getters, self.may_get, until):
            pass
        return self.get_nowait()

    def shutdown(self, force: bool = False) -> None:
        """Take nothing more; what is in it can still be taken, or with `force` is gone.  Idempotent."""
        self.close(force)


# -- waiting ---------------------------------------------------------------------------------------------


def within(seconds: float) -> AbstractContextManager[Any]:
    return nullcontext() if seconds == math.inf else anyio.move_on_after(seconds)


async def paused(line: Line, ready: Ready) -> bool:
    """Wait until it may be so, and say that this was necessary."""
    wake, wait = sleeper()
    if not line.join(wake, ready):
        return False
    try:
        await wait()
    except BaseException:
        line.leave(wake)
        raise
    return True


def sleeper() -> tuple[Wake, Callable[[], Awaitable[Any]]]:
    """How the task that runs here is woken from any thread, and what it awaits until then."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return trio_sleeper()
    future: asyncio.Future[None] = loop.create_future()
    return lambda: loop.call_soon_threadsafe(settle, future), lambda: future


def settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def trio_sleeper() -> tuple[Wake, Callable[[], Awaitable[Any]]]:
    try:
        token = trio.lowlevel.current_trio_token()
    except RuntimeError:
        raise NoRuntimeError("this waits in a task; in plain code write blocking.Queue()") from None
    event = trio.Event()
    return lambda: token.run_sync_soon(event.set), event.wait


def slept(line: Line, ready: Ready, until: float) -> bool:
    """As `paused`, for a thread; False also when the time is over."""
    waiter = ThreadWaiter()
    if not line.join(waiter.wake, ready):
        return False
    woken = False
    try:
        woken = waiter.wait(until - time.monotonic())
    finally:
        if not woken:
            line.leave(waiter.wake)
    return woken
