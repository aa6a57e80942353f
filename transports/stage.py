"""What a runtime's actors stand on: the hub, the end of ticks, the timers and the keepers, as one thing."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from threading import get_ident
from typing import Any

import trio

from .files import Files
from .hub import make_hub
from .places.keepers import Keepers
from .places.screen import screens
from .places.terminal import Terminal
from .system.bubblewrap import Finder
from .system.oom import OomKills
from .ticks import EndOfTick
from .timers import Timers

FIRST_OF_MANY = 1 << 40


class Stage:
    """Owned by a runtime; `run` serves it until cancelled."""

    __slots__ = (
        "bubblewrap",
        "files",
        "hub",
        "ids",
        "keepers",
        "many",
        "next_id",
        "now",
        "oom",
        "reserves",
        "screens",
        "terminal",
        "thread",
        "ticks",
        "timers",
    )

    def __init__(self) -> None:
        self.thread = get_ident()
        self.hub = make_hub()
        self.ticks = EndOfTick(self.hub.arrived)
        self.timers = Timers(before_firing=self.hub.catch_up)
        self.keepers = Keepers(self.hub, self.timers)
        self.terminal = Terminal(self.hub)
        self.screens = screens()
        self.files = Files()
        self.bubblewrap = Finder()
        self.oom = OomKills()
        self.reserves: dict[str, Any] = {}  # the standbys of actors that have some, by path
        self.ids = itertools.count(1)
        self.many = itertools.count()
        self.next_id: Callable[[], int] = self.ids.__next__
        self.now: Callable[[], float] = trio.lowlevel.current_clock().current_time

    def next_ids(self) -> int:
        """The first of 256 message ids in a row, far from those that are given one by one."""
        return FIRST_OF_MANY + 256 * next(self.many)

    def soon(self, function: Callable[..., None], *args: Any) -> None:
        """Call a function in the runtime's own thread, from anywhere: another thread, a finalizer, a signal handler."""
        token = self.ticks.token
        if token is not None:
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(function, *args)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        shown = [screen.run for screen in self.screens.values()]
        async with trio.open_nursery() as nursery:
            for service in (self.hub.run, self.ticks.run, self.timers.run, self.files.run, *shown):
                await nursery.start(service)
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self.terminal.close()
