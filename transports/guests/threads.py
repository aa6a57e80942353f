"""The loop with threads: the guest's own thread reads, and each call runs in one of a few others.

A call is interrupted between two steps of Python, by an exception that the interpreter raises in its thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from . import protocol as p
from .alarm_thread import AlarmThread
from .backstage import ActorTimer
from .concurrent import TIDYING, Concurrent, Group, Message
from .guest import Guest, Leave, Settings
from .hooks import at_once, fall, finished, has_last_words, let_through, mend, name_of, rise
from .interrupts import Interrupted
from .performance import Aside, Performance, Reading
from .wire import HostGone

Job = tuple[Group, "Performance"] | None


class Threads(Concurrent):
    """Calls in threads, up to the limits of their groups."""

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest, settings)
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.idle = 0
        self.threads = 0
        self.lock = threading.RLock()  # who holds it may change what is shared, and write to the link
        self.calm = threading.Condition(self.lock)  # told of each end of a call, once the guest leaves
        self.started = self.mending = self.departing = False
        self.alarms = AlarmThread(self)
        guest.lock = self.lock
        guest.on_struck = self.on_struck

    def play(self) -> None:
        guest = self.guest
        guest.running.asker, guest.running.backstage = Reading(guest), self
        try:
            at_once(rise(self, self.settings))
        except BaseException as error:
            guest.fail(error)
        guest.running.asker = None  # from now on each thread waits for itself
        self.started = True
        guest.say([p.READY])
        self.alarms.begin()
        try:
            self.serve()
        finally:
            guest.ending = True
            self.alarms.end()
            for _ in range(self.threads):
                self.jobs.put(None)

    def serve(self) -> None:
        wire, handlers = self.wire, self.guest.handlers
        while True:
            messages = wire.receive()
            try:
                with self.lock:
                    for message in messages:
                        if not self.guest.ending or message[0] in p.ANSWERS:
                            handlers[message[0]](message)
                    wire.flush()
            except Leave as leave:
                self.leave_aside(leave)

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
                self.guest.strike()
                reply = self.guest.values.encode((p.INTERRUPTED, performance.id))
            except Leave as leave:
                return self.depart(leave, performance.id)
            with self.lock:
                self.finished(group, performance.id, reply)
                self.wire.flush()
                if self.guest.ending:
                    self.calm.notify_all()
                hurt = self.guest.hurt
                self.idle += not hurt
            if hurt and not self.mend():
                return None
            if hurt:
                with self.lock:
                    self.idle += 1

    # -- hooks and timers -----------------------------------------------------------------------

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        return self.alarms.schedule(seconds, period, function, args)

    async def cue(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run a hook: the first ones in the guest's own thread, the others in a thread of a call."""
        value = Aside(self).run(function, *args) if self.started else function(*args)
        return finished(self.guest, value, function)

    def passes(self, error: BaseException) -> bool:
        return isinstance(error, HostGone)

    def clear(self) -> None:
        self.alarms.clear()

    def run_timer(self, aside: Aside, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Run a timer's function; raises Leave if that ends the actor."""
        try:
            finished(self.guest, aside.run(function, *args), function)
        except Interrupted:
            return  # the actor ends
        except BaseException as error:
            let_through(self, error)
            self.guest.fall(name_of(function), error)

    def on_struck(self) -> None:
        with self.lock:
            self.hold()

    def mend(self) -> bool:
        """Let the actor repair itself, if no other thread sees to that; False if it has ended the actor."""
        with self.lock:
            if self.mending:
                return True
            self.mending = True
        try:
            while self.mending:
                at_once(mend(self))
                with self.lock:
                    self.mending = self.guest.hurt and not self.guest.ending
                    if not self.mending:
                        self.release()
                        self.wire.flush()
            self.alarms.begin()
        except Leave as leave:
            self.depart(leave)
            return False
        except HostGone:
            return False
        return True

    # -- the end --------------------------------------------------------------------------------

    def leave_aside(self, leave: Leave) -> None:
        """The guest's own thread was told to stop: it goes on reading while the last hooks run in another."""
        if not has_last_words(self.guest):
            raise leave
        threading.Thread(
            target=self.depart, args=(leave,), name=f"{threading.current_thread().name}, end", daemon=True
        ).start()

    def depart(self, leave: Leave, own: int = 0) -> None:
        """Leave, after the last hooks, which run when all other calls and timers have ended."""
        try:
            if has_last_words(self.guest):
                with self.lock:
                    self.running.pop(own, None)
                    if self.departing:
                        return self.calm.notify_all()
                    self.departing = True
                    self.wait_for_calm()
                at_once(fall(self))
        except HostGone:
            pass  # whoever reads is told so, too
        else:
            self.guest.part(leave)

    def wait_for_calm(self) -> None:
        """Have all calls and timers end; we hold the lock, and give it up while we wait."""
        again = 0.0
        while self.running or self.alarms.busy:
            if time.monotonic() >= again:
                again = time.monotonic() + TIDYING
                self.stop_all()
            self.calm.wait(TIDYING)

    def stop_all(self) -> None:
        self.alarms.end()
        for performance in self.running.values():
            performance.close()
