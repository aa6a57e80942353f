"""A guest in a thread of this process: what a host holds of it."""

from __future__ import annotations

import contextvars
import signal
import threading
from collections.abc import Callable
from typing import Any

from ..guests import protocol as p
from ..guests.context import role
from ..guests.guest import Guest, Leave
from ..guests.interrupts import Bell, Interrupted, ThreadDoorbell
from ..guests.wire import HostGone
from ..links.memory import MemoryLink
from ..objects import GuestObjects
from ..page import Page


class ThreadPage(Page):
    """The same words, in plain memory."""

    def __init__(self) -> None:
        self.words: Any = [0] * (p.PAGE_BYTES // 8)
        self.cancels = 0

    def close_descriptor(self) -> None:
        """It has none."""

    def close(self) -> None:
        """Nothing is held."""


class ThreadGuest(Guest):
    """A guest that shares its process with the host and with others."""

    def __init__(self, link: MemoryLink, page: ThreadPage, doorbell: ThreadDoorbell) -> None:
        super().__init__(link.wire, GuestObjects(), page.words, doorbell)
        self.link = link

    def run(self) -> None:
        """Serve until the end; whatever ends it has been told by then, or nobody is left to be told."""
        role.set(self.running)
        try:
            self.say([p.HELLO, p.VERSION, [*p.CAPABILITIES, p.PAGE_CAPABILITY], 0])
            self.serve()
        except (Leave, HostGone):
            pass
        finally:
            if self.channels is not None:
                self.channels.end()

    def answer(self, id: int, name: str, message: list[Any], doorbell: Bell) -> Any:
        try:
            return super().answer(id, name, message, doorbell)
        except Interrupted:  # rung once more while the first was dealt with
            doorbell.running = 0
            self.strike()
            return self.values.encode((p.INTERRUPTED, id))

    def part(self, leave: Leave) -> None:
        self.link.wire.put(None)


class ThreadPlace:
    """A thread, its link and its page.  It cannot be killed: what does not end is abandoned."""

    __slots__ = ("abandoned", "doorbell", "guest", "link", "on_cut", "on_end", "page", "soon", "thread")

    pid = 0

    def __init__(self, soon: Callable[..., None]) -> None:
        self.soon = soon
        self.page = ThreadPage()
        self.link: MemoryLink | None = None
        self.doorbell = ThreadDoorbell(self.page.words)
        self.thread: threading.Thread | None = None
        self.guest: ThreadGuest | None = None
        self.abandoned = False
        self.on_end: Callable[[], None] = lambda: None
        self.on_cut: Callable[[], None] = lambda: None

    @property
    def alive(self) -> bool:
        return self.thread is not None and self.thread.is_alive() and not self.abandoned

    def launch(self, label: str) -> MemoryLink:
        """Start the thread.

        Raises:
            RuntimeError: if the system refuses one.
        """
        link = self.link = MemoryLink(self.soon)
        guest = self.guest = ThreadGuest(link, self.page, self.doorbell)
        context = contextvars.Context()  # nothing of whoever starts it
        self.thread = threading.Thread(
            target=lambda: context.run(self.serve, guest), name=f"understudy {label}", daemon=True
        )
        self.thread.start()
        return link

    def serve(self, guest: ThreadGuest) -> None:
        try:
            guest.run()
        finally:
            self.soon(self.on_end)

    def interrupt(self, call_id: int) -> None:
        """Have the interpreter raise in the thread, if it runs this call."""
        self.page.interrupt(call_id)
        self.doorbell.ring()

    def greeted(self, number: int) -> None:
        """It has said hello."""

    def signal(self, number: int) -> None:
        """A thread hears no signals; the hardest cuts it off, so that it ends as soon as it looks up."""
        if number == signal.SIGKILL and self.guest is not None and self.guest.link.number >= 0:
            self.guest.ending = True
            self.close()
            self.on_cut()

    def close(self) -> None:
        if self.link is not None:
            self.link.close()
