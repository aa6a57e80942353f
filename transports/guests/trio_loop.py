"""The loop for `async` methods under trio."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import trio

from . import protocol as p
from .asides import Signal
from .glimpse import Glimpse
from .guest import Guest, Leave, Settings
from .hooks import fall, first_of
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
        self.calls: trio.Nursery | None = None
        self.background: trio.Nursery | None = None  # the actor's own tasks
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
        trio.lowlevel.add_instrument(self)
        if self.glimpse is NO_GLIMPSE:
            self.led = True
            self.wire.listen(self.wake_reader)
            self.pull()
        await self.live()
        if self.guest.why is not None and not isinstance(self.leave, HostGone):
            async with self.attended():
                await self.bow()

    async def live(self) -> None:
        """The actor's life: its own tasks are in a nursery around those of its calls and timers."""
        try:
            async with trio.open_nursery() as self.background:
                try:
                    async with self.attended():
                        started = await self.rise()
                    if started:
                        await self.serve()
                finally:
                    self.guest.ending = True
                    self.background.cancel_scope.cancel()
            if self.leave is None:
                raise RuntimeError("its nursery was cancelled")
        except BaseException as error:
            self.disturbed(first_of(error))

    async def serve(self) -> None:
        """Say READY, and run calls and timers until the end."""
        assert self.over is not None
        async with trio.open_nursery() as self.calls:
            self.get_ready()
            if not self.led:
                self.wake_one()  # who has no call to run reads
            await self.over.wait()
            self.calls.cancel_scope.cancel()

    def disturbed(self, error: BaseException) -> None:
        """One of the actor's own tasks raised, or it has cancelled its nursery."""
        try:
            if isinstance(error, HostGone):
                raise error
            if not self.started:
                self.guest.fail(error)
            elif self.guest.why is not None:
                self.guest.mishap(p.NURSERY, error)
            else:
                self.guest.fall("a task of its nursery", error)
        except (Leave, HostGone) as leave:
            self.part(leave)

    async def bow(self) -> None:
        """The last hooks; cut short if the host goes."""
        with trio.CancelScope() as last:
            self.give_up = last.cancel
            try:
                await fall(self)
            except HostGone as gone:
                self.part(gone)

    @asynccontextmanager
    async def attended(self) -> AsyncGenerator[None]:
        """Meanwhile the host is heard, though no call runs that could read."""
        async with trio.open_nursery() as nursery:
            if self.glimpse is not NO_GLIMPSE:
                nursery.start_soon(self.attend)
            yield
            nursery.cancel_scope.cancel()

    async def attend(self) -> None:
        while True:
            await trio.lowlevel.wait_readable(self.glimpse.sock)
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
        if not self.pulling:
            self.wake_one()

    def wake_one(self) -> None:
        if self.idle:
            trio.lowlevel.reschedule(self.idle.pop())
        else:
            self.start_soon(self.work)

    def start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        assert self.calls is not None
        self.base.run(self.calls.start_soon, function, *args)

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
        reply = self.guest.values.encode((p.SKIPPED if job.stopped else job.cut_short, id))
        try:
            if not job.stopped:
                reply = await relay(self.perform(job), self.base.copy(), on_wait)
        except (Leave, HostGone) as leave:
            self.part(leave)
        except trio.Cancelled:
            if job.stopped:
                self.guest.strike()
            else:
                self.guest.ending = True  # it is not this call that ends, but the actor
            raise
        finally:
            self.finished(job.group, id, reply)

    @property
    def nursery(self) -> trio.Nursery:
        assert self.background is not None
        return self.background

    def now(self) -> float:
        return trio.current_time()

    async def until(self, signal: Signal, at: float) -> None:
        with trio.move_on_at(at):
            await signal.wait()

    async def pause(self) -> None:
        await trio.lowlevel.checkpoint()

    def soon(self, function: Callable[[], None]) -> None:
        assert self.token is not None
        self.token.run_sync_soon(function)
