"""Actors with hooks and timers, importable by name in guests.  They write what happens to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio
import trio.lowlevel

from tests.cast import QUIET
from understudy import Actor, exit_actor, method


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
    def fail(self, error: BaseException) -> None:
        raise error

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
    def fail_after(self, seconds: float, error: BaseException) -> None:
        self.after(seconds, self.fail, error)

    def tick(self, n: int) -> Any:
        self.value += n
        self.write(f"tick {self.value}")


class AsyncDiary(Diary, executor=QUIET):
    """The same with async hooks and timers."""

    async def on_start(self) -> None:
        await trio.lowlevel.checkpoint()
        super().on_start()

    async def on_stop(self, reason: str) -> None:
        await trio.lowlevel.checkpoint()
        super().on_stop(reason)

    async def on_interrupt(self) -> None:
        await trio.lowlevel.checkpoint()
        super().on_interrupt()

    async def save_state(self) -> object:
        await trio.lowlevel.checkpoint()
        return super().save_state()

    async def load_state(self, state: Any) -> None:
        await trio.lowlevel.checkpoint()
        super().load_state(state)

    async def tick(self, n: int) -> None:
        await trio.lowlevel.checkpoint()
        super().tick(n)

    @method
    async def rest(self) -> None:
        self.write("resting ")
        await trio.sleep_forever()
