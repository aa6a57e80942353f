"""Ctrl-C and SIGTERM, for a runtime that was asked to heed them: `open_runtime(handle_signals=True)`."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

import trio

from ..actors.errors import NoRuntimeError
from ..actors.events import Event
from ..actors.reasons import SHUTDOWN_EXIT
from .within import in_guest

if TYPE_CHECKING:
    from .runtime import Runtime

HEEDED = signal.SIGINT, signal.SIGTERM
AGAIN = 5.0  # seconds after a Ctrl-C in which another one stops the runtime
UNHEARD = (
    2  # Ctrl-C that a runtime whose loop does not run may miss, before the next is raised where it stands
)
SHELLS = 128  # added to a signal's number: the exit status of a program that it has ended


@dataclass(frozen=True, slots=True)
class SignalHeard(Event):
    """The program was sent a signal; `number` tells which, `stops` whether the runtime stops for it."""

    number: int
    stops: bool


class Signals:
    """The first Ctrl-C interrupts what runs, a second one stops all in order, a third one at once; SIGTERM stops in order."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.token = trio.lowlevel.current_trio_token()
        self.latest = -math.inf  # when the latest Ctrl-C was heard
        self.unheard = 0

    def caught(self, number: int, frame: FrameType | None) -> None:
        """The handler: it may run between any two steps, and does next to nothing."""
        self.unheard += 1
        if number == signal.SIGINT and self.unheard > UNHEARD and not trio.lowlevel.currently_ki_protected():
            raise KeyboardInterrupt
        self.token.run_sync_soon(self.hear, number)

    def hear(self, number: int) -> None:
        self.unheard = 0
        runtime = self.runtime
        stage = runtime.house.stage
        again = number == signal.SIGINT and stage.now() - self.latest < AGAIN
        if number == signal.SIGINT:
            self.latest = stage.now()
        stops = again or number == signal.SIGTERM
        runtime.house.emit(SignalHeard(int(stage.now() * 1e9), "", 0, number, stops))
        if not stops:
            runtime.house.look_after(runtime.sweep)
        elif runtime.closing and again:
            runtime.root.kill(SHUTDOWN_EXIT)
        else:
            runtime.stop(KeyboardInterrupt() if again else SystemExit(SHELLS + number))


@contextmanager
def heeded(runtime: Runtime, wanted: bool) -> Generator[None]:
    """Meanwhile the signals are the runtime's; what handled them before does so again afterwards."""
    if not wanted:
        yield
        return
    signals = Signals(runtime)
    before = {number: signal.signal(number, signals.caught) for number in HEEDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def check_signals() -> None:
    """Raise NoRuntimeError where no signals can be heeded."""
    if threading.current_thread() is not threading.main_thread():
        raise NoRuntimeError(
            "handle_signals=True is for the main thread, the only one that Python lets handle signals; leave it out here"
        )
    if in_guest():
        raise NoRuntimeError(
            "handle_signals=True is for a program's own runtime; in a worker SIGINT is how its host interrupts it"
        )
