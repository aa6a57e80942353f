"""Where the items of a stream leave a guest: in batches, and no more of them than the reader has room for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from time import perf_counter, sleep
from typing import Any

from . import protocol as p
from .guest import NONE, Guest
from .interrupts import Bell, Interrupted, invoke
from .weights import ROOM, Weights

SLOW = 50e-6  # seconds; an item that took longer is sent at once
HELD = 1e-3  # seconds that an item may wait for others, should the next take longer than the last
BATCH = 64  # items in one message
LARGE = 32 * 1024  # bytes; longer texts are not held
WIDEST = 4  # bytes that a character may take


class Closed(Exception):
    """The host wants no more of a stream."""


class Holder:
    """Sees to it that no item is held for long: a thread looks after the stream that has the turn."""

    def __init__(self) -> None:
        self.outlet: Outlet | None = None
        self.wanted = threading.Event()
        self.thread: threading.Thread | None = None
        self.over = False

    def hold(self, outlet: Outlet) -> None:
        self.outlet = outlet
        if self.thread is None:
            self.thread = threading.Thread(
                target=self.run, name=f"{threading.current_thread().name}, items", daemon=True
            )
            self.thread.start()
        self.wanted.set()

    def release(self, outlet: Outlet) -> None:
        """From now on the stream's own thread writes to the link."""
        with outlet.lock:
            self.outlet = None
        self.wanted.clear()

    def end(self) -> None:
        """The guest leaves, perhaps without its process."""
        self.over = True
        self.wanted.set()

    def run(self) -> None:
        while True:
            self.wanted.wait()
            if self.over:
                return
            sleep(HELD)
            outlet = self.outlet
            if outlet is not None and outlet.items:
                outlet.send_held(self)


class Outlet:
    """One stream on its way out: `credit` items may still be given before the reader takes some."""

    def __init__(self, guest: Guest, id: int, credit: int, wait_credit: Callable[[Outlet], None]) -> None:
        self.guest = guest
        self.id = id
        self.credit = credit
        self.wait_credit = wait_credit
        self.closed: Callable[[], bool] = lambda: False
        self.holder: Holder | None = None  # without one, each item is sent at once
        self.items: deque[Any] = deque()
        self.bytes = 0
        self.weights = Weights()
        self.large = min(LARGE, guest.values.max_bytes // WIDEST)
        self.lock: Any = threading.Lock()  # who holds it may write to the link

    @property
    def full(self) -> bool:
        """Is there no room for another item?"""
        return self.credit <= 0 or self.weights.bytes >= ROOM

    def grant(self, items: int) -> None:
        """So many were taken."""
        self.credit += items
        self.weights.take(items)

    def run(self, name: str, message: list[Any], doorbell: Bell) -> Any:
        """Run the generator to its end; returns the reply."""
        guest, id = self.guest, self.id
        generator: Any = None
        try:
            method = guest.methods.get(name) or guest.find(name)
            args, kwargs = guest.values.arguments(message)
            guest.take_along(message)
            doorbell.protected = name in guest.protected
            doorbell.running = id
            generator = invoke(method, args, kwargs)
            self.pass_on_held(generator)
            doorbell.running = 0
            return guest.values.encode((p.RESULT, id, None))
        except Closed:
            doorbell.running = 0
            return self.close(generator) or guest.values.encode((p.CLOSED, id))
        except Interrupted:
            doorbell.running = 0
            guest.strike()
            return self.close(generator) or guest.values.encode((p.INTERRUPTED, id))
        except BaseException as error:
            doorbell.running = 0
            self.send()
            return self.close(generator) or guest.failure(id, name, error, cast=False)

    def pass_on_held(self, generator: Generator[Any, None, None]) -> None:
        if self.holder is None:
            return self.pass_on(generator, batch=1)
        self.holder.hold(self)
        try:
            self.pass_on(generator, batch=BATCH)
        finally:
            self.holder.release(self)

    def pass_on(self, generator: Generator[Any, None, None], batch: int) -> None:
        """Give what the generator gives, until it or the reader has had enough."""
        step = generator.__next__
        items, closed = self.items, self.closed
        full, clock = False, perf_counter()
        while True:
            try:
                value = invoke(step, (), NONE)
            except StopIteration:
                break
            self.give(value)
            self.credit -= 1
            before, clock = clock, perf_counter()
            if clock - before > SLOW or len(items) >= batch or self.bytes > self.large or self.credit <= 0:
                self.send()
                full = self.full
                clock = perf_counter()
            if closed():
                raise Closed
            if full:
                self.wait_credit(self)
                full, clock = False, perf_counter()
        self.send()

    def give(self, value: Any) -> None:
        """Hold an item that is fit to travel; raises Unfit for any other."""
        values = self.guest.values
        if isinstance(value, str | bytes):
            self.bytes += len(value)
        if type(value) not in p.PLAIN_TYPES or not values.trusted or self.bytes > self.large:
            value = values.item(value)
        self.items.append(value)

    def send(self) -> None:
        """Send what is held."""
        with self.lock:
            self.send_items()

    def send_held(self, holder: Holder) -> None:
        """The same, in the thread that looks after it."""
        with self.lock:
            if holder.outlet is self:
                self.send_items()

    def send_items(self) -> None:
        items, wire, codec = self.items, self.guest.wire, self.guest.values
        values = [items.popleft() for _ in range(len(items))]
        if values and not self.guest.ending:
            self.bytes = 0
            message = codec.items(self.id, values)
            self.weights.give(len(values), codec.weight(message))
            wire.flush()  # the host weighs items by the frame that they come in
            wire.out.append(message)
        wire.flush()

    def close(self, generator: Any) -> Any:
        """Close the generator; returns the reply if that fails."""
        try:
            if generator is not None:
                invoke(generator.close, (), NONE)
        except BaseException as error:
            return self.guest.failure(self.id, "close", error, cast=False)
        return None
