"""Actors whose hooks and timers are tried in guests: what they tell, whom they call, how they fail."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from tests.cast import QUIET
from understudy import Actor, Local, blocking, current_actor, current_call, exit_actor, method


class Book(Actor, executor=Local()):
    """Keeps what others write."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @method
    def note(self, line: str) -> int:
        self.lines.append(line)
        return len(self.lines)

    @method
    def read(self) -> list[str]:
        return self.lines


class Reporter(Actor, executor=QUIET):
    """Its hooks and its timer call another actor, and wait."""

    def __init__(self, book: Any) -> None:
        self.book = book

    def tell(self, line: str) -> Any:
        blocking.call(self.book.note, line)

    def on_start(self) -> Any:
        return self.tell("on_start")

    def on_stop(self, reason: str) -> Any:
        return self.tell(f"on_stop {reason}")

    @method
    def tell_soon(self) -> None:
        self.after(0.01, self.tell, "timer")

    @method
    def leave(self) -> None:
        exit_actor()


class ThreadedReporter(Reporter, executor=QUIET, max_concurrency=2):
    """The same in threads."""


class Bearer(Actor, executor=QUIET):
    """Hands over whatever it was given."""

    def __init__(self, state: Any = None) -> None:
        self.state = state

    @method
    def take(self, state: Any) -> None:
        self.state = state

    @method
    def take_unfit(self) -> None:
        self.state = object

    @method
    def take_large(self, size: int) -> None:
        self.state = "x" * size

    @method
    def show(self) -> Any:
        return self.state

    @method
    def fail(self) -> None:
        raise LookupError("on order")

    def save_state(self) -> object:
        return self.state

    def load_state(self, state: Any) -> None:
        self.state = state


class Metronome(Actor, executor=QUIET):
    """Notes when its timer runs, and beside what."""

    def __init__(self) -> None:
        self.busy = False
        self.seen: list[Any] = []
        self.early = self.after(0.0, self.note, "early")

    def note(self, what: str) -> None:
        try:
            call = current_call().method
        except RuntimeError:
            call = "no call"
        self.seen.append((what, call, self.busy, current_actor().incarnation))

    @method
    def begin(self, seconds: float) -> None:
        self.timer = self.every(seconds, self.note, "beat")

    @method
    def work(self, seconds: float) -> int:
        self.busy = True
        time.sleep(seconds)
        self.busy = False
        return len(self.seen)

    @method
    def items(self, count: int) -> Any:
        self.busy = True
        yield from range(count)
        self.busy = False

    @method
    def told(self) -> list[Any]:
        return self.seen


class ThreadedMetronome(Metronome, executor=QUIET, max_concurrency=2):
    """The same in threads."""


class Nurseryless(Actor, executor=QUIET):
    @method
    def ask(self) -> Any:
        return self.nursery


class Stubborn(Actor, executor=QUIET, shutdown=0.2):
    """Its last hook does not end."""

    def on_stop(self, reason: str) -> Any:
        while True:
            time.sleep(0.01)

    @method
    def fail(self) -> None:
        raise LookupError("on order")


class ThreadedStubborn(Stubborn, executor=QUIET, max_concurrency=2, shutdown=0.2):
    """The same in threads."""


class Unrepairable(Actor, executor=QUIET):
    """Cannot repair itself."""

    def on_interrupt(self) -> Any:
        raise ValueError("beyond repair")

    @method
    def rest(self, path: str) -> Any:
        Path(path).touch()
        while True:
            time.sleep(0.001)

    @method
    def ping(self) -> int:
        return 1


class ThreadedUnrepairable(Unrepairable, executor=QUIET, max_concurrency=2):
    """The same in threads."""


class Crowd(Actor, executor=QUIET, max_concurrency=8):
    """Several of its calls run when it ends."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.lock = threading.Lock()
        self.there = 0
        self.all_there = threading.Barrier(4)

    def write(self, line: str) -> None:
        with self.lock, self.path.open("a") as file:
            file.write(f"{line}\n")

    @method
    def stand(self, fall: bool) -> None:
        if fall:
            self.all_there.wait()
            raise LookupError("on order")
        try:
            self.all_there.wait()
            while True:
                time.sleep(0.001)
        finally:
            self.write("stand ended")

    @method(interrupt=False)
    def insist(self) -> None:
        self.all_there.wait()
        time.sleep(0.05)
        self.write("insist ended")

    def save_state(self) -> object:
        self.write("save_state")
        return None

    def on_stop(self, reason: str) -> None:
        self.write(f"on_stop {reason}")
