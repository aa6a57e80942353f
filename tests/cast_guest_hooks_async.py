"""The same with `async` methods and hooks, and an actor with tasks of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import trio

from tests.cast import QUIET
from tests.cast_guest_hooks import Metronome, Reporter, Stubborn, Unrepairable
from understudy import Actor, method


class AsyncReporter(Reporter, executor=QUIET):
    """The same in tasks."""

    async def tell(self, line: str) -> None:
        await self.book.note(line)

    @method
    async def ping(self) -> int:
        return 1


class AsyncMetronome(Metronome, executor=QUIET):
    """The same in tasks."""

    @method
    async def ping(self) -> int:
        return 1


class Host(Actor, executor=QUIET):
    """Has tasks of its own."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def write(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{line}\n")

    async def on_start(self) -> None:
        self.nursery.start_soon(self.stay)

    async def stay(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self.write("stay ended")

    async def on_stop(self, reason: str) -> None:
        self.write(f"on_stop {reason}")

    @method
    async def rest(self) -> None:
        await anyio.sleep_forever()

    @method
    async def fail_beside(self) -> None:
        self.nursery.start_soon(self.fail)

    async def fail(self) -> None:
        await anyio.lowlevel.checkpoint()
        raise ValueError("beside")

    @method
    async def cancel_all(self) -> None:
        self.nursery.cancel_scope.cancel()
        await trio.sleep_forever()


class AsyncNurseryless(Actor, executor=QUIET):
    @method
    async def ask(self) -> Any:
        return self.nursery


class AsyncStubborn(Stubborn, executor=QUIET, shutdown=0.2):
    """The same in tasks."""

    async def on_stop(self, reason: str) -> None:
        await anyio.sleep_forever()

    @method
    async def ping(self) -> int:
        return 1


class AsyncUnrepairable(Unrepairable, executor=QUIET):
    """The same in tasks."""

    @method
    async def rest(self, path: str) -> None:
        await anyio.Path(path).touch()
        await anyio.sleep_forever()
