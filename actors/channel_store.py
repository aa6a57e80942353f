"""What is in a channel, and who waits there: in the process, and the thread, of who opened it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any, Protocol

import outcome
from trio.lowlevel import Abort, Task, current_task, current_trio_token, reschedule, wait_task_rescheduled

from ..transports.codec import Pickled, unpickled
from .channel_errors import ALL_SENT, BROKEN, ENDED, NO_RECEIVER, error_for
from .errors import BEGUN, Unsendable
from .guest_handle import finder

GO = 127  # a power of two less one: items in one go, after which the other tasks get their turn
LIGHT = 1024  # bytes; lighter texts are bounded by their number
TEXTS: frozenset[Any] = frozenset({str, bytes, bytearray})


class Heavy:
    """An item that weighs something."""

    __slots__ = ("size", "value")

    def __init__(self, value: Any, size: int) -> None:
        self.value = value
        self.size = size


WRAPPED: frozenset[Any] = frozenset({Heavy, Pickled})


class Waiter(Protocol):
    """Who waits for an item, or for room; told of the end if neither comes."""

    def serve(self, store: Store, /) -> None: ...
    def refuse(self, kind: str, text: str, /) -> None: ...


class Store:
    """First in, first out.  `free` counts the room: less what is in it, with guests not taken, granted and not used."""

    __slots__ = (
        "away", "bytes", "capacity", "find", "free", "getters", "items", "lost", "max_bytes", "putters", "receivers",
        "senders", "soon", "thread", "turn",
    )  # fmt: skip

    def __init__(self, capacity: int, max_bytes: int) -> None:
        self.capacity = capacity
        self.max_bytes = max_bytes
        self.free = capacity
        self.bytes = 0
        self.items: deque[Any] = deque()
        self.away = 0
        self.senders: set[int] = set()
        self.receivers: set[int] = set()
        self.putters: deque[Waiter] = deque()
        self.getters: deque[Waiter] = deque()
        self.lost = ""
        self.turn = 0
        self.thread = get_ident()
        self.soon: Callable[..., None] | None = None  # into this thread, once a runtime knows the channel
        self.find: Callable[..., Any] | None = None

    # -- items ----------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Is there no room for another item?"""
        if self.bytes >= self.max_bytes:
            return True
        return self.free <= 0 and (self.capacity > 0 or self.free + len(self.getters) <= 0)

    def weighed(self, item: Any) -> Any:
        """An item as it is kept."""
        if item.__class__ in TEXTS and len(item) >= LIGHT:
            return Heavy(item, len(item))
        return item

    def add(self, item: Any) -> None:
        """An item that has room comes in."""
        if item.__class__ is Heavy:
            self.bytes += item.size
        self.free -= 1
        self.items.append(item)
        if self.getters:
            self.feed()

    def feed(self) -> None:
        """Items are there: serve who waits."""
        while self.items and self.getters:
            self.getters.popleft().serve(self)

    def refill(self) -> None:
        """There is room: serve who waits."""
        putters = self.putters
        while putters and not self.full:
            putters.popleft().serve(self)

    def take(self) -> Any:
        """The oldest item, which is there; raises Unsendable if it cannot be read here."""
        item = self.items.popleft()
        self.free += 1
        if item.__class__ in WRAPPED:
            item = self.opened(item)
        if self.putters:
            self.refill()
        return item

    def opened(self, item: Any) -> Any:
        if item.__class__ is Heavy:
            self.bytes -= item.size
            item = item.value
        return self.read(item) if item.__class__ is Pickled else item

    def read(self, item: Any) -> Any:
        token = finder.set(self.find)
        try:
            return unpickled(item)
        except Exception as error:
            raise Unsendable(f"an item of a channel cannot be unpickled here: {error}", BEGUN) from error
        finally:
            finder.reset(token)

    # -- waiting --------------------------------------------------------------------------------

    async def wait_room(self, item: Any) -> None:
        """Wait until the item is in."""
        await parked(Putter(current_task(), item), self.putters)

    async def wait_item(self) -> Any:
        """Wait until there is an item."""
        if not self.capacity and self.putters:  # who waits to put something in has room as soon as we wait
            current_trio_token().run_sync_soon(self.refill)
        return await parked(Getter(current_task()), self.getters)

    # -- who is there ---------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Will nothing more come?  What is with a guest may come back."""
        return not self.senders and not self.items and not self.away

    @property
    def end(self) -> tuple[str, str]:
        """What a receiver is told then."""
        return (BROKEN, self.lost) if self.lost else (ENDED, ALL_SENT)

    def leave(self, members: set[int], number: int, lost: str | None) -> None:
        """One end is no more; `lost` tells how, if nobody closed it; None: it was only on its way."""
        if number in members:
            members.discard(number)
            if members is self.senders and lost is not None:
                self.lost = lost
            self.settle()

    def leave_from_anywhere(self, members: set[int], number: int, lost: str | None) -> None:
        """The same in any thread, in the middle of anything."""
        if number not in members:
            return
        if get_ident() == self.thread:
            self.leave(members, number, lost)
        elif self.soon is not None:
            self.soon(self.leave, members, number, lost)

    def settle(self) -> None:
        """Tell those who wait for what will not come."""
        if not self.receivers:
            self.items.clear()
            refuse_all(self.putters, BROKEN, NO_RECEIVER)
        elif self.ended:
            refuse_all(self.getters, *self.end)


class Getter:
    """A task that waits for an item."""

    __slots__ = ("task",)

    def __init__(self, task: Task) -> None:
        self.task = task

    def serve(self, store: Store) -> None:
        reschedule(self.task, outcome.capture(store.take))

    def refuse(self, kind: str, text: str) -> None:
        reschedule(self.task, outcome.Error(error_for(kind, text)))


class Putter(Getter):
    """A task that waits for room."""

    __slots__ = ("item",)

    def __init__(self, task: Task, item: Any) -> None:
        super().__init__(task)
        self.item = item

    def serve(self, store: Store) -> None:
        reschedule(self.task)
        store.add(self.item)


async def parked(waiter: Getter, line: deque[Waiter]) -> Any:
    def leave(_: Any) -> Abort:
        line.remove(waiter)
        return Abort.SUCCEEDED

    line.append(waiter)
    return await wait_task_rescheduled(leave)


def refuse_all(line: deque[Waiter], kind: str, text: str) -> None:
    while line:
        line.popleft().refuse(kind, text)
