"""The loop for `async` methods under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from . import protocol as p
from .asides import Signal
from .guest import Guest, Leave, Settings
from .hooks import fall, has_last_words
from .tasks import Job, Tasks
from .wire import HostGone

PAUSE = 0.05  # seconds between two attempts to cancel what still runs


class AsyncioLoop(Tasks):
    """A task a call."""

    make_signal = asyncio.Event
    cancelled = asyncio.CancelledError

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.flushing = False

    def play(self) -> None:
        asyncio.run(self.main())
        assert self.leave is not None
        raise self.leave

    async def main(self) -> None:
        self.over = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.attend()
        if await self.rise():
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
                await asyncio.wait(self.tasks, timeout=PAUSE)
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
        self.pull()
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
        job.stop = task.cancel  # not before: a task that has not begun would end without a word
        reply = self.guest.values.encode((p.SKIPPED if job.stopped else p.INTERRUPTED, id))
        try:
            if not job.stopped:
                reply = await self.perform(job)
        except Leave as leave:
            self.part(leave)
        except asyncio.CancelledError as error:
            if job.stopped:
                self.guest.strike()
            elif self.leave is None:
                reply = self.guest.failure(id, job.message[2], error, cast=job.message[0] == p.CAST)
        finally:
            self.finished(job.group, id, reply)
            self.flush_soon()

    async def give(self, job: Job, outlet: Any, value: Any) -> None:
        await super().give(job, outlet, value)
        self.flush_soon()

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

    async def rest(self) -> None:
        await asyncio.sleep(0)

    def soon(self, function: Callable[[], None]) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(function)
