"""Actors whose methods are generators, importable by name in guests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import trio
import trio.lowlevel

from tests.cast import QUIET
from understudy import Actor, current_call, exit_actor, method


class Spring(Actor, executor=QUIET):
    """Gives items in every way there is; `log` says how far it has run."""

    def __init__(self) -> None:
        self.given = 0
        self.log: list[Any] = []

    @method
    def numbers(self, count: int) -> Iterator[int]:
        try:
            for n in range(count):
                self.given += 1
                yield n
        finally:
            self.log.append("closed")

    @method
    def endless(self) -> Iterator[int]:
        n = 0
        try:
            while True:
                self.given += 1
                yield n
                n += 1
        finally:
            self.log.append("closed")

    @method(ahead=3)
    def careful(self, count: int) -> Iterator[int]:
        for n in range(count):
            self.given += 1
            yield n

    @method
    def fail_at(self, position: int, error: BaseException) -> Iterator[int]:
        yield from range(position)
        raise error

    @method
    def fail_when_closed(self, error: BaseException) -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            raise error

    @method
    def never_closes(self) -> Iterator[int]:
        try:
            while True:
                yield 0
        except GeneratorExit:
            self.log.append("ignored")
            yield 1

    @method(max_task_retries=2, retry_exceptions=True)
    def fail_at_first(self, position: int) -> Iterator[int]:
        """Raises at this position on the first attempt."""
        for n in range(position + 2):
            if n == position and current_call().attempt == 1:
                raise ValueError("at first")
            yield n

    @method(max_task_retries=2)
    def die_at_first(self, position: int) -> Iterator[int]:
        """Takes its actor with it on the first attempt."""
        for n in range(position + 2):
            if n == position and current_call().attempt == 1:
                raise SystemExit(1)
            yield n

    @method
    def leave_at(self, position: int) -> Iterator[int]:
        yield from range(position)
        exit_actor("enough")

    @method
    def who(self) -> Iterator[tuple[int, str]]:
        yield current_call().id, current_call().method
        yield current_call().id, current_call().method

    @method
    def not_at_all(self, *, needed: int) -> Iterator[int]:
        yield needed

    @method
    def note(self, value: Any) -> None:
        self.log.append(value)

    @method
    def told(self) -> list[Any]:
        return self.log

    @method
    def count(self) -> int:
        return self.given

    def unmarked(self, count: int) -> Iterator[int]:
        yield from range(count)


class Plain(Actor, executor=QUIET):
    """Has no generator that is marked."""

    @method
    def add(self, a: int, b: int) -> int:
        return a + b

    def unmarked(self, count: int) -> Iterator[int]:
        yield from range(count)


class River(Actor, executor=QUIET):
    """Gives items from async generators."""

    def __init__(self) -> None:
        self.given = 0
        self.log: list[Any] = []

    @method
    async def numbers(self, count: int, pause: float = 0.0) -> AsyncIterator[int]:
        try:
            for n in range(count):
                self.given += 1
                yield n
                if pause:
                    await trio.sleep(pause)
        finally:
            self.log.append("closed")

    @method
    def plain_numbers(self, count: int) -> Iterator[int]:
        try:
            for n in range(count):
                self.given += 1
                yield n
        finally:
            self.log.append("closed")

    @method
    async def stuck_after(self, count: int) -> AsyncIterator[int]:
        try:
            for n in range(count):
                yield n
            await trio.sleep_forever()
        finally:
            self.log.append("closed")

    @method(ahead=3)
    async def careful(self, count: int) -> AsyncIterator[int]:
        for n in range(count):
            self.given += 1
            yield n

    @method
    async def fail_at(self, position: int, error: BaseException) -> AsyncIterator[int]:
        for n in range(position):
            yield n
        raise error

    @method
    async def fail_when_closed(self, error: BaseException) -> AsyncIterator[int]:
        try:
            while True:
                yield 0
        finally:
            raise error

    @method(max_task_retries=2, retry_exceptions=True)
    async def fail_at_first(self, position: int) -> AsyncIterator[int]:
        for n in range(position + 2):
            if n == position and current_call().attempt == 1:
                raise ValueError("at first")
            yield n

    @method
    async def who(self) -> AsyncIterator[tuple[int, str]]:
        yield current_call().id, current_call().method
        await trio.lowlevel.checkpoint()
        yield current_call().id, current_call().method

    @method
    def told(self) -> list[Any]:
        return self.log

    @method
    def count(self) -> int:
        return self.given
