"""Actors that make, keep, return and take refs."""

from __future__ import annotations

import time
from typing import Any

from tests.cast import QUIET, mark
from tests.cast import Player as Player
from understudy import Actor, Handle, Local, ObjectRef, current_call, method, open_scope, remote, wait


class Taker(Actor, executor=QUIET):
    """Writes down what it is given."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @method
    def take(self, value: Any = None, *more: Any, **named: Any) -> Any:
        self.seen.append(value)
        return (value, *more, *named.values()) if more or named else value

    @method
    def pair(self, first: Any, second: Any = 0) -> list[Any]:
        self.seen.append([first, second])
        return [first, second]

    @method
    def change(self, values: list[int]) -> int:
        """Changes what it is given; others must not see that."""
        values.append(0)
        return len(values)

    @method
    def fail(self, text: str = "failed") -> int:
        raise ValueError(text)

    @method
    def nap(self, seconds: float = 3600.0) -> str:
        time.sleep(seconds)
        return "woke"

    @method
    def taken(self) -> list[Any]:
        return self.seen

    @method
    def stored(self) -> int:
        """How many values of refs this guest holds."""
        import gc
        import sys

        values: Any = sys.modules["understudy_guest.values"].Values
        return sum(len(one.stored) for one in gc.get_objects() if isinstance(one, values))

    @method
    def numbers(self, upto: int) -> Any:
        yield from range(upto)


class Maker(Actor, executor=Local()):
    """Makes refs in its methods."""

    def __init__(self, other: Handle[Taker]) -> None:
        self.other = other
        self.made: list[ObjectRef[Any]] = []

    @method
    def leave(self, count: int = 1) -> None:
        """Makes refs and keeps them to itself."""
        self.made += [self.other.nap.remote() for _ in range(count)]

    @method
    def leave_and_fail(self) -> None:
        self.leave()
        raise ValueError("after it made a ref")

    @method
    def give(self) -> ObjectRef[str]:
        """Returns one of the two refs it makes."""
        self.made += [self.other.nap.remote(), self.other.nap.remote()]
        return self.made[-1]

    @method
    def give_list(self) -> list[ObjectRef[str]]:
        self.made += [self.other.nap.remote(), self.other.nap.remote(), self.other.nap.remote()]
        return self.made[1:]

    @method
    def give_dict(self) -> dict[str, ObjectRef[str]]:
        self.made += [self.other.nap.remote(), self.other.nap.remote()]
        return {"kept": self.made[0]}

    @method
    def refs(self) -> list[Any]:
        return [[ref] for ref in self.made]

    @method
    def ask_itself(self, me: Handle[Maker]) -> None:
        self.made.append(me.refs.remote())

    @method
    def pass_on(self, maker: Handle[Maker]) -> ObjectRef[Any]:
        """A ref whose value is a ref."""
        self.made.append(maker.give.remote())
        return self.made[-1]

    @method
    def start_another(self) -> Handle[Taker]:
        return Taker.options(executor=Local()).remote()


class AsyncMaker(Actor, executor=Local()):
    """Makes refs in async methods and in generators."""

    def __init__(self, slow: Handle[Taker], quick: Handle[Taker]) -> None:
        self.slow = slow
        self.quick = quick
        self.made: list[ObjectRef[Any]] = []

    @method
    async def first(self) -> Any:
        """The first of two; the other is left."""
        self.made += [self.slow.nap.remote(), self.quick.take.remote("quick")]
        ended, _ = await wait(self.made[-2:])
        return await ended[0]

    @method
    async def give(self) -> ObjectRef[str]:
        self.made += [self.slow.nap.remote(), self.slow.nap.remote()]
        await self.quick.take()
        return self.made[-1]

    @method
    async def within(self) -> list[bool]:
        """What is done after a scope inside a call."""
        outside = self.slow.nap.remote()
        async with open_scope():
            inside = self.slow.nap.remote()
        self.made += [outside, inside]
        return [outside.done, inside.done]

    @method
    async def wait_for_ever(self) -> None:
        self.made.append(self.slow.nap.remote())
        await self.made[-1]

    @method
    def refs(self) -> list[Any]:
        return [[ref] for ref in self.made]


class Stubborn(Actor, executor=QUIET):
    """Takes its time to end."""

    @method(cancel="wait")
    def tidy(self, path: str, seconds: float = 0.1) -> str:
        try:
            mark(path + ".begun")
            time.sleep(3600)
        finally:
            rest(seconds)
            mark(path)
        return "whole"

    @method(cancel="wait", interrupt=False)
    def finish(self, path: str, seconds: float = 0.2) -> str:
        mark(path + ".begun")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass
        mark(path)
        return "finished"

    @method(cancel="wait")
    def object(self, path: str) -> str:
        try:
            mark(path + ".begun")
            time.sleep(3600)
        finally:
            mark(path)
            raise ValueError("it objects")

    @method(cancel="wait")
    def go_on(self, path: str) -> str:
        mark(path)
        while True:
            try:
                mark(path + ".begun")
                time.sleep(3600)
            except BaseException:
                pass

    @method
    def ping(self) -> str:
        return "here"


class Patient(Actor, executor=QUIET, cancel="wait"):
    """Waits in an event loop, and takes its time to end."""

    @method
    async def tidy(self, path: str) -> None:
        import trio

        try:
            mark(path + ".begun")
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.1)
            mark(path)

    @method
    async def ping(self) -> str:
        return "here"


class Spinner(Actor, executor=QUIET, cancel="wait"):
    """Loops in Python, and takes its time to end."""

    @method
    def tidy(self, path: str) -> None:
        try:
            mark(path + ".begun")
            while True:
                pass
        finally:
            rest(0.1)
            mark(path)

    @method
    def ping(self) -> str:
        return "here"


def rest(seconds: float) -> None:
    """Sleep, whatever interrupts it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            time.sleep(0.005)
        except BaseException:
            pass


class Trier(Actor, executor=QUIET):
    """Raises until it has been asked often enough."""

    @method
    def attempt(self, path: str, fails: int, kind: str = "ValueError") -> tuple[int, int]:
        """Its id and attempt, once it succeeds."""
        count = mark(path)
        if count <= fails:
            raise {"ValueError": ValueError, "KeyError": KeyError, "OSError": OSError}[kind](str(count))
        call = current_call()
        return call.id, call.attempt

    @method(max_task_retries=2, retry_exceptions=[KeyError])
    def marked(self, path: str, fails: int, kind: str) -> tuple[int, int]:
        return self.attempt(path, fails, kind)

    @method
    def count(self, path: str) -> int:
        return mark(path) - 1


@remote
def joined(first: str, second: str = "") -> str:
    return f"{first}{second}"
