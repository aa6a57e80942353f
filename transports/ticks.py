"""The one module that leans on what trio does but does not promise; each lean has a tested fallback.

* A parked task can be woken with any object that has `unwrap()`: trio only ever calls that.  So a call
  record is its own outcome.  Fallback: `outcome.Value` and `outcome.Error`.
* An instrument's `before_io_wait` runs at the end of each tick, with no task and no extra tick.  It must not
  raise (trio would drop the instrument) nor reschedule (the time to sleep is computed already), so what fails
  in it is handed over by `run_sync_soon`.  Fallback: a task that flushes one tick later.

`UNDERSTUDY_PLAIN_TICKS=1` chooses the fallbacks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import outcome
import trio
from trio.lowlevel import Abort, Task, reschedule, wait_task_rescheduled

PLAIN = os.environ.get("UNDERSTUDY_PLAIN_TICKS", "") not in ("", "0")


class Result(Protocol):
    """What a parked task is woken with."""

    def unwrap(self) -> Any: ...


def wake_directly(task: Task, result: Result) -> None:
    """Wake a parked task; its wait returns `result.unwrap()`, or raises what that raises."""
    reschedule(task, result)  # type: ignore[arg-type]


def wake_by_outcome(task: Task, result: Result) -> None:
    """Wake a parked task with an outcome of trio's own kind."""
    reschedule(task, outcome.capture(result.unwrap))


wake = wake_by_outcome if PLAIN else wake_directly


async def park(abort: Callable[[Any], Abort]) -> Any:
    """Wait until woken; `abort` decides what a cancellation does."""
    return await wait_task_rescheduled(abort)


class EndOfTick(trio.abc.Instrument):
    """Calls each function given to `soon` once, at the end of this tick."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []
        self.soon = self.due.append
        self.flusher: Flusher | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Stay installed until cancelled."""
        if PLAIN:
            self.flusher = Flusher(self)
            self.soon = self.flusher.soon
            await self.flusher.run(task_status)
        trio.lowlevel.add_instrument(self)
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            self.flush()
            # trio has removed it already if it ever raised; it never should.
            trio.lowlevel.remove_instrument(self)

    def before_io_wait(self, timeout: float) -> None:
        if self.due:
            self.flush()

    def flush(self) -> None:
        due, self.due[:] = self.due[:], []
        for function in due:
            function()


class Flusher:
    """The fallback: a task that is woken by the first request of a tick."""

    def __init__(self, ticks: EndOfTick) -> None:
        self.ticks = ticks
        self.wanted = trio.Event()

    def soon(self, function: Callable[[], None]) -> None:
        self.ticks.due.append(function)
        self.wanted.set()

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            while True:
                await self.wanted.wait()
                self.wanted = trio.Event()
                self.ticks.flush()
        finally:
            self.ticks.flush()
