"""What the loops with tasks share, be they trio's or asyncio's: how one call runs, and how one is interrupted.

Methods that are not `async` run at once, between two steps of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import copy_context
from time import monotonic
from types import FrameType
from typing import Any

from . import protocol as p
from .asides import Asides, Signal
from .asking import Question, any_answered, check_thread
from .concurrent import TIDYING, Group, Message
from .context import context_of, role
from .guest import Guest, Leave, Settings
from .hooks import let_through, rise
from .interrupts import WHOLE, Interrupted, invoke
from .outlet import BATCH, Closed, Outlet
from .weights import ROOM
from .wire import HostGone

MANY = 256  # replies that leave before all tasks have taken their next steps
GO = 64  # items of a plain generator, after which the other tasks get their turn


class Job:
    """One call on its way: `stop` interrupts it, once it runs."""

    __slots__ = ("between", "group", "message", "more", "outlet", "peace", "stop", "stopped")

    def __init__(self, group: Group, message: Message) -> None:
        self.group = group
        self.message = message
        self.stop: Callable[[], Any] | None = None
        self.stopped = False
        self.peace = -math.inf  # until when no signal may disturb its tidying up
        self.outlet: Outlet | None = None
        self.more: Signal | None = None
        self.between = False  # it waits between two items, in code of ours

    @property
    def cut_short(self) -> int:
        """The kind of the reply that says so."""
        return p.CLOSED if self.message[0] == p.STREAM else p.INTERRUPTED

    def send_held(self) -> None:
        """The items of a stream leave before its end is told."""
        if self.outlet is not None:
            self.outlet.send()


class Tasks(Asides):
    """Runs `async` methods in tasks.  A subclass says how a task is made and what an event is."""

    in_loop = True

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.dirty: list[Outlet] = []  # streams that hold items
        self.leave: BaseException | None = None
        self.over: Signal | None = None
        self.give_up: Callable[[], Any] | None = None  # cuts the last hooks short

    async def rise(self) -> bool:
        """Make the actor; False if that failed, and was told."""
        guest = self.guest
        try:
            await rise(self, self.settings)
        except BaseException as error:
            let_through(self, error)
            return self.failed(error)
        guest.doorbell = self.listen(guest.doorbell)
        self.base = copy_context()
        return True

    def failed(self, error: BaseException) -> bool:
        try:
            self.guest.fail(error)
        except (Leave, HostGone) as leave:
            self.part(leave)
        return False

    def get_ready(self) -> None:
        """Say READY: calls may come, and timers may run."""
        self.started = True
        try:
            self.guest.say([p.READY])
        except HostGone as gone:
            self.part(gone)
        self.begin_timers()

    def listen(self, doorbell: Any) -> Any:
        """Take the doorbell over, if it is a signal's: what is stuck in one task holds up all."""
        if hasattr(doorbell, "in_tasks"):
            doorbell.in_tasks(self)
        return doorbell

    # -- messages -------------------------------------------------------------------------------

    def pull(self, data: bytes | None = None) -> None:
        """Take what has come; a loop may have read it already."""
        try:
            for message in self.wire.take() if data is None else self.wire.feed(data):
                if not self.guest.ending or message[0] in p.ANSWERS:
                    self.guest.handlers[message[0]](message)
        except (Leave, HostGone) as leave:
            self.part(leave)

    def flush(self) -> None:
        """Send what the last steps of all tasks have left."""
        try:
            dirty, self.dirty = self.dirty, []
            for outlet in dirty:
                outlet.send()
            self.wire.flush()
        except HostGone as gone:
            self.part(gone)

    def part(self, leave: BaseException) -> None:
        self.guest.ending = True
        self.guest.gone(leave)
        if isinstance(leave, HostGone) and self.give_up is not None:
            self.give_up()
        self.leave = self.leave or leave
        if self.over is not None:
            self.over.set()

    def on_credit(self, message: Message) -> None:
        job = self.running.get(message[1])
        if job is not None and job.outlet is not None:
            job.outlet.grant(message[2])
            if job.more is not None:
                job.more.set()

    def interrupt(self, id: int) -> None:
        job = self.running[id]
        again = job.stopped
        if not again:
            job.stopped, job.peace = True, monotonic() + TIDYING
        if job.between:
            if job.more is not None:
                job.more.set()
        elif job.stop is None or job.message[2] in self.guest.protected:
            pass  # what has not begun is skipped, and a protected generator ends at its next item
        elif not again or monotonic() >= job.peace:
            job.stop()

    # -- one call -------------------------------------------------------------------------------

    def begin(self, group: Group, message: Message) -> None:
        job = Job(group, message)
        self.running[message[1]] = job
        if message[2] in self.awaited or message[0] == p.STREAM:
            self.launch(job)
            return
        try:
            reply = self.base.copy().run(self.run_now, message)
        except Leave as leave:
            self.part(leave)
        else:
            self.ended(group, message[1], reply)  # whoever began it begins the next

    def launch(self, job: Job) -> None:
        raise NotImplementedError

    def run_now(self, message: Message) -> Any:
        id, name = message[1], message[2]
        token = role.set(self.role_of(message))
        try:
            return self.guest.answer(id, name, message, self.guest.doorbell)
        finally:
            role.reset(token)

    def ended(self, group: Group, id: int, reply: Any) -> None:
        super().ended(group, id, reply)
        if len(self.wire.out) >= MANY:
            self.flush()

    async def perform(self, job: Job) -> Any:
        """Run one call in the task we are in; returns its reply.  A cancellation passes through."""
        guest, message = self.guest, job.message
        id, name = message[1], message[2]
        role.set(self.role_of(message))
        try:
            method = guest.methods.get(name) or guest.find(name)
            args, kwargs = guest.values.arguments(message)
            guest.take_along(message)
            if message[0] == p.STREAM:
                await self.stream(job, invoke(method, args, kwargs))
                return guest.values.encode((p.RESULT, id, None))
            value = await method(*args, **kwargs)
            return guest.values.result(id, value if message[0] == p.CALL else None)
        except Closed:
            job.send_held()
            return guest.values.encode((p.CLOSED, id))
        except Interrupted:
            job.send_held()
            guest.strike()
            return guest.values.encode((p.INTERRUPTED, id))
        except self.cancelled:
            job.send_held()
            raise
        except BaseException as error:
            job.send_held()
            return guest.failure(id, name, error, cast=message[0] == p.CAST)

    async def stream(self, job: Job, generator: Any) -> None:
        """Give what a generator of either kind gives."""
        context = context_of(job.message)
        outlet = job.outlet = Outlet(self.guest, job.message[1], context.get("ahead", p.AHEAD), no_wait)
        if hasattr(generator, "__anext__"):
            try:
                async for value in generator:
                    await self.give(job, outlet, value)
            finally:
                await generator.aclose()
        else:
            try:
                for number, value in enumerate(generator):
                    await self.give(job, outlet, value)
                    if number % GO == 0:
                        await self.rest(job)
            finally:
                generator.close()
        outlet.send()

    async def give(self, job: Job, outlet: Outlet, value: Any) -> None:
        if not outlet.items:
            self.flush_later(outlet)
        outlet.give(value)
        outlet.credit -= 1
        if len(outlet.items) >= BATCH or outlet.bytes > outlet.large:
            outlet.send()
        if outlet.credit <= 0 or outlet.weights.bytes >= ROOM:
            job.between = True
            while outlet.full and not job.stopped:
                job.more = self.make_signal()
                await job.more.wait()
            job.between = False
        if job.stopped:
            raise Closed

    def flush_later(self, outlet: Outlet) -> None:
        """Send what a stream holds when the tasks have taken their next steps."""
        self.dirty.append(outlet)

    async def rest(self, job: Job) -> None:
        """Let the other tasks have their turn."""
        job.between = True
        await self.pause()
        job.between = False
        if job.stopped:
            raise Closed

    async def pause(self) -> None:
        raise NotImplementedError

    # -- what a method asks of the host ---------------------------------------------------------

    def asker_of(self, message: Message) -> Any:
        return self

    def wait(self, question: Question) -> None:
        self.wait_any([question], None)

    def wait_any(self, questions: list[Question], until: float | None) -> bool:
        check_thread(self.thread)
        raise RuntimeError("this would hold up the whole loop: make the method async, and await")

    async def wait_async(self, question: Question) -> None:
        if question.answer is None:
            come = self.make_signal()
            question.on_answer.append(come.set)
            await come.wait()

    async def wait_any_async(self, questions: list[Question], until: float | None) -> bool:
        come = self.make_signal()
        for question in questions:
            question.on_answer.append(come.set)
        try:
            if not any_answered(questions):
                if until is None:
                    await come.wait()
                else:
                    await self.until(come, self.now() + until - monotonic())
        finally:
            for question in questions:
                question.ignore(come.set)
        return any_answered(questions)

    # -- the doorbell ---------------------------------------------------------------------------

    def soon(self, function: Callable[[], None]) -> None:
        """Call a function between two steps of the tasks; from a signal handler or a thread."""
        raise NotImplementedError

    def stuck_in(self, id: int, frame: FrameType | None) -> bool:
        """Is it this call's own code that was interrupted by the signal?"""
        job = self.running.get(id)
        return job is not None and monotonic() >= job.peace and self.holder(frame) == id

    def holder(self, frame: FrameType | None) -> int:
        """The call whose own code runs in this frame; 0 if none does, or one that may not be interrupted."""
        below: FrameType | None = None
        while frame is not None:
            if frame.f_code in WHOLE:
                return 0
            if frame.f_code in (Tasks.perform.__code__, Tasks.stream.__code__):
                # Not in what we do ourselves for the call: that may be where its end is dealt with.
                own = below is None or below.f_globals.get("__package__") == __package__
                message = frame.f_locals["job"].message
                return 0 if own or message[2] in self.guest.protected else message[1]
            if frame.f_code is invoke.__code__ and self.guest.doorbell.running:
                return 0 if self.guest.doorbell.protected else self.guest.doorbell.running
            below, frame = frame, frame.f_back
        return 0


def no_wait(_: Outlet) -> None:
    raise AssertionError("in tasks, a stream waits by an event")
