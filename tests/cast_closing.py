"""Actors whose streams need time to tidy up, or fail at it."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import AsyncIterator, Iterator

from tests.cast_guest_streams import note, pause
from understudy import Actor, Process, method

LONG = 0.15  # seconds; some signals of a ladder's first rung fall into it


class Tidy(Actor, executor=Process(stderr="keep")):
    """Plain generators."""

    @method
    def add(self, n: int = 1) -> int:
        return n + 1

    @method(interrupt=False)
    def fail_after_all(self, path: str) -> None:
        while not os.path.exists(path):
            time.sleep(0.002)
        raise ValueError("after all")

    @method
    def linger(self, path: str) -> Iterator[int]:
        """Without end; tidying up holds the thread for a while."""
        try:
            yield from itertools.count()
        finally:
            time.sleep(LONG)
            note(path, "closed")

    @method
    def forever(self) -> Iterator[int]:
        yield from itertools.count()

    @method
    def fail_at_the_end(self) -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            raise ValueError("at the end")

    @method
    def ponder(self, path: str) -> Iterator[int]:
        """Think without end before the second item."""
        yield 0
        note(path, "pondering")
        while True:
            pass


class TidyAsync(Actor, executor=Process(stderr="keep")):
    """The same as `async` generators."""

    @method
    async def add(self, n: int = 1) -> int:
        return n + 1

    @method
    async def linger(self, path: str) -> AsyncIterator[int]:
        try:
            for n in itertools.count():
                yield n
        finally:
            time.sleep(LONG)  # noqa: ASYNC251
            note(path, "closed")

    @method
    async def forever(self) -> AsyncIterator[int]:
        for n in itertools.count():
            yield n

    @method
    async def fail_at_the_end(self) -> AsyncIterator[int]:
        try:
            for n in itertools.count():
                yield n
        finally:
            raise ValueError("at the end")

    @method
    async def ponder(self, path: str) -> AsyncIterator[int]:
        yield 0
        await pause(0.01)
        note(path, "pondering")
        while True:
            pass


class TidyMixed(TidyAsync):
    """Plain generators in tasks."""

    linger = Tidy.linger
    forever = Tidy.forever
    fail_at_the_end = Tidy.fail_at_the_end
    ponder = Tidy.ponder
