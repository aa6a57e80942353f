"""The crossing: acts go into the runtime's thread in batches, and what ended comes back in batches.

In: a deque and one wake-up for all that was put there before the runtime looked.  Back: see `waiters`.  A call
needs no task on the far side: its record goes over and, when it has ended, tells its waiter.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from threading import get_ident
from typing import Any, Protocol, TypeVar

import anyio
import trio

from ..actors.call import Call
from ..actors.errors import CallError, NoRuntimeError
from ..actors.leaving import cancelled
from ..transports.bell import Bell
from ..transports.stage import Stage
from .job import Errand, Job
from .waiters import (
    AnyWaiter,
    AsyncioLanding,
    AsyncioWaiter,
    Gate,
    Landing,
    Soon,
    ThreadWaiter,
    TrioLanding,
    TrioWaiter,
)

R = TypeVar("R")

CROWD = 4  # calls that came at once, after which a loop's calls wait for the others of its turn

Act = Callable[[Any], object]


class Work(Protocol):
    """What can be begun in the runtime's thread."""

    def begin(self) -> None: ...


ELSEWHERE = "await this inside asyncio or trio; a plain thread writes blocking.get(h.m.remote(...)) or blocking.call(h.m, ...)"
ITSELF = "the runtime's own thread would wait for itself here; inside its actors await the call instead"


def call_now(function: Callable[[], None]) -> None:
    function()


