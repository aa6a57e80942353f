"""Actors for threads: in a guest that runs several calls at once, and in this very process."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.cast import said
from tests.cast_guest_streams import STEP, note
from understudy import Actor, Thread, current_actor, current_call, exit_actor, method


class Single(Actor):
    """One call at a time."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(3)

    @method
    def add(self, n: int = 1) -> int:
        return n + 1

    @method
    def meet(self) -> int:
        """Returns only if three run at once."""
        return self.barrier.wait(timeout=10)

    @method
    def wait_for(self, path: str, word: str) -> str:
        while word not in said(path):
            time.sleep(STEP)
        return word

    @method
    def spin(self, path: str) -> None:
        note(path, "begun ")
        try:
            while True:
                pass
        finally:
            note(path, "ended ")

    @method
    def block(self, path: str, seconds: float) -> None:
        note(path, "begun ")
        time.sleep(seconds)
        note(path, "ended ")

    @method(interrupt=False)
    def protected(self, path: str, word: str) -> str:
        return self.wait_for(path, word)

    @method
    def who(self, seconds: float = 0.01) -> Any:
        before = current_call().id
        time.sleep(seconds)
        assert current_call().id == before
        return [before, current_call().method, current_actor().path]

    @method
    def leave(self) -> None:
        exit_actor("for good")

    @method
    def fail(self, text: str) -> None:
        raise ValueError(text)

    @method
    def thread(self) -> int:
        return threading.get_ident()


class Gang(Single, max_concurrency=4, concurrency_groups={"one": 1}):
    """Several calls at once, in threads."""

    @method(concurrency_group="one")
    def one(self, path: str, word: str) -> str:
        return self.wait_for(path, word)


class Solo(Single, executor=Thread()):
    """One call at a time, in a thread of this process."""

    def __init__(self, *parts: Any) -> None:
        super().__init__()
        self.parts = parts

    @method
    def echo(self, value: Any) -> Any:
        return value

    @method
    def note(self, path: str) -> None:
        note(path, "noted ")

    @method
    def initial(self) -> Any:
        return self.parts

    @method
    def fail_with(self, error: Exception) -> None:
        raise error

    @method
    def spin_or_pass(self, limit: float) -> str:
        """Spin for so long, unless interrupted."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            pass
        return "passed"

    @method
    def swallow(self, times: int) -> int:
        """Swallow so many interrupts."""
        swallowed = 0
        while swallowed < times:
            try:
                while True:
                    pass
            except BaseException:
                swallowed += 1
        return swallowed
