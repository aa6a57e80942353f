"""What runs in a thread of a guest: a call, or a hook or timer beside the calls; and how it waits for its host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from . import protocol as p
from .asking import CANNOT_AWAIT, Question, any_answered, check_thread
from .concurrent import Message
from .context import context_of, role
from .guest import NONE, Guest
from .interrupts import Interrupted, ThreadDoorbell, invoke
from .outlet import Closed, Outlet

if TYPE_CHECKING:
    from .threads import Threads

ASIDE = -1  # stands for the id of a call, in what is none


class Reading:
    """Waits for an answer by reading, as long as nobody else reads: while the actor starts."""

    in_loop = False

    def __init__(self, guest: Guest) -> None:
        self.thread = threading.get_ident()
        self.guest = guest
        self.asking = guest.asking

    def wait(self, question: Question) -> None:
        self.wait_any([question], None)

    def wait_any(self, questions: list[Question], until: float | None) -> bool:
        check_thread(self.thread)
        wire, handlers = self.guest.wire, self.guest.handlers
        while not any_answered(questions):
            if until is not None and not wire.ready(until - time.monotonic()):
                return False
            for message in wire.receive():
                handlers[message[0]](message)
        return True

    async def wait_async(self, question: Question) -> None:
        raise RuntimeError(CANNOT_AWAIT)

    async def wait_any_async(self, questions: list[Question], until: float | None) -> bool:
        raise RuntimeError(CANNOT_AWAIT)


class Threaded:
    """User code in a thread that waits for itself, and may be interrupted."""

    in_loop = False

    def __init__(self, loop: Threads) -> None:
        self.loop = loop
        self.thread = 0  # until it runs in one
        self.doorbell = ThreadDoorbell()
        self.ended = False
        self.asking = loop.guest.asking
        self.waiting: threading.Event | None = None

    @property
    def stopped(self) -> bool:
        """Is it to stop waiting?  Not if it may not be interrupted."""
        return self.ended and not self.doorbell.protected

    # -- what it asks of the host ---------------------------------------------------------------

    def wait(self, question: Question) -> None:
        self.wait_any([question], None)

    def wait_any(self, questions: list[Question], until: float | None) -> bool:
        """Wait for the first of several answers, or until a time of the system's clock; False if that came first."""
        check_thread(self.thread)
        come = self.waiting = threading.Event()
        for question in questions:
            question.on_answer.append(come.set)
        in_time = self.stopped or any_answered(questions)
        if not in_time:
            in_time = come.wait(None if until is None else max(0.0, until - time.monotonic()))
        self.waiting = None
        for question in questions:
            question.ignore(come.set)
        if self.stopped:
            raise Interrupted
        return in_time

    async def wait_async(self, question: Question) -> None:
        raise RuntimeError(CANNOT_AWAIT)

    async def wait_any_async(self, questions: list[Question], until: float | None) -> bool:
        raise RuntimeError(CANNOT_AWAIT)

    def close(self) -> None:
        """Interrupt it: what blocks in its thread goes on until the next step of Python."""
        self.ended = True
        if self.waiting is None:
            self.doorbell.ring()
        elif self.stopped:
            self.waiting.set()


class Aside(Threaded):
    """A hook or a timer."""

    def run(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run it as what is no call; raises what it raises."""
        return copy_context().run(self.perform, function, args)

    def perform(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        self.thread = threading.get_ident()
        here = self.loop.beside()
        here.asker = self
        role.set(here)
        try:
            self.doorbell.running = ASIDE
            return invoke(function, args, NONE)
        finally:
            self.doorbell.running = 0


class Performance(Threaded):
    """One call."""

    def __init__(self, loop: Threads, message: Message) -> None:
        super().__init__(loop)
        self.message = message
        self.id: int = message[1]
        self.room = threading.Semaphore(0)
        self.outlet: Outlet | None = None

    def run(self) -> Any:
        loop, message = self.loop, self.message
        guest = loop.guest
        if self.ended:
            return guest.values.encode((p.SKIPPED, self.id))
        self.thread = threading.get_ident()
        here = loop.role_of(message)
        here.asker = self
        role.set(here)
        name = message[2]
        if message[0] != p.STREAM:
            return guest.answer(self.id, name, message, self.doorbell)
        context = context_of(message)
        credit = context.get("ahead", p.AHEAD)
        outlet = self.outlet = Outlet(guest, self.id, credit, self.wait_credit)
        outlet.lock = loop.lock
        outlet.closed = lambda: self.ended
        return outlet.run(name, message, self.doorbell)

    def wait_credit(self, outlet: Outlet) -> None:
        while outlet.full:
            self.room.acquire()
            if self.ended:
                raise Closed

    def grant(self, items: int) -> None:
        if self.outlet is not None:
            self.outlet.grant(items)
            self.room.release()

    def close(self) -> None:
        ending, self.ended = self.ended, True
        self.room.release()
        if ending or self.message[0] != p.STREAM:  # a generator may first come to its next item
            super().close()