class Crossing:
    """One for each runtime that lives in a thread of its own."""

    def __init__(self) -> None:
        self.inbox: deque[tuple[Act, Any]] = deque()
        self.woken = False
        self.crowded = False  # calls come many at a time
        self.thread = 0
        self.token: trio.lowlevel.TrioToken | None = None
        self.nursery: trio.Nursery | None = None
        self.at_end_of_tick: Soon = call_now
        self.bell = Bell(self.take)
        self.ring: Callable[[], None] = self.ring_trio
        self.landings: dict[Any, Landing] = {}
        self.closed = "the runtime is not open yet"
        self.cause: BaseException | None = None

    # -- its life, in the runtime's thread ------------------------------------------------------

    def open(self, nursery: trio.Nursery, stage: Stage) -> None:
        self.thread = get_ident()
        self.token = trio.lowlevel.current_trio_token()
        self.nursery = nursery
        self.at_end_of_tick = stage.ticks.soon
        self.bell.hang(stage.hub)
        self.ring = self.bell.ring
        self.closed = ""

    def close(self, why: str, cause: BaseException | None = None) -> None:
        """From now on whoever wants to cross is told why not."""
        self.closed, self.cause = why, cause

    def unhang(self, stage: Stage) -> None:
        """The hub goes: from now on trio's own way in is taken."""
        self.ring = self.ring_trio
        stage.hub.forget(self.bell.reading)
        self.ring()  # for what the bell had rung for, unheard

    def end(self) -> None:
        """The event loop has ended: what is still on its way gets its answer now, and everybody is told."""
        self.at_end_of_tick = call_now
        self.take()
        for landing in list(self.landings.values()):
            landing.call()

    def soon(self, function: Callable[[], None]) -> None:
        self.at_end_of_tick(function)

    def check(self) -> None:
        """Raise NoRuntimeError if the runtime is not open."""
        if self.closed:
            raise NoRuntimeError(self.closed) from self.cause

    # -- the way in -----------------------------------------------------------------------------

    def send(self, act: Act, subject: Any) -> None:
        """Have the runtime's thread do `act(subject)`; what is sent from one thread is done in that order.

        Raises:
            NoRuntimeError: if the runtime is not open.
        """
        if self.closed:
            self.check()
        self.inbox.append((act, subject))
        self.wake()

    def post(self, act: Act, subject: Any) -> None:
        """As `send`, for a thread that a Ctrl-C may stop anywhere, and silently nothing where all is over."""
        self.inbox.append((act, subject))
        self.ring()

    def call_soon(self, function: Callable[..., None], *args: Any) -> None:
        """Call a function in the runtime's thread, in order with all that is sent; from a finalizer too."""
        self.post(call_now, partial(function, *args))

    def ring_trio(self) -> None:
        if self.token is not None:
            with suppress(trio.RunFinishedError):
                self.token.run_sync_soon(self.take, idempotent=True)

    def take(self) -> None:
        """Do what has come; in the runtime's thread."""
        self.woken = False  # before the inbox is looked at: what comes after that rings again
        inbox = self.inbox
        count = len(inbox)
        self.crowded = count >= CROWD
        for _ in range(count):
            act, subject = inbox.popleft()
            act(subject)
        if inbox:
            self.ring()

    # -- waiting --------------------------------------------------------------------------------

    def waiter(self) -> AnyWaiter:
        """A waiter for the task that runs here.

        Raises:
            NoRuntimeError: if this is neither asyncio nor trio.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self.trio_waiter()
        landing = self.landings.get(loop)
        if landing is None:
            landing = self.add_landing(
                loop, AsyncioLanding(loop.call_soon_threadsafe, self.soon, loop.call_soon)
            )
        return AsyncioWaiter(landing, loop.create_future())

    def trio_waiter(self) -> TrioWaiter:
        try:
            token = trio.lowlevel.current_trio_token()
        except RuntimeError:
            raise NoRuntimeError(ELSEWHERE) from None
        landing = self.landings.get(token)
        return TrioWaiter(landing or self.add_landing(token, TrioLanding(token.run_sync_soon, self.soon)))

    def add_landing(self, loop: Any, landing: Landing) -> Landing:
        for old in [old for old in self.landings if getattr(old, "is_closed", bool)()]:
            del self.landings[old]
        return self.landings.setdefault(loop, landing)

    async def passed(self, gate: Gate) -> None:
        """Wait until a gate is open."""
        if not gate.over:
            waiter = self.waiter()
            if gate.add(waiter):
                try:
                    await waiter.wait()
                finally:
                    gate.discard(waiter)

    async def outlast(self, gate: Gate) -> None:
        """Wait until a gate is open, whatever cancels us meanwhile; only then are we cancelled."""
        cancellation: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while not gate.over:
                try:
                    await self.passed(gate)
                except asyncio.CancelledError as error:
                    cancellation = error
        if cancellation is not None:
            raise cancellation

    def sleep(self, gate: Gate, timeout: float | None = None) -> bool:
        """As `passed`, for a thread: is it open, at the latest after `timeout` seconds?"""
        if not gate.over:
            self.refuse_own_thread()
            waiter = ThreadWaiter()
            if gate.add(waiter):
                try:
                    waiter.wait(timeout)
                finally:
                    gate.discard(waiter)
        return gate.over

    def refuse_own_thread(self) -> None:
        if get_ident() == self.thread:
            raise NoRuntimeError(ITSELF)

    # -- calls ----------------------------------------------------------------------------------

    async def ask(self, call: Call) -> Any:
        """Make a call and wait for its outcome; cancelled, the call is withdrawn."""
        waiter = call.ref = self.waiter()
        if self.closed:
            self.check()
        self.inbox.append((accept, call))
        if not self.woken:
            if self.crowded:
                waiter.landing.depart(self.wake)
            else:
                self.wake()
        try:
            await waiter.wait()
        except BaseException:
            self.post(withdraw, call)
            raise
        return call.unwrap()

    def wake(self) -> None:
        """Have the runtime look at the inbox, unless it is about to."""
        if not self.woken:
            self.woken = True
            self.ring()

    def ask_blocking(self, call: Call) -> Any:
        """As `ask`, for a thread; a Ctrl-C withdraws the call."""
        self.check()
        self.refuse_own_thread()
        waiter = call.ref = ThreadWaiter()
        try:
            self.post(accept, call)
            waiter.wait()
        except BaseException:
            self.post(withdraw, call)
            raise
        return call.unwrap()

    # -- anything else --------------------------------------------------------------------------

    def do(self, function: Callable[..., R], *args: Any) -> R:
        """Call a function in the runtime's thread and wait for it, some 50 µs; also from a task."""
        self.check()
        if get_ident() == self.thread:
            return function(*args)
        errand = Errand(function, args)
        self.post(begin, errand)
        self.sleep(errand.over)
        return errand.unwrap()

    async def perform(self, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Run an async function in the runtime's thread; cancelled, so is it."""
        self.check()
        if get_ident() == self.thread:
            return await function(*args)
        job: Job[R] = Job(self.nursery, function, args)
        self.send(begin, job)
        try:
            await self.passed(job.over)
        except BaseException:
            self.post(cancel, job)
            raise
        return job.unwrap()

    def perform_blocking(self, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """As `perform`, for a thread; a Ctrl-C cancels it."""
        self.check()
        job: Job[R] = Job(self.nursery, function, args)
        self.refuse_own_thread()
        try:
            self.post(begin, job)
            self.sleep(job.over)
        except BaseException:
            self.post(cancel, job)
            raise
        return job.unwrap()


def accept(call: Call) -> None:
    """Put a call into its mailbox, or tell it why not."""
    mailbox = call.mailbox
    receiver = mailbox.receiver
    try:
        if (
            receiver is not None
            and receiver.glance is not None
            and receiver.glance.ready
            and not mailbox.queue
        ):
            mailbox.put(call)
            receiver.exchange(call)
        else:
            mailbox.put(call)
    except CallError as error:
        call.fail(error)
        if call.is_cast:
            mailbox.house.unseen(call)


def withdraw(call: Call) -> None:
    call.mailbox.withdraw(call, cancelled(call))


def begin(work: Work) -> None:
    work.begin()


def cancel(job: Job[Any]) -> None:
    job.cancel()
