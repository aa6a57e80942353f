"""The loop for `async` methods under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from . import protocol as p
from .asides import Signal
from .concurrent import TIDYING
from .glimpse import Glimpse
from .guest import Guest, Leave, Settings
from .hooks import fall, has_last_words
from .outlet import Outlet
from .tasks import Job, Tasks
from .wire import HostGone


class AsyncioLoop(Tasks):
    """A task a call."""

    make_signal = asyncio.Event
    cancelled = asyncio.CancelledError

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.flushing = False
        self.glimpse = Glimpse(self.wire.fileno()) if self.wire.fileno() >= 0 else None

    def play(self) -> None:
        asyncio.run(self.main())
        assert self.leave is not None
        raise self.leave

    async def main(self) -> None:
        self.over = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.attend()
        if await self.rise():
            self.get_ready()
            await self.over.wait()
        if self.guest.why is not None and has_last_words(self.guest) and not isinstance(self.leave, HostGone):
            last = self.loop.create_task(self.bow())
            self.give_up = last.cancel
            await asyncio.wait([last])

    async def bow(self) -> None:
        """The last hooks, when all calls and timers have ended."""
        try:
            while self.tasks:
                for task in self.tasks:
                    task.cancel()
                await asyncio.wait(self.tasks, timeout=TIDYING)
            await fall(self)
        except HostGone as gone:
            self.part(gone)

    def attend(self) -> None:
        """From now on hear what the host says."""
        assert self.loop is not None
        descriptor = self.wire.fileno()
        if descriptor >= 0:
            self.loop.add_reader(descriptor, self.read)
        else:
            self.wire.listen(self.wake_reader)
            self.read()

    def wake_reader(self) -> None:
        assert self.loop is not None
        try:
            self.loop.call_soon_threadsafe(self.read)
        except RuntimeError:
            pass  # the loop is closed: the guest has left; its host will see

    def read(self) -> None:
        if self.glimpse is None:
            self.pull()
        elif (data := self.glimpse.take()) is not None:  # else a task has looked, and taken it
            self.pull(data)
        self.flush()

    def flush_and_look(self) -> None:
        """Nothing runs: the next call may be there sooner than the loop could fall asleep."""
        self.flush()
        glimpse = self.glimpse
        if glimpse is not None and not self.guest.ending and (data := glimpse.look()) is not None:
            self.pull(data)
            self.flush()

    def flush_soon(self) -> None:
        if not self.flushing:
            assert self.loop is not None
            self.flushing = True
            self.loop.call_soon(self.flush_now)

    def flush_now(self) -> None:
        self.flushing = False
        self.flush()

    # -- tasks ----------------------------------------------------------------------------------

    def launch(self, job: Job) -> None:
        self.start_soon(self.run, job)

    def start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        assert self.loop is not None
        task = self.loop.create_task(function(*args), context=self.base.copy())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self, job: Job) -> None:
        id = job.message[1]
        task = asyncio.current_task()
        assert task is not None
        job.stop = self.stopper(task)  # not before: a task that has not begun would end without a word
        reply = self.guest.values.encode((p.SKIPPED if job.stopped else job.cut_short, id))
        try:
            if not job.stopped:
                reply = await self.perform(job)
        except (Leave, HostGone) as leave:
            self.part(leave)
        except asyncio.CancelledError as error:
            if job.stopped:
                self.guest.strike()
            elif self.leave is None:
                reply = self.guest.failure(id, job.message[2], error, cast=job.message[0] == p.CAST)
        finally:
            self.finished(job.group, id, reply)
            self.flush_soon() if self.running else self.flush_and_look()

    def flush_later(self, outlet: Outlet) -> None:
        super().flush_later(outlet)
        self.flush_soon()

    def stopper(self, task: asyncio.Task[Any]) -> Callable[[], None]:
        """Cancels a task, and again if it has swallowed that: asyncio raises wherever it waits, so not at once."""
        assert self.loop is not None
        now = self.loop.time
        again = 0.0

        def stop() -> None:
            nonlocal again
            if now() >= again:
                again = now() + TIDYING
                task.cancel()

        return stop

    @property
    def nursery(self) -> NoReturn:
        raise RuntimeError(
            'self.nursery is one of trio, and this actor runs in asyncio; use loop="trio", or asyncio.TaskGroup'
        )

    def now(self) -> float:
        assert self.loop is not None
        return self.loop.time()

    async def until(self, signal: Signal, at: float) -> None:
        try:
            async with asyncio.timeout_at(at):
                await signal.wait()
        except TimeoutError:
            pass

    def passes(self, error: BaseException) -> bool:
        """A cancellation that is none of ours is the actor's own failure."""
        return super().passes(error) and (self.guest.ending or not isinstance(error, asyncio.CancelledError))

    async def pause(self) -> None:
        await asyncio.sleep(0)

    def soon(self, function: Callable[[], None]) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(function)
