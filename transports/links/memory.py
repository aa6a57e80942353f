"""A link within one process: lists of messages pass from the runtime's thread to a guest's and back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from ..guests.interrupts import whole
from ..guests.wire import HostGone

MOMENT = 50e-6  # seconds; a change of threads and back takes about a third

Soon = Callable[[Callable[[], None]], None]


class MemoryLink:
    """The host's end.  `soon` calls a function in the runtime's own thread, from any other."""

    __slots__ = (
        "bell", "looking", "number", "on_breach", "on_drained", "on_end", "on_messages", "out", "rest", "scheduled", "soon", "wire",
    )  # fmt: skip

    def __init__(self, soon: Soon) -> None:
        self.soon = soon
        self.number = 0
        self.rest: None = None
        self.wire = MemoryWire(self)
        self.out: deque[list[Any]] = deque()  # what the guest has said, frame by frame
        self.scheduled = False
        self.looking = False  # the runtime's thread waits for the bell
        self.bell = threading.Lock()
        self.bell.acquire()
        self.on_messages: Callable[[list[Any]], None] = lambda messages: None
        self.on_end: Callable[[str], None] = lambda why: None
        self.on_breach: Callable[[str], None] = lambda why: None
        self.on_drained: Callable[[], None] = lambda: None

    def open(self) -> None:
        """Nothing needs watching: the guest's thread tells."""

    def close(self) -> None:
        """Close our end: the guest finds nobody there.  Idempotent."""
        if self.number >= 0:
            self.number = -1
            self.out.clear()
            self.wire.given.clear()  # what the guest has not looked at, it never will
            self.wire.put(None)

    def send_now(self, messages: list[Any]) -> None:
        if messages and self.number >= 0:
            self.wire.put(messages)

    def send(self, message: Any) -> None:
        self.send_now([message])

    def tell(self, messages: list[Any]) -> None:
        """The guest says something, in its own thread."""
        if self.number < 0:
            raise HostGone
        self.out.append(messages)
        if self.looking:
            if self.bell.locked():
                self.bell.release()
        elif not self.scheduled:
            self.scheduled = True
            self.soon(self.read)

    def read(self) -> None:
        self.scheduled = False
        while self.out and self.number >= 0:
            self.on_messages(self.out.popleft())

    def look(self) -> None:
        """Take what may have come, unasked; the guest's thread gets the interpreter for a moment."""
        self.looking = True
        if not self.out:
            self.bell.acquire(timeout=MOMENT)
        self.looking = False
        self.read()

    def drain(self) -> None:
        self.read()


class MemoryWire:
    """The guest's end."""

    __slots__ = ("early", "given", "heard", "link", "office", "out", "wake")

    office: Any  # of channels, once there are any
    shared: type[MemoryWire]  # what it is from then on

    def __init__(self, link: MemoryLink) -> None:
        self.link = link
        self.out: list[Any] = []
        self.early: list[list[Any] | None] | None = None
        self.given: list[Any] = []  # what the guest last took
        self.heard: SimpleQueue[list[Any] | None] = SimpleQueue()
        self.wake: Callable[[], None] | None = None

    def put(self, messages: list[Any] | None) -> None:
        """The host says something, in its own thread; None: it is gone."""
        self.heard.put(messages)
        if self.wake is not None:
            self.wake()

    def receive(self) -> list[Any]:
        """Wait for the next messages; raises HostGone when the link has ended."""
        self.given = self.next_heard(True)
        return self.given

    def feed(self, data: bytes) -> list[Any]:
        raise TypeError("no bytes pass within one process")

    def ready(self, seconds: float) -> bool:
        """Wait at most so long until there is something to take; False if there is not."""
        if self.early is None:
            try:
                self.early = [self.heard.get(timeout=max(0.0, seconds))]
            except Empty:
                return False
        return True

    def next_heard(self, wait: bool) -> list[Any]:
        """The next messages, those first that `ready` has found; raises Empty."""
        if self.early is not None:
            (messages,), self.early = self.early, None
            return self.checked(messages)
        return self.checked(self.heard.get(wait))

    def take(self) -> list[Any]:
        """The messages that have come."""
        found = self.given = []
        while True:
            try:
                found += self.next_heard(False)
            except Empty:
                return found

    def checked(self, messages: list[Any] | None) -> list[Any]:
        if messages is None:
            self.heard.put(None)  # whoever asks again hears it again
            raise HostGone
        return messages

    def flush(self) -> None:
        if self.out:
            out, self.out = self.out, []
            self.link.tell(out)

    def fileno(self) -> int:
        """There is no descriptor to watch."""
        return -1

    def listen(self, wake: Callable[[], None]) -> None:
        """From now on call `wake`, in the host's thread, whenever something has come."""
        self.wake = wake


class SharedMemoryWire(MemoryWire):
    """The same, where several threads write: what channels have to say leaves ahead of all else."""

    __slots__ = ()

    @whole
    def flush(self) -> None:
        office, out = self.office, self.out
        with office.lock:
            if office.out or office.dirty or (out and (office.active or any(office.travelling))):
                messages = office.collect(bool(out))
                if messages:
                    self.link.tell(messages)
            if out:
                size = len(out)
                told = out[:size]
                del out[:size]  # others may have added to it
                self.link.tell(told)


MemoryWire.shared = SharedMemoryWire
