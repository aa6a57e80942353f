"""Who waits for something that happens in the runtime's thread: a task of asyncio, one of another trio run, a thread.

A waiter is made where the waiting is done and woken, once, in the runtime's thread.  Tasks of one loop are
woken together: their landing rings the loop once for all that ended in a tick.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

import trio

Ring = Callable[[Callable[[], None]], object]
Soon = Callable[[Callable[[], None]], None]


class Waiter(Protocol):
    """It is told once; as a call's `ref` it is told of the call's end."""

    def wake(self) -> None: ...


class Landing(ABC):
    """Where what has ended waits until one loop looks.

    `ring` makes that loop call a function, from any thread; `later` does so from its own.
    """

    __slots__ = ("arrived", "departing", "later", "ring", "ringing", "soon")

    def __init__(self, ring: Ring, soon: Soon, later: Ring | None = None) -> None:
        self.arrived: deque[Any] = deque()
        self.ring = ring
        self.ringing = False
        self.soon = soon
        self.later = later or ring
        self.departing: Callable[[], None] | None = None

    def depart(self, wake: Callable[[], None]) -> None:
        """Have the loop wake the runtime when the tasks whose turn it is have made their calls too."""
        if self.departing is None:
            self.departing = wake
            self.later(self.leave)

    def leave(self) -> None:
        wake, self.departing = self.departing, None
        if wake is not None:
            wake()

    def land(self, waits: Any) -> None:
        """Have the loop wake what waits there; in the runtime's thread."""
        self.arrived.append(waits)
        if not self.ringing:
            self.ringing = True
            self.soon(self.call)

    def call(self) -> None:
        # The loop may have been closed under us: then nobody waits there any more.
        with suppress(RuntimeError):
            self.ring(self.deliver)

    @abstractmethod
    def deliver(self) -> None:
        """Wake all that has arrived; in the loop's thread."""


class AsyncioLanding(Landing):
    """Futures of one asyncio loop."""

    __slots__ = ()

    def deliver(self) -> None:
        self.ringing = False
        arrived = self.arrived
        while arrived:
            future: asyncio.Future[None] = arrived.popleft()
            if not future.done():
                future.set_result(None)


class TrioLanding(Landing):
    """Events of another trio run."""

    __slots__ = ()

    def deliver(self) -> None:
        self.ringing = False
        while self.arrived:
            self.arrived.popleft().set()


class AsyncioWaiter:
    """One task of an asyncio loop."""

    __slots__ = ("future", "landing")

    def __init__(self, landing: Landing, future: asyncio.Future[None]) -> None:
        self.landing = landing
        self.future = future

    def wait(self) -> Awaitable[Any]:
        return self.future

    def wake(self) -> None:
        self.landing.land(self.future)

    def settled(self, call: Any) -> None:
        self.landing.land(self.future)


class TrioWaiter:
    """One task of another trio run."""

    __slots__ = ("event", "landing")

    def __init__(self, landing: Landing) -> None:
        self.landing = landing
        self.event = trio.Event()

    def wait(self) -> Awaitable[Any]:
        return self.event.wait()

    def wake(self) -> None:
        self.landing.land(self.event)

    def settled(self, call: Any) -> None:
        self.landing.land(self.event)


class ThreadWaiter:
    """A thread, which sleeps on a lock: a Ctrl-C ends that sleep."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until woken, or for `timeout` seconds; was it woken?"""
        if timeout is None:
            return self.lock.acquire()
        return self.lock.acquire(True, min(max(timeout, 0), threading.TIMEOUT_MAX))

    def wake(self) -> None:
        self.lock.release()

    def settled(self, call: Any) -> None:
        self.lock.release()


AnyWaiter = AsyncioWaiter | TrioWaiter


class Gate:
    """Opens once, in the runtime's thread; anybody may wait for it, anywhere."""

    __slots__ = ("over", "waiters")

    def __init__(self) -> None:
        self.over = False
        self.waiters: list[Waiter] = []

    def open(self) -> None:
        self.over = True
        while self.waiters:
            self.waiters.pop().wake()

    def add(self, waiter: Waiter) -> bool:
        """Will the waiter be woken?  No, if the gate is open already."""
        self.waiters.append(waiter)
        if self.over:  # looked at after the append: either we see it, or `open` sees the waiter
            return not self.discard(waiter)
        return True

    def discard(self, waiter: Waiter) -> bool:
        """Take a waiter back; False if it was woken."""
        try:
            self.waiters.remove(waiter)
        except ValueError:
            return False
        return True


class Tally:
    """A waiter at many gates, which tells another waiter when enough of them are open."""

    __slots__ = ("count", "goal", "lock", "waiter")

    def __init__(self, waiter: Waiter) -> None:
        self.waiter = waiter
        self.lock = threading.Lock()
        self.count = 0
        self.goal: int | None = None

    def wake(self) -> None:
        with self.lock:
            self.count += 1
            enough = self.count == self.goal
        if enough:
            self.waiter.wake()

    def arm(self, goal: int) -> bool:
        """Tell the waiter once `goal` gates have opened; False if they have already."""
        with self.lock:
            if self.count >= goal:
                return False
            self.goal = goal
        return True
