"""Actors with `async` methods that run under either loop."""

from __future__ import annotations

import asyncio
import os
import time
from contextvars import ContextVar
from typing import Any

import sniffio

from tests.cast import mark
from tests.cast_guest_streams import STEP, note, pause
from understudy import Actor, Process, carry, current_actor, current_call, exit_actor, method

seen: ContextVar[str] = ContextVar("seen", default="nothing")
request: ContextVar[Any] = carry(ContextVar("tests_request", default=None))


class Crew(Actor, executor=Process(stderr="keep"), concurrency_groups={"one": 1, "two": 2}):
    """Many at once."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.order: list[Any] = []
        self.gates: set[Any] = set()

    @method
    async def add(self, n: int = 1) -> int:
        return n + 1

    @method
    def plain(self, n: int = 1) -> int:
        return n + 1

    @method
    async def library(self) -> str:
        return sniffio.current_async_library()

    @method
    async def pass_gate(self, gate: Any = "gate") -> Any:
        """Wait until the gate is open; count who waits."""
        self.order.append(gate)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            while gate not in self.gates:
                await pause(STEP)
        finally:
            self.now -= 1
        return gate

    @method
    async def queue(self, n: int) -> int:
        """Stay a little."""
        self.order.append(n)
        self.now += 1
        self.most = max(self.most, self.now)
        await pause(0.01)
        self.now -= 1
        return n

    @method
    def open(self, *gates: Any) -> int:
        self.gates.update(gates)
        return self.most

    @method
    async def report(self) -> tuple[int, int, list[Any]]:
        return self.now, self.most, self.order

    @method(concurrency_group="one")
    async def one(self, gate: Any) -> Any:
        return await self.pass_gate(gate)

    @method(concurrency_group="one")
    def one_plain(self, value: Any) -> Any:
        self.order.append(value)
        return value

    @method(concurrency_group="two")
    async def two(self, gate: Any) -> Any:
        return await self.pass_gate(gate)

    @method(concurrency_group="one")
    def plain_exit(self) -> None:
        exit_actor("plainly")

    # -- ends -----------------------------------------------------------------------------------

    @method
    async def rest(self, path: str) -> None:
        """Rest until stopped; tells of its begin and its end."""
        note(path, "begun ")
        try:
            await pause(1000)
        finally:
            note(path, "ended ")

    @method
    async def tidy(self, path: str, seconds: float) -> None:
        """Its end takes a while."""
        note(path, "begun ")
        try:
            await pause(1000)
        finally:
            await shielded(seconds)
            note(path, "tidied ")

    @method
    async def deaf(self, path: str, times: int) -> str:
        """Swallow so many cancellations."""
        for _ in range(times):
            note(path, "begun ")
            try:
                await pause(1000)
            except BaseException:
                note(path, "swallowed ")
        return "done"

    @method
    async def unmoved(self, path: str) -> None:
        """No cancellation ends it."""
        note(path, "begun ")
        while True:
            try:
                await shielded(1000)
            except BaseException:
                note(path, "swallowed ")

    @method
    async def spin(self, path: str) -> None:
        note(path, "begun ")
        try:
            while True:
                pass
        finally:
            note(path, "ended ")

    @method
    async def block(self, path: str, seconds: float) -> str:
        note(path, "begun ")
        time.sleep(seconds)  # noqa: ASYNC251  on purpose
        note(path, "ended ")
        return "rested"

    @method
    def hold(self, seconds: float) -> None:
        """Hold up the loop."""
        time.sleep(seconds)

    @method(interrupt=False)
    async def protected(self, path: str, gate: str) -> str:
        note(path, "begun ")
        await self.pass_gate(gate)
        note(path, "done ")
        return "done"

    @method
    async def fail(self, error: Any) -> None:
        await pause(0)
        raise error

    @method
    async def fail_by_name(self, text: str) -> None:
        await pause(0)
        raise ValueError(text)

    @method
    async def leave(self, reason: str | None = None) -> None:
        await pause(0)
        exit_actor(reason)

    @method
    async def leave_from_group(self) -> None:
        """Leave from inside a nursery or a task group."""
        if sniffio.current_async_library() == "trio":
            import trio

            async with trio.open_nursery():
                exit_actor("from a group")
        else:
            async with asyncio.TaskGroup():
                exit_actor("from a group")

    @method
    async def quit(self, status: int) -> None:
        await pause(0)
        raise SystemExit(status)

    @method
    async def die(self, path: str, times: int) -> int:
        attempt = mark(path)
        await pause(0)
        if attempt <= times:
            os._exit(3)
        return current_call().attempt

    @method
    async def fail_first(self, path: str, times: int) -> int:
        attempt = mark(path)
        await pause(0)
        if attempt <= times:
            raise ValueError("not yet")
        return current_call().attempt

    # -- what it knows of itself ----------------------------------------------------------------

    @method
    async def who(self, seconds: float = 0.0) -> Any:
        await pause(seconds)
        return current_call().id, current_call().method, current_actor().path

    @method
    async def who_in_child(self) -> Any:
        await pause(0)
        found: list[Any] = []

        async def child() -> None:
            await pause(0.01)
            found.append((current_call().id, current_call().method, current_actor().path))

        await in_child(child)
        return found[0]

    @method(concurrency_group="one")
    def plain_who(self) -> Any:
        return current_call().id, current_call().method, current_actor().path

    @method
    async def remaining(self) -> float | None:
        await pause(0.05)
        return current_call().remaining

    @method
    async def swap(self, value: str) -> str:
        """Set a context variable; returns what it was."""
        before = seen.get()
        seen.set(value)
        await pause(0)
        assert seen.get() == value
        return before

    @method
    def plain_swap(self, value: str) -> str:
        before = seen.get()
        seen.set(value)
        return before

    @method
    async def carried(self) -> Any:
        await pause(0)
        return request.get()

    @method
    def plain_carried(self) -> Any:
        return request.get()

    @method
    async def stream_carried(self) -> Any:
        for _ in range(2):
            yield request.get()


class Hand(Actor, executor=Process(stderr="keep")):
    """Without `async` methods."""

    @method
    def plain_swap(self, value: str) -> str:
        before = seen.get()
        seen.set(value)
        return before

    @method
    def plain_carried(self) -> Any:
        return request.get()

    @method
    def stream_carried(self) -> Any:
        seen.set("streamed")
        for _ in range(2):
            yield request.get()

    @method
    def remaining(self) -> float | None:
        time.sleep(0.05)
        return current_call().remaining


async def in_child(function: Any) -> None:
    if sniffio.current_async_library() == "trio":
        import trio

        async with trio.open_nursery() as nursery:
            nursery.start_soon(function)
    else:
        await asyncio.create_task(function())


async def shielded(seconds: float) -> None:
    """Sleep although cancelled, as each library has it done."""
    if sniffio.current_async_library() == "trio":
        import trio

        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)
    else:
        await asyncio.sleep(seconds)
