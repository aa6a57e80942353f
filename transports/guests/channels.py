"""The ends of channels that a guest holds: what they say leaves in batches, and nothing of it lies about for long."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from contextlib import nullcontext
from queue import SimpleQueue
from time import perf_counter, sleep
from typing import Any, Protocol
from weakref import WeakSet, WeakValueDictionary

from . import protocol as p
from .interrupts import whole
from .values import Unfit
from .wire import HostGone

HELD = 150e-6  # seconds since the last frame, after which an item leaves at once
TICK = 1e-3  # seconds that anything may wait while the method does something else
QUIET = 20  # ticks in which an end was not used, after which it gives back what it has in stock
SLEEPY = 50  # ticks in which nothing happened, after which nobody looks

Message = list[Any]


class End(Protocol):
    """One end, as its office sees it."""

    number: int

    def hear(self, message: Message, /) -> None: ...
    def pack(self) -> Any: ...
    def tidy(self) -> bool: ...
    def rest(self) -> None: ...


class Office:
    """All ends of one guest.  Who holds the lock may write to the link, or change what an end has in stock."""

    unfit = Unfit  # this guest's own: the module is there under two names

    def __init__(self, guest: Any) -> None:
        self.guest = guest
        self.wire = guest.wire
        self.page = guest.page
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.ends: WeakValueDictionary[int, End] = WeakValueDictionary()
        self.slots = list(range(p.SLOTS)) if guest.page is not None else []
        self.freed: deque[int] = deque()  # slots, of ends whose last word has not left
        self.out: deque[Any] = deque()  # what is to be said beside items, encoded
        self.dirty: list[End] = []  # ends that hold items
        self.active: WeakSet[End] = WeakSet()  # ends with something in stock
        self.travelling: tuple[list[End], list[End]] = ([], [])  # given away, with what has not left yet
        self.flushed = 0.0
        self.turn = 0  # items sent and received, for loops that let other tasks run now and then
        self.threads = not isinstance(guest.lock, nullcontext)
        self.loop: Any = guest.running.asker if getattr(guest.running.asker, "in_loop", False) else None
        self.wakes: SimpleQueue[None] = SimpleQueue()
        self.awake = False
        self.over = False
        self.wire.office = self
        self.wire.__class__ = self.wire.shared
        guest.handlers.update(dict.fromkeys((p.DELIVER, p.GRANT, p.FINISH), self.hear))
        threading.Thread(
            target=self.look_after, name=f"{threading.current_thread().name}, channels", daemon=True
        ).start()

    def slot(self) -> int:
        """A word of the page, for what a receiving end has taken; -1 if there is none left."""
        if not self.slots:
            return -1
        slot = self.slots.pop()
        self.page[p.TAKEN + slot] = 0
        return slot

    def hear(self, message: Message) -> None:
        """The host says something to an end; nothing, if it is gone."""
        end = self.ends.get(message[1])
        if end is not None:
            end.hear(message)

    # -- what is said ---------------------------------------------------------------------------

    def mark(self, end: End) -> None:
        """An end holds items."""
        self.dirty.append(end)
        if self.loop is not None:
            self.loop.flush_later(self)
        self.wake()

    def say(self, *message: Any) -> None:
        """Say something with the next frame."""
        self.out.append(self.guest.values.encode(message))
        self.wake()

    def wake(self) -> None:
        if not self.awake:
            self.awake = True
            self.wakes.put(None)

    @whole
    def flush(self) -> None:
        self.wire.flush()

    send = flush  # as the event loops name it

    def collect(self, ending: bool) -> list[Any]:
        """What is to be said now, encoded; we hold the lock.

        With `ending` a call may have ended: what its ends have in stock is given back ahead of its reply, so that
        whoever goes on from there finds it in its place.
        """
        out = self.out
        if ending:
            self.travelling = [], self.travelling[0]
        if ending and self.active:
            for end in list(self.active):
                end.rest()
        while self.freed:
            self.slots.append(self.freed.popleft())
        messages = [out.popleft() for _ in range(len(out))]
        if self.dirty:
            dirty, self.dirty = self.dirty, []
            messages += [end.pack() for end in dirty]
        self.flushed = perf_counter()
        return messages

    def detach(self, end: int, slot: int, kept: int) -> None:
        """An end is held by nobody any more.  This may run in any thread, in the middle of anything."""
        self.say(p.DETACH, end, kept)
        if slot >= 0:
            self.freed.append(slot)

    # -- a thread that looks after what lies about ----------------------------------------------

    def look_after(self) -> None:
        while True:
            self.wakes.get()
            quiet = 0
            while quiet < SLEEPY and not self.over:
                sleep(TICK)
                try:
                    quiet = 0 if self.tick() else quiet + 1
                except HostGone:
                    return  # whoever reads is told so, too
            if self.over:
                return
            self.awake = False
            if self.out or self.dirty or self.active:
                self.wake()

    def tick(self) -> bool:
        """See to it that nothing waits; was there anything?"""
        busy = False
        with self.lock:
            for end in list(self.active):
                if end.tidy():
                    busy = True
                else:
                    self.active.discard(end)
        if (self.out or self.dirty) and not self.guest.ending:
            self.flush()
            busy = True
        return busy

    def end(self) -> None:
        """The guest leaves, perhaps without its process."""
        self.over = True
        self.wakes.put(None)
