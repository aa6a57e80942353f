"""The loop for `async` methods under trio."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import trio

from . import protocol as p
from .guest import Guest, Leave, Settings
from .tasks import Job, Tasks
from .wire import HostGone


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
            self.nursery.start_soon(self.read)
            await self.over.wait()
            self.nursery.cancel_scope.cancel()

    async def read(self) -> None:
        descriptor = self.wire.fileno()
        if descriptor < 0:
            self.wire.listen(self.wake_reader)
            self.pull()
            await trio.sleep_forever()
        while True:
            await trio.lowlevel.wait_readable(descriptor)
            self.pull()

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
        if self.idle:
            trio.lowlevel.reschedule(self.idle.pop())
        else:
            assert self.nursery is not None
            self.base.run(self.nursery.start_soon, self.work)

    async def work(self) -> None:
        """Take a call each time we are woken, until one is cancelled: the scope is then used up."""
        task = trio.lowlevel.current_task()

        def leave_idle(_: Any) -> trio.lowlevel.Abort:
            self.idle.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        with trio.CancelScope() as scope:
            while True:
                await self.run(self.jobs.popleft(), scope)
                if scope.cancel_called:
                    return
                self.idle.append(task)
                task.context = self.base.copy()  # from the next step on, which is the next call's
                await trio.lowlevel.wait_task_rescheduled(leave_idle)

    async def run(self, job: Job, scope: trio.CancelScope) -> None:
        id = job.message[1]
        job.stop = scope.cancel
        reply = self.guest.values.encode((p.SKIPPED if job.stopped else p.INTERRUPTED, id))
        try:
            if not job.stopped:
                reply = await self.perform(job)
        except (Leave, HostGone) as leave:
            self.part(leave)
        finally:
            self.finished(job.group, id, reply)

    async def rest(self) -> None:
        await trio.lowlevel.checkpoint()

    def soon(self, function: Callable[[], None]) -> None:
        assert self.token is not None
        self.token.run_sync_soon(function)
