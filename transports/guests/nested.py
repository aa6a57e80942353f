"""Event loops below a method: a runtime that it has opened, or a loop that it runs itself.

An exception that is raised in the midst of a loop's own code breaks the loop.  So the loop is told instead: what runs
in it is cancelled, and the method ends in order.  Only a loop that does not run is broken into, where it runs user code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import get_ident
from time import monotonic
from typing import Any

STUCK = 0.05  # seconds after which a loop that has not answered is taken not to run


class Below:
    """One loop: `soon` has a function called in it, from anywhere; `strike` ends what runs there, and may be repeated."""

    def __init__(
        self, thread: int, soon: Callable[[Callable[[], None]], Any], strike: Callable[[], Any]
    ) -> None:
        self.thread = thread
        self.soon = soon
        self.strike = strike
        self.asked: float | None = None  # since when it has not answered

    def ring(self) -> bool:
        """Have it end what runs; False if it does not run itself."""
        if self.asked is not None:
            return monotonic() - self.asked < STUCK
        self.asked = monotonic()
        self.soon(self.answer)
        return True

    def answer(self) -> None:
        self.asked = None
        self.strike()


class Nested:
    """The loops below the method that a doorbell is for; `struck` is the last call that was ended by way of one."""

    def __init__(self) -> None:
        self.runtimes: list[Below] = []
        self.loops: dict[Any, Below] = {}  # the method's own, which need not know of us
        self.closing = 0  # runtimes that are closing in other threads, while the method waits for that
        self.struck = 0

    def hears(self, id: int, thread: int = 0) -> bool:
        """Is the interrupt of this call dealt with?  False if it is to be raised in the thread."""
        here = thread or get_ident()
        self.struck = id
        rings = [(below.thread == here, below.ring()) for below in self.runtimes]
        if self.closing:
            return True
        in_thread = [runs for same, runs in rings if same]
        if not in_thread and not thread and (below := self.loop_here()) is not None:
            in_thread = [below.ring()]
        return bool(in_thread) and (all(in_thread) or is_delicate())

    def loop_here(self) -> Below | None:
        """The loop that the method runs in this very thread, if it has no runtime of ours."""
        for found in (trio_here(), asyncio_here()):
            if found is not None:
                key, soon, strike = found
                self.loops = {key: self.loops.get(key) or Below(get_ident(), soon, strike)}
                return self.loops[key]
        return None

    def ended(self, id: int, error: BaseException) -> bool:
        """Is this how a call ends that was interrupted by way of a loop?"""
        return self.struck == id and only_ends(error)


Found = tuple[Any, Callable[[Callable[[], None]], Any], Callable[[], Any]]


def trio_here() -> Found | None:
    trio: Any = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_run():
        return None

    def strike() -> None:
        """Cancel the main task; `trio.run` raises that."""
        nurseries = trio.lowlevel.current_root_task().child_nurseries
        if len(nurseries) == 3:  # those of `run_sync_soon`, of system tasks, of the main task
            nurseries[-1].cancel_scope.cancel()

    token = trio.lowlevel.current_trio_token()
    return token, token.run_sync_soon, strike


def asyncio_here() -> Found | None:
    if "asyncio" not in sys.modules:
        return None
    asyncio: Any = sys.modules["asyncio"]
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None

    def strike() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()

    return loop, loop.call_soon_threadsafe, strike


def is_delicate() -> bool:
    """Is what was interrupted trio's own code, or some that must not be torn apart?"""
    trio: Any = sys.modules.get("trio")
    return trio is not None and trio.lowlevel.in_trio_run() and trio.lowlevel.currently_ki_protected()


def only_ends(error: BaseException) -> bool:
    """Is it a cancellation or an interrupt, or several of them?"""
    if isinstance(error, BaseExceptionGroup):
        return all(map(only_ends, error.exceptions))  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return isinstance(error, KeyboardInterrupt) or type(error).__name__ in ("Cancelled", "CancelledError")
