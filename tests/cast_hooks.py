"""Actors with hooks and timers, importable by name in guests.  They write what happens to a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from tests.cast import QUIET
from understudy import Actor, exit_actor, method

ERRORS: dict[str, type[Exception]] = {"KeyError": KeyError, "ValueError": ValueError}


class Diary(Actor, executor=QUIET):
    """Every hook writes a line; `fail_in` names one that raises instead, once."""

    def __init__(self, path: str, fail_in: str = "") -> None:
        self.path = Path(path)
        self.fail_in = fail_in
        self.value = 0

    def write(self, line: str) -> None:
        name = line.split()[0]
        with self.path.open("a") as file:
            file.write(f"{line}\n")
        if name == self.fail_in and self.path.read_text().count(f"{name} ") == 1:
            raise ValueError(f"fell in {name}")

    def on_start(self) -> Any:
        self.write(f"on_start {self.value}")

    def on_stop(self, reason: str) -> Any:
        self.write(f"on_stop {reason}")

    def on_interrupt(self) -> Any:
        self.write("on_interrupt ")

    def save_state(self) -> object:
        self.write(f"save_state {self.value}")
        return {"value": self.value}

    def load_state(self, state: Any) -> Any:
        self.value = state["value"]
        self.write(f"load_state {self.value}")

    @method
    def add(self, n: int = 1) -> int:
        self.value += n
        return self.value

    @method
    def fail(self, error: str, text: str) -> None:
        raise ERRORS[error](text)

    @method
    def leave(self) -> None:
        exit_actor()

    @method
    def tick_after(self, seconds: float, n: int = 1) -> None:
        self.after(seconds, self.tick, n)

    @method
    def tick_every(self, seconds: float) -> None:
        self.timer = self.every(seconds, self.tick, 1)

    @method
    def cancel_timer(self) -> None:
        self.timer.cancel()
        self.timer.cancel()

    @method
    def fail_after(self, seconds: float, error: str, text: str) -> None:
        self.after(seconds, self.fail, error, text)

    @method
    def rest(self) -> Any:
        self.write("resting ")
        while True:
            time.sleep(0.001)

    def tick(self, n: int) -> Any:
        self.value += n
        self.write(f"tick {self.value}")


class ThreadedDiary(Diary, executor=QUIET, max_concurrency=4):
    """The same with several calls at once."""


class AsyncDiary(Diary, executor=QUIET):
    """The same with async hooks and timers."""

    async def on_start(self) -> None:
        await anyio.lowlevel.checkpoint()
        super().on_start()

    async def on_stop(self, reason: str) -> None:
        await anyio.lowlevel.checkpoint()
        super().on_stop(reason)

    async def on_interrupt(self) -> None:
        await anyio.lowlevel.checkpoint()
        super().on_interrupt()

    async def save_state(self) -> object:
        await anyio.lowlevel.checkpoint()
        return super().save_state()

    async def load_state(self, state: Any) -> None:
        await anyio.lowlevel.checkpoint()
        super().load_state(state)

    async def tick(self, n: int) -> None:
        await anyio.lowlevel.checkpoint()
        super().tick(n)

    @method
    async def rest(self) -> None:
        self.write("resting ")
        await anyio.sleep_forever()
