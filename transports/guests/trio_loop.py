"""The loop for `async` methods under trio."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import trio

from . import protocol as p
from .asides import Signal
from .guest import Guest, Leave, Settings
from .hooks import fall, first_of
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
        self.calls: trio.Nursery | None = None
        self.background: trio.Nursery | None = None  # the actor's own tasks

    def play(self) -> None:
        trio.run(self.main, restrict_keyboard_interrupt_to_checkpoints=True)
        assert self.leave is not None
        raise self.leave

    async def main(self) -> None:
        self.over = trio.Event()
        self.token = trio.lowlevel.current_trio_token()
        trio.lowlevel.add_instrument(self)
        async with trio.open_nursery() as reading:
            reading.start_soon(self.read)
            await self.live()
            if self.guest.why is not None and not isinstance(self.leave, HostGone):
                with trio.CancelScope() as last:
                    self.give_up = last.cancel
                    await self.bow()
            reading.cancel_scope.cancel()

    async def live(self) -> None:
        """The actor's life: its own tasks are in a nursery around those of its calls and timers."""
        assert self.over is not None
        try:
            async with trio.open_nursery() as self.background:
                try:
                    async with trio.open_nursery() as self.calls:
                        if await self.rise():
                            await self.over.wait()
                        self.calls.cancel_scope.cancel()
                finally:
                    self.guest.ending = True
                    self.background.cancel_scope.cancel()
            if self.leave is None:
                raise RuntimeError("its nursery was cancelled")
        except BaseException as error:
            self.disturbed(first_of(error))

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
        try:
            await fall(self)
        except HostGone as gone:
            self.part(gone)

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
            self.start_soon(self.work)

    def start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        assert self.calls is not None
        self.base.run(self.calls.start_soon, function, *args)

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
        except Leave as leave:
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

    async def rest(self) -> None:
        await trio.lowlevel.checkpoint()

    def soon(self, function: Callable[[], None]) -> None:
        assert self.token is not None
        self.token.run_sync_soon(function)
