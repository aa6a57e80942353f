"""The loop with threads: the guest's own thread reads, and each call runs in one of a few others.

A call is interrupted between two steps of Python, by an exception that the interpreter raises in its thread.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Any

from . import protocol as p
from .concurrent import Concurrent, Group, Message
from .context import context_of, role
from .guest import Guest, Leave, Settings
from .interrupts import Interrupted, ThreadDoorbell
from .outlet import Closed, Outlet

Job = tuple[Group, Message] | None


class Threads(Concurrent):
    """Calls in threads, up to the limits of their groups."""

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.idle = 0
        self.lock = threading.RLock()  # who holds it may change what is shared, and write to the link
        guest.lock = self.lock

    def play(self) -> None:
        guest = self.guest
        try:
            guest.make_actor(dict(self.settings))
        except BaseException as error:
            guest.fail(error)
        guest.say([p.READY])
        self.serve()

    def serve(self) -> None:
        wire, handlers = self.wire, self.guest.handlers
        while True:
            messages = wire.receive()
            with self.lock:
                for message in messages:
                    handlers[message[0]](message)
                wire.flush()

    # -- in the guest's own thread --------------------------------------------------------------

    def begin(self, group: Group, message: Message) -> None:
        if self.idle:
            self.idle -= 1
        else:
            threading.Thread(target=self.work, name="understudy-calls", daemon=True).start()
        self.running[message[1]] = None
        self.jobs.put((group, message))

    def interrupt(self, id: int) -> None:
        running = self.running.get(id)
        if running is not None:
            running.close()

    def on_credit(self, message: Message) -> None:
        running = self.running.get(message[1])
        if running is not None:
            running.grant(message[2])

    # -- in the threads of calls ----------------------------------------------------------------

    def work(self) -> None:
        """Run one call after another; a thread lives as long as its guest."""
        while (job := self.jobs.get()) is not None:
            group, message = job
            try:
                reply = Performance(self, message).run()
            except Interrupted:  # it came as the call ended
                reply = self.guest.values.encode((p.INTERRUPTED, message[1]))
            except Leave as leave:
                return self.guest.part(leave)
            with self.lock:
                self.finished(group, message[1], reply)
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

    def run(self) -> Any:
        loop, message = self.loop, self.message
        with loop.lock:
            loop.running[self.id] = self
        role.set(loop.role_of(message))
        guest = loop.guest
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

    def grant(self, items: int) -> None:
        if self.outlet is not None:
            self.outlet.credit += items
            self.room.release()

    def close(self) -> None:
        """Interrupt it: what blocks in its thread goes on until the next step of Python."""
        if self.outlet is not None:
            self.ended = True
            self.room.release()
        self.doorbell.ring()
