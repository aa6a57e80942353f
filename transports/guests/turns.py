"""The plain loop: one thread that reads a frame, runs its calls in order, and answers.

It reads nothing while a method runs, so cancels and interrupts come by the page and the doorbell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import copy_context
from threading import get_ident
from time import perf_counter
from typing import Any

from . import protocol as p
from .asking import CANNOT_AWAIT, Asking, Question, any_answered, check_thread
from .context import context_of
from .faults import describe
from .guest import NONE, Guest, Leave, Settings
from .hooks import at_once, fall, rise
from .interrupts import Interrupted, invoke
from .outlet import Closed, Holder, Outlet
from .turn_asides import TurnAsides

SLOW = 50e-6  # seconds; before a method that takes longer, or is new, finished replies are sent
BATCH = 64  # replies; more do not wait, so that the host can take them while the next calls run
LARGE = (
    32 * 1024
)  # bytes; a larger reply is sent at once, so that no frame is much longer than its longest message


class Turns(TurnAsides):
    """One call at a time, in the order they came."""

    in_loop = False

    def __init__(self, guest: Guest, settings: Settings) -> None:
        super().__init__(guest)
        self.thread = get_ident()
        self.settings = settings
        self.asking: Asking = guest.asking
        self.page = guest.page
        self.doorbell = guest.doorbell
        self.quick: set[str] = set()  # methods that took no longer than SLOW when they last ran
        self.cancelled: dict[int, None] = {}
        self.begun = 0
        self.through = 0  # calls begun when the MAP that runs has ended, as its host counts them
        self.holder = Holder()
        guest.on_cut = self.answer_now
        self.receive = eager(self.wire) if settings.get("spin") else self.wire.receive

    def play(self) -> None:
        guest = self.guest
        self.running.asker = self.running.backstage = self
        try:
            at_once(rise(self, self.settings))
        except BaseException as error:
            guest.fail(error)
        guest.handlers.update(
            {p.CALL: self.on_call, p.CAST: self.on_call, p.STREAM: self.on_stream, p.MAP: self.on_map,
             p.CREDIT: ignore, p.CANCEL: ignore, p.STOP: guest.on_stop}
        )  # fmt: skip
        if "on_interrupt" in guest.hooks:
            for kind in (p.CALL, p.CAST, p.STREAM, p.MAP):
                guest.handlers[kind] = self.then_mend(guest.handlers[kind])
        guest.say([p.READY])
        try:
            self.serve()
        except Leave:
            at_once(fall(self))
            raise
        finally:
            self.holder.end()

    def serve(self) -> None:
        """Take messages until told to stop; raises HostGone or Leave."""
        wire, handlers, backlog, receive = self.wire, self.guest.handlers, self.backlog, self.receive
        while True:
            while backlog:
                if self.alarms is not None:
                    self.run_due(self.alarms)
                if self.guest.ending:
                    backlog.clear()  # the host has gone meanwhile
                    break
                message = backlog.popleft()
                handlers[message[0]](message)
            wire.flush()
            if self.alarms is not None:
                self.wait_with(self.alarms)
                continue
            messages = receive()
            self.clock = perf_counter()
            self.batch = batch = iter(messages)
            for message in batch:
                handlers[message[0]](message)

    # -- a call ---------------------------------------------------------------------------------

    def on_call(self, message: list[Any]) -> None:
        id, name = message[1], message[2]
        wire, page = self.wire, self.page
        if name not in self.quick:
            if wire.out:
                wire.flush()
            self.tell_busy(id)
        if page is not None and not self.may_begin(id, page):
            return
        self.running.call = (id, name, message[5] if len(message) > 5 else None)
        reply = self.guest.answer(id, name, message, self.doorbell)
        wire.out.append(reply)
        if page is not None:
            page[p.ENDED] = id
        before, self.clock = self.clock, perf_counter()
        if self.clock - before > SLOW or len(reply) > LARGE or len(wire.out) >= BATCH:
            self.quick.discard(name)
            wire.flush()
        elif name not in self.quick:
            self.quick.add(name)

    def tell_busy(self, id: int) -> None:
        """A call that may take its time begins now."""
        if self.page is not None:
            self.page[p.BUSY_SINCE] = time.monotonic_ns()
            self.page[p.BUSY] = id

    def answer_now(self) -> None:
        """The call that runs counts as a slow one, however soon it was interrupted: its reply does not wait."""
        self.clock = 0.0

    def may_begin(self, id: int, page: Any) -> bool:
        """Tell the page that a call begins; False if it was cancelled before."""
        self.begun += 1
        page[p.PROGRESS] = self.begun
        page[p.BEGUN] = id
        # Begun is stored before the cancels are read, and the host does the reverse: one of us sees it.
        if (page[p.CANCELS] != page[p.CANCELS_SEEN] or self.cancelled) and self.is_cancelled(id, page):
            page[p.ENDED] = id
            self.wire.out.append(self.guest.values.encode((p.SKIPPED, id)))
            return False
        return True

    def is_cancelled(self, id: int, page: Any) -> bool:
        """Has the host cancelled this call?  Asked again, it says no."""
        if page[p.CANCELS] != page[p.CANCELS_SEEN]:
            self.read_cancels(page)
        return self.cancelled.pop(id, MISSING) is None

    def read_cancels(self, page: Any) -> None:
        written = page[p.CANCELS]
        for entry in range(max(page[p.CANCELS_SEEN], written - p.RING), written):
            self.cancelled[page[p.CANCEL_RING + entry % p.RING]] = None
        page[p.CANCELS_SEEN] = written
        while len(self.cancelled) > p.WINDOW:  # those of calls that ran meanwhile, the oldest first
            del self.cancelled[next(iter(self.cancelled))]

    # -- a stream -------------------------------------------------------------------------------

    def on_stream(self, message: list[Any]) -> None:
        id, name = message[1], message[2]
        page = self.page
        self.wire.flush()
        self.tell_busy(id)
        if page is not None and not self.may_begin(id, page):
            return
        context = context_of(message)
        self.running.call = (id, name, context)
        outlet = Outlet(self.guest, id, context.get("ahead", p.AHEAD), self.wait_credit)
        outlet.holder = self.holder
        if page is not None:
            outlet.closed = lambda: page[p.CANCELS] != page[p.CANCELS_SEEN] and self.is_cancelled(id, page)
        reply = copy_context().run(outlet.run, name, message, self.doorbell)
        self.wire.out.append(reply)
        self.wire.flush()
        if page is not None:
            page[p.ENDED] = id
        self.clock = perf_counter()

    def wait_credit(self, outlet: Outlet) -> None:
        """Read until the host wants more of this stream, or none; what else comes waits its turn."""
        closed = False
        while outlet.full and not closed:
            self.wire.flush()
            for message in self.wire.receive():
                if message[0] == p.CREDIT and message[1] == outlet.id:
                    outlet.grant(message[2])
                elif message[0] == p.CANCEL and message[1] == outlet.id:
                    closed = True  # what came with it is not to be lost
                else:
                    self.backlog.append(message)
        if closed:
            raise Closed

    # -- what a method asks of the host ---------------------------------------------------------

    def wait(self, question: Question) -> None:
        """Read until the answer has come; what else comes waits its turn.  Interrupted if the call is cancelled."""
        self.wait_any([question], None)

    def wait_any(self, questions: list[Question], until: float | None) -> bool:
        """The same for the first of several answers, or until a time of the system's clock; False if that came first."""
        check_thread(self.thread)  # two that read the link would each wait for what the other has read
        doorbell, handlers = self.doorbell, self.guest.handlers
        id, doorbell.running = doorbell.running, 0  # a signal must not tear a message apart: it comes as one
        cancelled = False
        try:
            while not cancelled and not any_answered(questions):
                if until is not None and not self.wire.ready(until - time.monotonic()):
                    return False
                for message in self.wire.receive():
                    if message[0] in p.ANSWERS:
                        handlers[message[0]](message)
                    elif message[0] == p.CANCEL and message[1] == id and not doorbell.protected:
                        cancelled = True  # what came with it is not to be lost
                    else:
                        self.backlog.append(message)
        finally:
            doorbell.running = id
        if cancelled:
            raise Interrupted
        return True

    async def wait_async(self, question: Question) -> None:
        raise RuntimeError(CANNOT_AWAIT)

    async def wait_any_async(self, questions: list[Question], until: float | None) -> bool:
        raise RuntimeError(CANNOT_AWAIT)

    # -- many calls in one ----------------------------------------------------------------------

    def on_map(self, message: list[Any]) -> None:
        """Run the calls of a MAP in order; the n-th has the n-th id from the message's own."""
        id, name = message[1], message[2]
        page, doorbell = self.page, self.doorbell
        self.wire.flush()
        if page is not None:
            if not self.may_begin(id, page):
                self.begun += self.count(message) - 1
                return
            self.begun -= 1  # counted again with its first call
        self.through = self.begun + 1
        outlet = Outlet(self.guest, id, UNLIMITED, self.wait_credit)
        self.holder.hold(outlet)
        try:
            reply = self.run_many(id, name, message, outlet)
        except Interrupted:
            doorbell.running = 0
            self.guest.strike()
            reply = self.guest.values.encode((p.INTERRUPTED, id))
        finally:
            self.holder.release(outlet)
        doorbell.running = 0
        self.begun = self.through
        outlet.send()
        self.wire.out.append(reply)
        self.wire.flush()
        if page is not None:
            page[p.ENDED] = id
        self.clock = perf_counter()

    def count(self, message: list[Any]) -> int:
        """How many calls there are in a MAP."""
        try:
            return len(self.guest.values.arguments(message)[0])
        except Exception:
            return 1

    def run_many(self, id: int, name: str, message: list[Any], outlet: Outlet) -> Any:
        guest, page, doorbell, running = self.guest, self.page, self.doorbell, self.running
        values, cast_plain = guest.values, guest.values.trusted
        try:
            method = guest.methods.get(name) or guest.find(name)
            inputs, _ = values.arguments(message)
        except BaseException as error:
            return guest.failure(id, name, error, cast=False)
        self.through = self.begun + len(inputs)
        context = context_of(message)
        star, first = context.get("star", False), id + context.get("first", 0)
        doorbell.protected = name in guest.protected
        doorbell.running = id
        items = outlet.items
        clock = perf_counter()
        for at, item in enumerate(inputs):
            if page is not None:
                self.begun += 1
                page[p.PROGRESS] = self.begun
                if page[p.CANCELS] != page[p.CANCELS_SEEN] and self.is_cancelled(id, page):
                    return values.encode((p.CLOSED, id))
            running.call = (first + at, name, context)
            try:
                value = invoke(method, item if star else (item,), NONE)
                if cast_plain and type(value) in SHORT:
                    items.append(value)
                else:
                    outlet.give(value)
            except Interrupted:
                raise
            except BaseException as error:
                if not self.flawed(id, name, error, outlet):
                    return None
            before, clock = clock, perf_counter()
            if clock - before > SLOW or len(items) >= BATCH or outlet.bytes > LARGE:
                outlet.send()
                clock = perf_counter()
        return values.encode((p.RESULT, id, None))

    def flawed(self, id: int, name: str, error: BaseException, outlet: Outlet) -> bool:
        """One call of many has failed: tell so at its place."""
        outlet.send()
        reply = self.guest.failure(id, name, error, cast=False)  # does not return if the actor ends
        del reply
        fault = describe(error, self.guest.values.pickled_error)
        with outlet.lock:
            self.wire.out.append(self.guest.values.encode((p.FLAW, id, fault)))
            self.wire.flush()
        return True


MISSING = object()
SHORT = frozenset({int, float, bool, type(None)})
UNLIMITED = 1 << 60


def eager(wire: Any) -> Callable[[], list[Any]]:
    from .glimpse import EagerReader  # it needs the socket module, which is dear

    return EagerReader(wire).receive


def ignore(message: list[Any]) -> None:
    """Meant for a stream that has ended meanwhile."""
