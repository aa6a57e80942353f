"""Actors that give streams: the same generators twice, plain and `async`."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from tests.cast import mark, said
from understudy import Actor, Interrupted, Process, method

STEP = 0.002  # seconds between two looks at a file


class Fountain(Actor, executor=Process(stderr="keep")):
    """Plain generators."""

    @method
    def add(self, n: int = 1) -> int:
        return n + 1

    @method
    def count(self, n: int) -> Iterator[int]:
        yield from range(n)

    @method
    def give(self, *values: Any) -> Iterator[Any]:
        yield from values

    @method
    def fail_after(self, n: int) -> Iterator[int]:
        yield from range(n)
        raise ValueError(f"after {n}")

    @method
    def fail_in_finally(self, n: int) -> Iterator[int]:
        try:
            yield from range(n)
        finally:
            raise ValueError("in finally")

    @method
    def forever(self, path: str) -> Iterator[int]:
        """Without end; the file gets a byte for each item made and tells of the end."""
        try:
            for n in itertools.count():
                note(path, ".")
                yield n
        finally:
            tell(path, "closed")

    @method
    def keep_on(self, path: str) -> Iterator[int]:
        """Will not be closed."""
        note(path, ".")
        try:
            yield 0
        finally:
            tell(path, "closed")
            yield 1

    @method
    def gated(self, path: str, burst: int = 1) -> Iterator[int]:
        """After each burst, wait until the file says that it was taken."""
        for n in itertools.count():
            yield n
            if n % burst == burst - 1:
                while len(said(path)) < n // burst + 1:
                    time.sleep(STEP)

    @method
    def ponder(self, path: str, before: int = 1) -> Iterator[int]:
        """Think without end before the next item."""
        yield from range(before)
        note(path, "pondering\n")
        try:
            while True:
                pass
        finally:
            tell(path, "closed")

    @method
    def slowly(self, seconds: float, n: int) -> Iterator[int]:
        for i in range(n):
            time.sleep(seconds)
            yield i

    @method
    def lock_after(self, n: int) -> Iterator[Any]:
        yield from range(n)
        yield threading.Lock()

    @method
    def big(self, size: int, n: int) -> Iterator[bytes]:
        for i in range(n):
            yield bytes([i]) * size

    @method
    def die_after(self, n: int, path: str, times: int) -> Iterator[int]:
        if mark(path) <= times:
            for i in range(n):
                yield i
                time.sleep(0.02)
            os._exit(3)
        yield from range(10)


class River(Actor, executor=Process(stderr="keep")):
    """The same as `async` generators, under either loop."""

    @method
    async def add(self, n: int = 1) -> int:
        return n + 1

    @method
    async def count(self, n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i

    @method
    async def give(self, *values: Any) -> AsyncIterator[Any]:
        for value in values:
            yield value

    @method
    async def fail_after(self, n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i
        raise ValueError(f"after {n}")

    @method
    async def fail_in_finally(self, n: int) -> AsyncIterator[int]:
        try:
            for i in range(n):
                yield i
        finally:
            raise ValueError("in finally")

    @method
    async def forever(self, path: str) -> AsyncIterator[int]:
        try:
            for n in itertools.count():
                note(path, ".")
                yield n
        finally:
            note(path, "closed")

    @method
    async def keep_on(self, path: str) -> AsyncIterator[int]:
        note(path, ".")
        try:
            yield 0
        finally:
            note(path, "closed")
            yield 1

    @method
    async def gated(self, path: str, burst: int = 1) -> AsyncIterator[int]:
        for n in itertools.count():
            yield n
            if n % burst == burst - 1:
                while len(said(path)) < n // burst + 1:
                    await pause(STEP)

    @method
    async def ponder(self, path: str, before: int = 1) -> AsyncIterator[int]:
        for n in range(before):
            yield n
        note(path, "pondering\n")
        try:
            await pause(1000)
        finally:
            note(path, "closed")

    @method
    async def slowly(self, seconds: float, n: int) -> AsyncIterator[int]:
        for i in range(n):
            await pause(seconds)
            yield i

    @method
    async def lock_after(self, n: int) -> AsyncIterator[Any]:
        for i in range(n):
            yield i
        yield threading.Lock()

    @method
    async def big(self, size: int, n: int) -> AsyncIterator[bytes]:
        for i in range(n):
            yield bytes([i]) * size

    @method
    async def die_after(self, n: int, path: str, times: int) -> AsyncIterator[int]:
        if mark(path) <= times:
            for i in range(n):
                yield i
                await pause(0.02)
            os._exit(3)
        for i in range(10):
            yield i


class Mixed(River):
    """Plain generators beside `async` ones: they run in the same tasks."""

    count = Fountain.count
    give = Fountain.give
    fail_after = Fountain.fail_after
    fail_in_finally = Fountain.fail_in_finally
    forever = Fountain.forever
    keep_on = Fountain.keep_on
    lock_after = Fountain.lock_after
    big = Fountain.big


async def pause(seconds: float) -> None:
    """Sleep under either loop."""
    import sniffio

    if sniffio.current_async_library() == "trio":
        import trio

        await trio.sleep(seconds)
    else:
        import asyncio

        await asyncio.sleep(seconds)


def note(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(text)


def tell(path: str, text: str) -> None:
    """The same for the last word of one who is interrupted: he may be rung for once more meanwhile."""
    try:
        note(path, text)
    except Interrupted:
        tell(path, text)
