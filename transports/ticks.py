"""The one module that leans on what trio does but does not promise; each lean has a tested fallback.

* A parked task can be woken with any object that has `unwrap()`: trio only ever calls that.  So a call
  record is its own outcome.  Fallback: `outcome.Value` and `outcome.Error`.
* An instrument's `before_io_wait` runs at the end of each tick, with no task and no extra tick.  It must not
  raise (trio would drop the instrument) nor reschedule (the time to sleep is computed already), so what fails
  in it is handed over by `run_sync_soon`.  Fallback: a task that flushes one tick later.
* Its `after_io_wait` runs before the next batch of tasks is made, so replies read there wake their callers a
  tick earlier.  Fallback: the hub's own task reads.
* What `wait_task_rescheduled` says to trio may be said again: making that message costs more than all else of
  a sleep.  So it is made once for a berth, and berths are used in turn.  Fallback: the function itself.

`UNDERSTUDY_PLAIN_TICKS=1` chooses the fallbacks.
"""

from __future__ import annotations

import os
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol

import outcome
import trio
from trio.lowlevel import Abort, Task, reschedule, wait_task_rescheduled

PLAIN = os.environ.get("UNDERSTUDY_PLAIN_TICKS", "") not in ("", "0")


class Result(Protocol):
    """What a parked task is woken with."""

    def unwrap(self) -> Any: ...


def wake_by_outcome(task: Task, result: Result) -> None:
    """Wake a parked task with an outcome of trio's own kind."""
    reschedule(task, outcome.capture(result.unwrap))


# Wake a parked task; its wait returns `result.unwrap()`, or raises what that raises.
wake: Callable[[Task, Any], None] = wake_by_outcome if PLAIN else reschedule

# Wait until woken; the argument decides what a cancellation does.
park: Callable[[Callable[[Any], Abort]], Awaitable[Any]] = wait_task_rescheduled


class Sleeper(Protocol):
    """Whom a task waits for, alone."""

    def abandoned(self, raise_cancel: Callable[[], Any], /) -> Abort: ...


class Berth:
    """Where a task sleeps until its sleeper is there; only one at a time."""

    __slots__ = ("message", "sleeper")

    def __init__(self) -> None:
        self.sleeper: Sleeper | None = None
        waiting: Any = wait_task_rescheduled(self.abort)  # noqa: ASYNC105  only what it says is wanted
        self.message = waiting.send(None)
        waiting.close()

    def abort(self, raise_cancel: Callable[[], Any]) -> Abort:
        assert self.sleeper is not None
        return self.sleeper.abandoned(raise_cancel)


SPARE = 1024  # berths kept for the next sleepers

berths: list[Berth] = []


@types.coroutine
def sleep_in_berth(sleeper: Sleeper) -> Generator[Any, Any, Any]:
    """Wait until woken with a result; a cancellation asks `sleeper.abandoned`."""
    try:
        berth = berths.pop()
    except IndexError:
        berth = Berth()
    berth.sleeper = sleeper
    try:
        result = yield berth.message
    finally:
        berth.sleeper = None
        if len(berths) < SPARE:
            berths.append(berth)
    return result.unwrap()


async def sleep_plainly(sleeper: Sleeper) -> Any:
    """As `sleep_in_berth`, by trio's own function."""
    return await wait_task_rescheduled(sleeper.abandoned)


sleep: Callable[[Any], Awaitable[Any]] = sleep_plainly if PLAIN else sleep_in_berth


class EndOfTick(trio.abc.Instrument):
    """Calls each function given to `soon` once at the end of this tick, and `arrived` when a wait for I/O ends."""

    def __init__(self, arrived: Callable[[], None] = lambda: None) -> None:
        self.arrived = arrived
        self.due: list[Callable[[], None]] = []
        self.soon = self.due.append
        self.token: trio.lowlevel.TrioToken | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Stay installed until cancelled."""
        self.token = trio.lowlevel.current_trio_token()
        if PLAIN:
            flusher = Flusher(self)
            self.soon = flusher.soon
            await flusher.run(task_status)
        trio.lowlevel.add_instrument(self)
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            self.flush()
            trio.lowlevel.remove_instrument(self)

    def before_io_wait(self, timeout: float) -> None:
        if self.due:
            try:
                self.flush()
            except BaseException as error:
                self.report(error)

    def after_io_wait(self, timeout: float) -> None:
        # Tasks woken here run in this very tick: the batch is made after this.
        try:
            self.arrived()
        except BaseException as error:
            self.report(error)

    def report(self, error: BaseException) -> None:
        """An instrument that raises is dropped by trio for good; a bug of ours must be seen instead."""
        assert self.token is not None
        self.token.run_sync_soon(fail, error)

    def flush(self) -> None:
        due = self.due
        while due:  # what is asked for meanwhile is due as well: the loop may sleep long after this
            functions = due.copy()
            due.clear()
            for function in functions:
                function()


def fail(error: BaseException) -> None:
    raise error


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
