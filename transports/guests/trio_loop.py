"""The loop for `async` methods under trio."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import trio

from . import protocol as p
from .glimpse import Glimpse
from .guest import Guest, Leave, Settings
from .relay import relay
from .tasks import Job, Tasks
from .wire import HostGone

NO_GLIMPSE: Any = None


def no_lead() -> None:
    """Somebody else has the lead."""


class TrioLoop(Tasks, trio.abc.Instrument):
    """Calls run in a few tasks that are used again and again: a new task would cost more than a call."""

    make_signal = trio.Event
    cancelled = trio.Cancelled

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.jobs: deque[Job] = deque()
        self.idle: list[trio.lowlevel.Task] = []
        self.token: trio.lowlevel.TrioToken | None = None
        self.nursery: trio.Nursery | None = None
        self.led = False  # one of the tasks reads, or runs what it has read and has not had to wait
        self.pulling = False
        self.glimpse = Glimpse(self.wire.fileno()) if self.wire.fileno() >= 0 else NO_GLIMPSE

    def play(self) -> None:
        trio.run(self.main, restrict_keyboard_interrupt_to_checkpoints=True)
        assert self.leave is not None
        raise self.leave

    async def main(self) -> None:
        self.over = trio.Event()
        self.token = trio.lowlevel.current_trio_token()
        try:
            self.make_actor()
            self.guest.say([p.READY])
        except (Leave, HostGone) as leave:
            self.leave = leave
            return
        trio.lowlevel.add_instrument(self)
        async with trio.open_nursery() as self.nursery:
            if self.wire.fileno() >= 0:
                self.wake_one()  # who has no call to run reads
            else:
                self.led = True
                self.wire.listen(self.wake_reader)
                self.pull()
            await self.over.wait()
            self.nursery.cancel_scope.cancel()

    def wake_reader(self) -> None:
        assert self.token is not None
        try:
            self.token.run_sync_soon(self.pull)
        except trio.RunFinishedError:
            pass  # the guest has left; its host will see

    def before_io_wait(self, timeout: float) -> None:
        if self.wire.out or self.dirty:
            self.flush()

    # -- tasks ----------------------------------------------------------------------------------

    def launch(self, job: Job) -> None:
        self.jobs.append(job)
        if not self.pulling:
            self.wake_one()

    def wake_one(self) -> None:
        if self.idle:
            trio.lowlevel.reschedule(self.idle.pop())
        else:
            assert self.nursery is not None
            self.base.run(self.nursery.start_soon, self.work)

    async def work(self) -> None:
        """Run one call after another, until one is cancelled: the scope is then used up.

        Who has none to run reads, if nobody does; it runs what it has read at once, and another reads when that
        has to wait.  So a call that need not wait costs no switch of tasks.
        """
        with trio.CancelScope() as scope:
            while not scope.cancel_called:
                if self.jobs:
                    await self.run(self.jobs.popleft(), scope, no_lead)
                elif self.led:
                    await self.be_idle()
                else:
                    await self.lead(scope)
        if not self.led:
            self.wake_one()

    async def be_idle(self) -> None:
        task = trio.lowlevel.current_task()

        def leave_idle(_: Any) -> trio.lowlevel.Abort:
            self.idle.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        self.idle.append(task)
        await trio.lowlevel.wait_task_rescheduled(leave_idle)

    async def lead(self, scope: trio.CancelScope) -> None:
        """Read until there is a call, and run it; the lead is passed on as soon as it waits."""
        self.led = True
        try:
            while not self.jobs:
                await self.read()
        except BaseException:
            self.led = False
            raise
        for _ in range(len(self.jobs) - 1):
            self.wake_one()
        passed = False

        def pass_lead() -> None:
            nonlocal passed
            passed, self.led = True, False
            self.wake_one()

        await self.run(self.jobs.popleft(), scope, pass_lead)
        if not passed:
            self.led = False

    async def read(self) -> None:
        """Take what has come, or will come."""
        glimpse = self.glimpse
        data = None
        if not self.running:  # else somebody else may have something to do
            self.flush()
            data = glimpse.look()
        if data is None:
            await trio.lowlevel.wait_readable(glimpse.sock)
        elif glimpse.enough:
            await trio.lowlevel.checkpoint()
        self.pulling = True
        try:
            self.pull(data)
        finally:
            self.pulling = False

    async def run(self, job: Job, scope: trio.CancelScope, on_wait: Callable[[], None]) -> None:
        id = job.message[1]
        job.stop = scope.cancel
        reply = self.guest.values.encode((p.SKIPPED if job.stopped else p.INTERRUPTED, id))
        try:
            if not job.stopped:
                reply = await relay(self.perform(job), self.base.copy(), on_wait)
        except (Leave, HostGone) as leave:
            self.part(leave)
        finally:
            self.finished(job.group, id, reply)

    async def rest(self) -> None:
        await trio.lowlevel.checkpoint()

    def soon(self, function: Callable[[], None]) -> None:
        assert self.token is not None
        self.token.run_sync_soon(function)
