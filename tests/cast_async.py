"""Actors with async methods, importable by name in guests."""

from __future__ import annotations

from typing import Any

import trio
import trio.lowlevel

from tests.cast import QUIET
from understudy import Actor, current_actor, current_call, exit_actor, method


class Juggler(Actor, executor=QUIET, concurrency_groups={"io": 2}):
    """Does several things at once; `log` says what, in order."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.now = 0
        self.most = 0
        self.gate = trio.Event()

    @method
    async def echo(self, value: Any = None) -> Any:
        return value

    @method
    async def sleep(self, seconds: float, name: str = "") -> str:
        self.log.append(f"{name} begins")
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await trio.sleep(seconds)
        finally:
            self.now -= 1
        self.log.append(f"{name} ends")
        return name

    @method
    async def wait(self, name: str = "") -> str:
        self.log.append(f"{name} begins")
        try:
            await self.gate.wait()
        except trio.Cancelled:
            self.log.append(f"{name} cancelled")
            raise
        return name

    @method(interrupt=False)
    async def guarded(self) -> str:
        self.log.append("guarded begins")
        await self.gate.wait()
        self.log.append("guarded ends")
        return "whole"

    @method
    async def stubborn(self, times: int) -> None:
        """Swallows so many cancellations, each at another await."""
        self.log.append("stubborn begins")
        for n in range(times):
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                self.log.append(f"swallowed {n}")
        await trio.sleep_forever()

    @method
    async def fail(self, error: BaseException) -> None:
        await trio.lowlevel.checkpoint()
        raise error

    @method
    async def fail_when_cancelled(self, error: BaseException) -> None:
        self.log.append("fail_when_cancelled begins")
        try:
            await trio.sleep_forever()
        finally:
            raise error

    @method
    async def leave(self) -> None:
        await trio.lowlevel.checkpoint()
        exit_actor("enough")

    @method
    async def who(self) -> tuple[int, str, str]:
        await trio.lowlevel.checkpoint()
        return current_call().id, current_call().method, current_actor().path

    @method(concurrency_group="io")
    async def read(self, seconds: float, name: str) -> str:
        return await self.sleep(seconds, name)

    @method(max_task_retries=2, retry_exceptions=True)
    async def fail_at_first(self) -> int:
        await trio.lowlevel.checkpoint()
        if current_call().attempt == 1:
            raise ValueError("at first")
        return current_call().attempt

    @method
    def plain(self, value: Any = None) -> Any:
        self.log.append(f"plain {value}")
        return value

    @method
    def open(self) -> None:
        self.gate.set()

    @method(concurrency_group="io")
    def open_aside(self) -> None:
        self.gate.set()

    @method(concurrency_group="io")
    def told(self) -> list[Any]:
        return list(self.log)

    @method(concurrency_group="io")
    def at_once(self) -> int:
        """The most that ran at once."""
        return self.most
