"""One task that watches every descriptor of a runtime and calls back when there is something to read."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable

import trio

from .system.means import has
from .ticks import PLAIN

BUFFERS = 4  # reads, after which a socket's buffer was surely read once
MOST = 64  # descriptors served in one go; the others are still ready in the next


class Hub:
    """Watches descriptors on a nested, level-triggered epoll: one wake-up serves them all."""

    def __init__(self) -> None:
        self.readers: dict[int, Callable[[], None]] = {}
        self.writers: dict[int, Callable[[], None]] = {}
        self.epoll = select.epoll()

    def watch(self, descriptor: int, on_readable: Callable[[], None]) -> None:
        """Call back whenever the descriptor is readable or at its end, until `forget`."""
        self.readers[descriptor] = on_readable
        self.epoll.register(descriptor, select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Stop watching; must precede closing the descriptor."""
        self.writers.pop(descriptor, None)
        if self.readers.pop(descriptor, None) is not None and not self.epoll.closed:
            self.epoll.unregister(descriptor)

    def when_writable(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Call back once, when a watched descriptor takes more bytes; safe at the end of a tick."""
        self.writers[descriptor] = callback
        self.epoll.modify(descriptor, select.EPOLLIN | select.EPOLLOUT)

    def poll(self) -> bool:
        """Serve whatever is ready now, up to a limit; False if nothing was."""
        ready = self.epoll.poll(0, MOST)
        for descriptor, events in ready:
            # A callback before this one may have forgotten it.
            if events & select.EPOLLOUT and descriptor in self.writers:
                self.epoll.modify(descriptor, select.EPOLLIN)
                self.writers.pop(descriptor)()
            if events != select.EPOLLOUT and descriptor in self.readers:
                self.readers[descriptor]()
        return bool(ready)

    def catch_up(self) -> None:
        """Read what a long absence let arrive, as far as socket buffers go; a guest that floods us is left then."""
        for _ in range(BUFFERS * (1 + len(self.readers) // MOST)):
            if not self.poll():
                return

    def arrived(self) -> None:
        """A wait for I/O has ended: read before any task runs."""
        if self.readers:
            self.poll()

    def let_go(self) -> None:
        """In a forked child: touch nothing that is shared with the parent."""
        self.readers.clear()
        self.writers.clear()
        self.epoll.close()

    @trio.lowlevel.enable_ki_protection
    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """End the event loop's sleep when something is ready; where ticks are plain, read it as well."""
        task_status.started()
        number = self.epoll.fileno()
        try:
            while True:
                await trio.lowlevel.wait_readable(number)
                if PLAIN:
                    self.poll()
        finally:
            self.epoll.close()


class TaskHub(Hub):
    """Where epoll is missing: a task per descriptor."""

    def __init__(self) -> None:
        self.readers = {}
        self.writers = {}
        self.scopes: dict[int, trio.CancelScope] = {}
        self.nursery: trio.Nursery | None = None
        self.token: trio.lowlevel.TrioToken | None = None

    def watch(self, descriptor: int, on_readable: Callable[[], None]) -> None:
        assert self.nursery is not None, "the hub is not running"
        self.readers[descriptor] = on_readable
        self.scopes[descriptor] = scope = trio.CancelScope()
        self.nursery.start_soon(self.wait, descriptor, on_readable, scope)

    def forget(self, descriptor: int) -> None:
        self.writers.pop(descriptor, None)
        if self.readers.pop(descriptor, None) is not None:
            self.scopes.pop(descriptor).cancel()
            trio.lowlevel.notify_closing(descriptor)

    def when_writable(self, descriptor: int, callback: Callable[[], None]) -> None:
        # At the end of a tick no task may be made; the token's queue is served in the next one.
        assert self.nursery is not None and self.token is not None, "the hub is not running"
        self.writers[descriptor] = callback
        self.token.run_sync_soon(self.nursery.start_soon, self.wait_writable, descriptor)

    def arrived(self) -> None:
        """Each descriptor has a task that reads."""

    def let_go(self) -> None:
        self.readers.clear()
        self.writers.clear()

    def poll(self) -> bool:
        ready = readable(list(self.readers))
        for descriptor in ready:
            reader = self.readers.get(descriptor)
            if reader is not None:
                reader()
        return bool(ready)

    @trio.lowlevel.enable_ki_protection
    async def wait(self, descriptor: int, on_readable: Callable[[], None], scope: trio.CancelScope) -> None:
        with scope, contextlib.suppress(trio.ClosedResourceError):
            while self.readers.get(descriptor) is on_readable:
                await trio.lowlevel.wait_readable(descriptor)
                if self.readers.get(descriptor) is on_readable:
                    on_readable()

    async def wait_writable(self, descriptor: int) -> None:
        if descriptor in self.writers:
            with contextlib.suppress(trio.ClosedResourceError):
                await trio.lowlevel.wait_writable(descriptor)
        if callback := self.writers.pop(descriptor, None):
            callback()

    @trio.lowlevel.enable_ki_protection
    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self.token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as self.nursery:
            task_status.started()
            await trio.sleep_forever()


def readable(descriptors: list[int]) -> list[int]:
    """Those that have something to read; by poll where there is one, since select stops at number 1024."""
    if not hasattr(select, "poll"):
        return select.select(descriptors, [], [], 0)[0]
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(0)]


def make_hub() -> Hub:
    """The best hub this system has."""
    return Hub() if has("epoll") else TaskHub()
