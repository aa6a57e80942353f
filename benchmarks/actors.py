"""The actors that are measured. Guests import them by name, so they live in a module of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from time import perf_counter

from understudy import Actor, Process, ReceiveChannel, SendChannel, method


class Echo(Actor, executor=Process()):
    """Does nothing, so that only the call is on the bill."""

    @method
    def echo(self, x: int = 0) -> int:
        """Give back what came."""
        return x

    @method
    def count_up(self, count: int) -> Iterator[int]:
        """So many small items."""
        yield from range(count)

    @method
    def pid(self) -> int:
        """The process this actor runs in."""
        return os.getpid()


class Awaiting(Actor, executor=Process()):
    """The same with a method that is awaited."""

    @method
    async def echo(self, x: int = 0) -> int:
        """Give back what came."""
        return x

    @method
    def pid(self) -> int:
        """The process this actor runs in."""
        return os.getpid()


class Loop(Actor, executor=Process()):
    """Hangs, for `interrupt` to end it."""

    @method
    def spin(self, started: str) -> None:
        """Make the file `started`, then loop for ever."""
        os.close(os.open(started, os.O_CREAT | os.O_WRONLY))
        while True:
            pass


class Idle(Actor):
    """Waits for calls that never come."""


class Belt(Actor):
    """Sends numbers through a channel, and counts what comes."""

    @method
    def send(self, out: SendChannel[int], count: int) -> None:
        """Send so many."""
        with out:
            for number in range(count):
                out.send(number)

    @method
    def count(self, source: ReceiveChannel[int]) -> int:
        """How many come."""
        count = 0
        for _ in source:
            count += 1
        return count

    @method
    def pid(self) -> int:
        """The process this actor runs in."""
        return os.getpid()


class Fall(Exception):
    """What `Crasher` raises."""


class Crasher(Actor):
    """Falls on request; every incarnation calls `ready` as the last thing of its start."""

    def __init__(self, ready: Callable[[], None]) -> None:
        ready()

    @method
    def fall(self) -> None:
        """Raise, which in a cast ends the incarnation."""
        raise Fall


class Phoenix(Actor):
    """Tells when it is made."""

    def __init__(self, born: Callable[[float], None] | None = None) -> None:
        if born is not None:
            born(perf_counter())

    @method
    def pid(self) -> int:
        """The process this actor runs in."""
        return os.getpid()
