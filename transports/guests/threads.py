"""The loop with threads: the guest's own thread reads, and each call runs in one of a few others.

A call is interrupted between two steps of Python, by an exception that the interpreter raises in its thread.
"""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from . import protocol as p
from .asking import Question
from .concurrent import Concurrent, Group, Message
from .context import context_of, role
from .guest import Guest, Leave, Settings
from .interrupts import Interrupted, ThreadDoorbell
from .outlet import Closed, Outlet

Job = tuple[Group, "Performance"] | None


class Threads(Concurrent):
    """Calls in threads, up to the limits of their groups."""

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.idle = 0
        self.threads = 0
        self.lock = threading.RLock()  # who holds it may change what is shared, and write to the link
        guest.lock = self.lock

    def play(self) -> None:
        guest = self.guest
        try:
            guest.make_actor(dict(self.settings))
        except BaseException as error:
            guest.fail(error)
        guest.say([p.READY])
        try:
            self.serve()
        finally:
            guest.ending = True
            for _ in range(self.threads):
                self.jobs.put(None)

    def serve(self) -> None:
        wire, handlers = self.wire, self.guest.handlers
        while True:
            messages = wire.receive()
            with self.lock:
                for message in messages:
                    if not self.guest.ending:
                        handlers[message[0]](message)
                wire.flush()

    # -- in the guest's own thread --------------------------------------------------------------

    def begin(self, group: Group, message: Message) -> None:
        if self.idle:
            self.idle -= 1
        else:
            self.threads += 1
            threading.Thread(
                target=self.work, name=f"{threading.current_thread().name}, calls", daemon=True
            ).start()
        performance = self.running[message[1]] = Performance(self, message)
        self.jobs.put((group, performance))

    def interrupt(self, id: int) -> None:
        self.running[id].close()

    def on_credit(self, message: Message) -> None:
        running = self.running.get(message[1])
        if running is not None:
            running.grant(message[2])

    def asker_of(self, message: Message) -> Any:
        """Each thread waits for itself."""

    # -- in the threads of calls ----------------------------------------------------------------

    def work(self) -> None:
        """Run one call after another; a thread lives as long as its guest."""
        while (job := self.jobs.get()) is not None:
            group, performance = job
            try:
                reply = copy_context().run(performance.run)
            except Interrupted:  # it came as the call ended
                reply = self.guest.values.encode((p.INTERRUPTED, performance.id))
            except Leave as leave:
                return self.guest.part(leave)
            with self.lock:
                self.finished(group, performance.id, reply)
                self.idle += 1
                self.wire.flush()


class Performance:
    """One call in a thread."""

    def __init__(self, loop: Threads, message: Message) -> None:
        self.loop = loop
        self.message = message
        self.id: int = message[1]
        self.doorbell = ThreadDoorbell()
        self.room = threading.Semaphore(0)
        self.outlet: Outlet | None = None
        self.ended = False
        self.asking = loop.guest.asking
        self.waiting: threading.Event | None = None

    def run(self) -> Any:
        loop, message = self.loop, self.message
        guest = loop.guest
        if self.ended:
            return guest.values.encode((p.SKIPPED, self.id))
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
        while outlet.credit <= 0:
            self.room.acquire()
            if self.ended:
                raise Closed

    # -- what the method asks of the host -------------------------------------------------------

    def wait(self, question: Question) -> None:
        self.wait_any([question], None)

    def wait_any(self, questions: list[Question], until: float | None) -> bool:
        """Wait for the first of several answers, or until a time of the system's clock; False if that came first."""
        come = self.waiting = threading.Event()
        for question in questions:
            question.on_answer.append(come.set)
        stopped = self.ended and not self.doorbell.protected
        in_time = stopped or any(question.answer is not None for question in questions)
        if not in_time:
            in_time = come.wait(None if until is None else max(0.0, until - time.monotonic()))
        self.waiting = None
        if self.ended and not self.doorbell.protected:
            raise Interrupted
        return in_time

    async def wait_async(self, question: Question) -> None:
        raise RuntimeError(
            "a method that is not async cannot await: use understudy.blocking.get(h.m.remote(...))"
        )

    def grant(self, items: int) -> None:
        if self.outlet is not None:
            self.outlet.credit += items
            self.room.release()

    def close(self) -> None:
        """Interrupt it: what blocks in its thread goes on until the next step of Python."""
        self.ended = True
        self.room.release()
        if self.waiting is not None:
            if not self.doorbell.protected:
                self.waiting.set()
            return
        self.doorbell.ring()
