"""What runs beside the calls in a loop with tasks: hooks and timers, each `async` or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from threading import get_ident
from typing import Any, Protocol

from .backstage import ActorTimer
from .concurrent import Concurrent
from .context import role
from .guest import Guest, Leave, Settings
from .hooks import let_through, mend, name_of
from .wire import HostGone


class Signal(Protocol):
    """An event of either loop."""

    def set(self) -> Any: ...
    async def wait(self) -> Any: ...


class Asides(Concurrent):
    """A timer has a task of its own; what is not `async` runs at once, between two steps of the others."""

    make_signal: Callable[[], Signal]
    cancelled: type[BaseException]

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.thread = get_ident()
        self.asking = guest.asking
        self.base = copy_context()  # what each call has a copy of
        self.timers: dict[ActorTimer, Signal] = {}
        self.started = False
        self.mended: Signal | None = None  # while the actor repairs itself
        guest.running.asker, guest.running.backstage = self, self
        guest.on_struck = self.on_struck

    # -- what a loop does -----------------------------------------------------------------------

    def start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Run an `async` function in a task that ends with the actor."""
        raise NotImplementedError

    async def until(self, signal: Signal, at: float) -> None:
        """Wait for a signal, at most until a time of the loop's clock."""
        raise NotImplementedError

    def now(self) -> float:
        raise NotImplementedError

    def flush(self) -> None:
        """Send what is finished."""
        raise NotImplementedError

    def part(self, leave: BaseException) -> None:
        """The guest leaves."""
        raise NotImplementedError

    # -- hooks ----------------------------------------------------------------------------------

    async def cue(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run a hook in the task we are in."""
        here = self.beside()
        here.asker = self
        token = role.set(here)
        try:
            value = function(*args)
            return await value if is_awaitable(value) else value
        finally:
            role.reset(token)

    def passes(self, error: BaseException) -> bool:
        return isinstance(error, (self.cancelled, HostGone))

    def on_struck(self) -> None:
        """Nothing begins before the actor has repaired itself."""
        if self.mended is None:
            self.mended = self.make_signal()
            self.hold()
            self.start_soon(self.mend, self.mended)

    async def mend(self, mended: Signal) -> None:
        try:
            await mend(self)
            self.mended = None
            self.release()
            self.flush()
        except (Leave, HostGone) as leave:
            self.part(leave)
        mended.set()

    # -- timers ---------------------------------------------------------------------------------

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        timer = ActorTimer(self.now() + seconds, period, function, args)
        cancelled = self.timers[timer] = self.make_signal()
        timer.on_cancel = lambda _: cancelled.set()
        if self.started and not self.guest.ending:
            self.start_soon(self.tick, timer, cancelled)
        return timer

    def begin_timers(self) -> None:
        """Those that were set while the actor started."""
        for timer, cancelled in list(self.timers.items()):
            self.start_soon(self.tick, timer, cancelled)

    def clear(self) -> None:
        self.timers.clear()

    async def tick(self, timer: ActorTimer, cancelled: Signal) -> None:
        """One timer, to its last run."""
        try:
            while timer.pending:
                await self.until(cancelled, timer.at)
                while self.mended is not None:
                    await self.mended.wait()
                await self.run_timer(timer)
        except (Leave, HostGone) as leave:
            self.part(leave)
        finally:
            self.timers.pop(timer, None)

    async def run_timer(self, timer: ActorTimer) -> None:
        function: Any = timer.function
        if function is None or self.guest.ending:
            return timer.cancel()
        try:
            await self.cue(function, *timer.args)
        except BaseException as error:
            let_through(self, error)
            self.guest.fall(name_of(function), error)
        timer.advance(self.now())


def is_awaitable(value: object) -> bool:
    return isinstance(value, Awaitable)
