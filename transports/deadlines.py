"""Deadlines that can be held: while a person debugs a guest, none of its own falls due."""

from __future__ import annotations

from collections.abc import Callable

import trio

from .timers import Timer, Timers


class Deadline:
    """A pending deadline; `cancel()` makes it a no-op."""

    __slots__ = ("action", "group", "left", "timer")

    def __init__(self, group: Deadlines, seconds: float, action: Callable[[], None]) -> None:
        self.group = group
        self.left = seconds
        self.action = action
        self.timer: Timer | None = None

    def run(self) -> None:
        """Let its time pass from now on."""
        self.timer = self.group.timers.after(self.left, self.due)

    def pause(self) -> None:
        if self.timer is not None:
            self.left = max(0.0, self.timer.at - trio.current_time())
            self.timer.cancel()
            self.timer = None

    def due(self) -> None:
        self.group.pending.discard(self)
        self.action()

    def cancel(self) -> None:
        self.group.pending.discard(self)
        if self.timer is not None:
            self.timer.cancel()


class Deadlines:
    """All deadlines of one incarnation.  Held more than once, they go on with the last release."""

    __slots__ = ("holds", "pending", "timers")

    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.pending: set[Deadline] = set()
        self.holds = 0

    @property
    def held(self) -> bool:
        return self.holds > 0

    def after(self, seconds: float, action: Callable[[], None]) -> Deadline:
        """Run `action` after so many seconds; what is held does not count."""
        deadline = Deadline(self, seconds, action)
        self.pending.add(deadline)
        if not self.holds:
            deadline.run()
        return deadline

    def hold(self) -> None:
        """Let no deadline fall due until `release`."""
        self.holds += 1
        for deadline in self.pending:
            deadline.pause()

    def release(self) -> None:
        """Go on: each deadline has the seconds it had left."""
        self.holds -= 1
        if not self.holds:
            for deadline in self.pending:
                deadline.run()
