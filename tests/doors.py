"""How tests come in by the doors for asyncio and for plain threads, and how they see that nothing is left."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from understudy import Supervisor, aio
from understudy.crossing.runtime import FarRuntime

T = TypeVar("T")


def visit(scene: Callable[[FarRuntime], Awaitable[T]], tree: Supervisor | None = None) -> T:
    """Run a scene under asyncio, in a runtime of its own; returns what it returns."""

    async def play() -> T:
        async with aio.open_runtime(tree) as runtime:
            return await scene(runtime)
        raise AssertionError("the runtime swallowed an exception")

    return loop_run(play)


def loop_run(play: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine under asyncio, and not for ever."""

    async def timed() -> T:
        async with asyncio.timeout(30):
            return await play()

    return asyncio.run(timed())


async def until(true: Callable[[], Any]) -> None:
    """Wait until something is so: for facts that send no news."""
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


def sleep_until(true: Callable[[], Any], seconds: float = 20) -> None:
    """As `until`, for a thread."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.002)


def runtime_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "understudy"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
