"""The thread that a runtime lives in when its users do not run trio: its start, its end, and the ends nobody planned."""

from __future__ import annotations

import atexit
import contextvars
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import thread as _pool_threads
from typing import Any

import trio

from ..actors.errors import ActorError, NoRuntimeError, TaskCancelledError
from ..actors.scope import block
from ..supervisors.observing import Observing
from ..supervisors.runtime import Runtime, open_runtime
from ..supervisors.spec import Supervisor
from .crossing import Crossing
from .waiters import Gate

PATIENCE = 10.0  # seconds that the exit of the interpreter waits for runtimes that were left open
GLANCE = 1.0  # seconds between looks whether the users' loop is still there

CLOSED = "the runtime is closed; open it again, and make its actors inside"
FORKED = "this process was forked; the runtime stays with its parent, open one here with understudy.blocking or aio"
CLOSING = NoRuntimeError, TaskCancelledError, ActorError  # what those who wait are told when a runtime closes
FAILED = "the runtime has ended: its tree failed"


class Dropped(Exception):
    """Ends the runtime's block as an exception in the user's own block would."""


class RuntimeThread:
    """A runtime in a thread of its own; `gone` tells whether its users are not there any more."""

    def __init__(
        self,
        tree: Supervisor | None,
        gone: Callable[[], bool] | None = None,
        options: Observing | None = None,
    ) -> None:
        self.tree = tree
        self.options: Observing = options or {}
        self.gone = gone
        self.crossing = Crossing()
        self.opened = Gate()  # or it could not be
        self.failing = Gate()  # it ends, and nobody asked it to
        self.ended = Gate()
        self.runtime: Runtime | None = None
        self.failure: BaseException | None = None
        self.stopping = trio.Event()
        self.start = trio.CancelScope()
        self.dropping = self.striking = False
        self.forked = False
        self.told = False
        self.thread: threading.Thread | None = None

    # -- from outside ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the thread; `opened` tells when the runtime is."""
        # A daemon: the exit of the interpreter waits for it no longer than PATIENCE.
        self.thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self.main,), name="understudy", daemon=True
        )
        open_threads.add(self)
        self.thread.start()

    def stop(self, *, drop: bool, strike: bool = False) -> None:
        """Have the runtime close; `ended` tells when it has.

        With `drop`, casts that wait are dropped; with `strike`, what runs is interrupted.
        """
        self.dropping = self.dropping or drop
        self.striking = strike
        self.told = True
        self.crossing.close(CLOSED)
        self.crossing.post(RuntimeThread.stop_now, self)

    def hurry(self) -> None:
        """Have all that is below killed, without waiting for anything."""
        self.crossing.post(RuntimeThread.end_now, self)

    def join(self, timeout: float | None = None) -> None:
        if self.thread is not None and not self.forked:
            self.thread.join(timeout)

    # -- in the thread --------------------------------------------------------------------------

    def main(self) -> None:
        block.set(None)  # what is made in this runtime is nothing of a block around it
        try:
            trio.run(self.serve)
        except Dropped:
            pass
        except BaseException as error:
            self.failure = error
            self.crossing.close(FAILED, error)
        finally:
            open_threads.discard(self)
            self.crossing.end()
            for gate in (self.opened, self.ended, self.failing):
                gate.open()

    async def serve(self) -> None:
        self.crossing.token = trio.lowlevel.current_trio_token()
        self.crossing.ring()  # we may have been told to stop already
        with self.start:
            async with open_runtime(self.tree, **self.options) as runtime:
                self.runtime = runtime
                await self.be_open(runtime)

    async def be_open(self, runtime: Runtime) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.watch, self.gone)
                if not self.told:
                    self.crossing.open(nursery, runtime.house.stage)
                self.opened.open()
                await self.stopping.wait()
                nursery.cancel_scope.cancel()
        finally:
            self.crossing.unhang(runtime.house.stage)
            if not self.told:
                self.crossing.close(FAILED)
                self.failing.open()
        if self.dropping:
            raise Dropped

    async def watch(self, gone: Callable[[], bool] | None) -> None:
        """A loop that is closed under us tells nobody, so we look."""
        if gone is not None:
            while not gone():  # noqa: ASYNC110  nothing tells us
                await trio.sleep(GLANCE)
            self.stop(drop=True)

    def stop_now(self) -> None:
        self.stopping.set()
        if self.runtime is None:
            self.start.cancel()
        elif self.striking:
            self.runtime.interrupted()

    def end_now(self) -> None:
        if self.runtime is not None:
            self.runtime.house.nursery.cancel_scope.cancel()


# -- ends nobody planned -----------------------------------------------------------------------------

open_threads: weakref.WeakSet[RuntimeThread] = weakref.WeakSet()


def close_all() -> None:
    """The interpreter exits: close what was left open, so that nothing hangs and nobody hears of it."""
    threads = list(open_threads)
    if threads:
        threading.excepthook = without_daemons(threading.excepthook)
    for thread in threads:
        thread.stop(drop=True)
    until = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def without_daemons(hook: Callable[[Any], object]) -> Callable[[Any], object]:
    """A hook for what ends a thread, as the interpreter exits: that a daemon still waited for an actor is no news."""

    def told(args: threading.ExceptHookArgs) -> None:
        expected = isinstance(args.exc_value, CLOSING)
        if not (expected and args.thread is not None and args.thread.daemon):
            hook(args)

    return told


def forked() -> None:
    """In a forked child there is no such thread: nobody may wait for it."""
    for thread in list(open_threads):
        thread.forked = True
        thread.crossing.token, thread.crossing.ring = None, thread.crossing.ring_trio
        thread.crossing.close(FORKED)
        thread.told = True
        for gate in (thread.opened, thread.ended, thread.failing):
            gate.waiters.clear()
            gate.over = True
    open_threads.clear()


# Python's own executors use it: it runs while threads can still be started, which `atexit` does not promise.  What
# was registered last runs first, so theirs is loaded before: they wait for threads that may wait for a runtime.
PYTHONS_OWN = _pool_threads
at_exit: Callable[..., Any] = getattr(threading, "_register_atexit", atexit.register)
at_exit(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked)
