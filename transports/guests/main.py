"""The guest's loop: one thread that reads a frame, runs its calls in order, and answers.

It reads nothing while a method runs, so cancels and interrupts come by the page and the doorbell.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from . import protocol as p
from .context import ActorExit, running
from .faults import describe
from .interrupts import Doorbell, Interrupted, invoke
from .loading import find_class, prepare
from .values import Unfit, Values
from .wire import HostGone, Wire

SLOW = 50e-6  # seconds; before a method that takes longer, or is new, finished replies are sent

NONE: dict[str, Any] = {}
BATCH = 64  # replies; more do not wait, so that the host can take them while the next calls run
LARGE = (
    32 * 1024
)  # bytes; a larger reply is sent at once, so that no frame is much longer than its longest message


class Guest:
    """One actor, its link and its page."""

    def __init__(self, wire: Wire, values: Values, page: memoryview | None) -> None:
        self.wire = wire
        self.values = values
        self.page = page
        self.doorbell = Doorbell(page)
        self.actor: Any = None
        self.methods: dict[str, Callable[..., Any]] = {}
        self.protected: frozenset[str] = frozenset()
        self.crash_on: tuple[type[BaseException], ...] = ()
        self.quick: set[str] = set()  # methods that took no longer than SLOW when they last ran
        self.clock = 0.0
        self.cancelled: dict[int, None] = {}
        self.early: list[list[Any]] | None = []  # code sent before START, which tells where modules are
        self.begun = 0
        self.handlers: dict[int, Callable[[list[Any]], None]] = {
            p.CALL: self.on_call, p.CAST: self.on_call, p.CODE: self.on_code, p.START: self.on_start, p.STOP: self.on_stop,
        }  # fmt: skip

    def serve(self) -> None:
        """Handle messages until told to stop; raises HostGone or SystemExit."""
        while True:
            self.wire.flush()
            messages = self.wire.receive()
            self.clock = perf_counter()
            for message in messages:
                self.handlers[message[0]](message)

    # -- what the host sends --------------------------------------------------------------------

    def on_code(self, message: list[Any]) -> None:
        if self.early is not None:
            self.early.append(message)
        else:
            self.values.learn(message[1], message[2])

    def on_start(self, message: list[Any]) -> None:
        settings = message[1]
        try:
            self.configure(settings)
            args, kwargs = self.values.arguments(
                [p.START, 0, "__init__", settings["args"], settings["kwargs"]]
            )
            cls = find_class(settings["class"], self.values.code)
            self.crash_on = self.values.load(settings["crash_on"])
            self.actor = invoke(cls, args, kwargs)
            running.actor = self.actor
        except BaseException as error:
            self.say([p.FAILED, describe(error, self.values.pickled_error)])
            self.leave(1)
        self.say([p.READY])

    def configure(self, settings: dict[str, Any]) -> None:
        prepare(settings)
        self.values.use_msgspec()
        self.wire.decode = self.values.decode
        self.values.agree(settings["trusted"], *settings["limits"])
        self.protected = frozenset(settings["protected"])
        running.details = settings["details"]
        running.code = self.values.code
        early, self.early = self.early or [], None
        for message in early:
            self.on_code(message)

    def on_stop(self, message: list[Any]) -> None:
        self.say([p.ENDING, p.NORMAL, None, 0])
        self.leave(0)

    def on_call(self, message: list[Any]) -> None:
        id, name = message[1], message[2]
        wire, page = self.wire, self.page
        if name not in self.quick and wire.out:
            wire.flush()
        if page is not None:
            self.begun += 1
            page[p.PROGRESS] = self.begun
            page[p.BEGUN] = id
            # Begun is stored before the cancels are read, and the host does the reverse: one of us sees it.
            if page[p.CANCELS] != page[p.CANCELS_SEEN] or self.cancelled:
                self.read_cancels(page)
                if id in self.cancelled:
                    del self.cancelled[id]
                    page[p.ENDED] = id
                    wire.out.append(self.values.encode((p.SKIPPED, id)))
                    return
        running.call = (id, name, message[5] if len(message) > 5 else None)
        reply = self.answer(id, name, message)
        wire.out.append(reply)
        if page is not None:
            page[p.ENDED] = id
        before, self.clock = self.clock, perf_counter()
        if self.clock - before > SLOW or len(reply) > LARGE or len(wire.out) >= BATCH:
            self.quick.discard(name)
            wire.flush()
        elif name not in self.quick:
            self.quick.add(name)

    def read_cancels(self, page: memoryview) -> None:
        written = page[p.CANCELS]
        for entry in range(max(page[p.CANCELS_SEEN], written - p.RING), written):
            self.cancelled[page[p.CANCEL_RING + entry % p.RING]] = None
        page[p.CANCELS_SEEN] = written
        while len(self.cancelled) > p.WINDOW:  # those of calls that ran meanwhile, the oldest first
            del self.cancelled[next(iter(self.cancelled))]

    # -- one call -------------------------------------------------------------------------------

    def answer(self, id: int, name: str, message: list[Any]) -> bytes:
        """Run one call and encode its reply; ends the guest if the call ended the actor."""
        doorbell = self.doorbell
        try:
            method = self.methods.get(name) or self.find(name)
            args: Any = message[3]
            kwargs: Any = NONE
            if len(message) > 4 or args.__class__ is not list:
                args, kwargs = self.values.arguments(message)
            doorbell.protected = name in self.protected
            doorbell.running = id
            value = invoke(method, args, kwargs)
            doorbell.running = 0
            # Nobody waits for what a cast returns, so it need not be fit to travel.
            return self.values.result(id, value if message[0] == p.CALL else None)
        except Interrupted:
            doorbell.running = 0
            return self.values.encode((p.INTERRUPTED, id))
        except BaseException as error:
            doorbell.running = 0
            return self.failure(id, name, error, cast=message[0] == p.CAST)

    def find(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.actor, name)
        self.methods[name] = method
        return method

    def failure(self, id: int, name: str, error: BaseException, cast: bool) -> bytes:
        fault = describe(error, self.values.pickled_error)
        if isinstance(error, ActorExit | SystemExit):
            self.end_on_purpose(id, error, fault)
        reply = self.values.encode((p.ERROR, id, fault))
        if not isinstance(error, Unfit) and (cast or isinstance(error, self.crash_on)):
            self.wire.out.append(reply)
            self.end(p.CRASHED, fault, id)
        return reply

    # -- the end --------------------------------------------------------------------------------

    def end_on_purpose(self, id: int, error: ActorExit | SystemExit, fault: list[Any]) -> None:
        if isinstance(error, ActorExit):
            self.end(error.reason or p.NORMAL, None, id)
        elif error.code is None or error.code == 0:
            self.end(p.NORMAL, None, id)
        self.end(p.CRASHED, fault, id)

    def end(self, outcome: str, fault: list[Any] | None, id: int) -> None:
        self.say([p.ENDING, outcome, fault, id])
        self.leave(0 if fault is None else 1)

    def say(self, message: list[Any]) -> None:
        self.wire.out.append(self.values.encode(message))
        self.wire.flush()

    def leave(self, status: int) -> None:
        raise SystemExit(status)


def run(descriptors: list[int]) -> None:
    """Say hello, then serve until the end."""
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    values = Values()
    wire = Wire(descriptors[0], values.decode)
    os.set_inheritable(descriptors[0], False)  # what user code starts must not hold the link open
    page = map_page(descriptors[1]) if len(descriptors) > 1 else None
    guest = Guest(wire, values, page)
    guest.doorbell.listen()
    capabilities = [*p.CAPABILITIES, p.PAGE_CAPABILITY] if page is not None else [*p.CAPABILITIES]
    try:
        guest.say([p.HELLO, p.VERSION, capabilities, os.getpid()])
        guest.serve()
    except HostGone:
        # Nobody is left to answer to, and nothing may outlive the host: no clean-up that could hang.
        os._exit(1)


def map_page(descriptor: int) -> memoryview:
    from mmap import mmap

    page = mmap(descriptor, p.PAGE_BYTES)
    os.close(descriptor)
    return memoryview(page).cast("Q")
