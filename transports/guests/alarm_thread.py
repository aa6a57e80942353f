"""The thread in which a guest with threads runs its actor's timers; there is none before the first timer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .alarms import Alarms
from .backstage import ActorTimer
from .guest import Leave
from .performance import Aside
from .wire import HostGone

if TYPE_CHECKING:
    from .threads import Threads


class AlarmThread:
    """One timer runs at a time, beside the calls."""

    def __init__(self, loop: Threads) -> None:
        self.loop = loop
        self.alarms = Alarms()
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = None
        self.aside: Aside | None = None  # of the function that runs
        self.begun = False
        self.over = False

    @property
    def busy(self) -> bool:
        """Does a timer's function run?"""
        return self.aside is not None

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        with self.changed:
            timer = self.alarms.schedule(seconds, period, function, args)
            timer.on_cancel = self.disarm
            self.wake()
        return timer

    def disarm(self, timer: ActorTimer) -> None:
        with self.changed:
            self.alarms.disarm(timer)

    def clear(self) -> None:
        with self.changed:
            self.alarms.clear()

    def begin(self) -> None:
        """The actor has started: timers may run."""
        with self.changed:
            self.begun = True
            self.wake()

    def wake(self) -> None:
        self.changed.notify()
        if self.begun and self.thread is None and self.alarms.heap and not self.over:
            name = f"{threading.current_thread().name}, timers"
            self.thread = threading.Thread(target=self.run, name=name, daemon=True)
            self.thread.start()

    def end(self) -> None:
        """No further run begins, and the one that has begun is interrupted."""
        with self.changed:
            self.over = True
            self.changed.notify()
            if self.aside is not None:
                self.aside.close()

    # -- in its thread --------------------------------------------------------------------------

    def run(self) -> None:
        while (timer := self.next_due()) is not None:
            try:
                self.perform(timer)
            except Leave as leave:
                return self.loop.depart(leave)
            except HostGone:
                return None

    def next_due(self) -> ActorTimer | None:
        """Wait for a timer that is due; None when the guest ends."""
        with self.changed:
            while not self.over:
                timer = self.alarms.next_due() if self.loop.held is None else None
                if timer is not None:
                    self.aside = Aside(self.loop)
                    return timer
                self.changed.wait(self.alarms.wait() if self.loop.held is None else None)
        return None

    def perform(self, timer: ActorTimer) -> None:
        function = timer.function
        try:
            if function is not None and self.aside is not None:
                self.loop.run_timer(self.aside, function, timer.args)
        finally:
            with self.changed:
                self.aside = None
            with self.loop.lock:
                self.loop.calm.notify_all()
        with self.changed:
            self.alarms.ran(timer)
            if timer.pending:
                timer.on_cancel = self.disarm
