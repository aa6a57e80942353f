"""Functions that the tests of workers call, importable in guests."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import trio

calls = 0  # of `count`, in the process that has this module


def add(a: int, b: int = 0, *, c: int = 0) -> int:
    return a + b + c


def names(*, self: int, function: int, args: int, method: int, discard: int) -> list[Any]:
    """Has every name that a worker could want for itself."""
    return [self, function, args, method, discard]


def count() -> int:
    global calls
    calls += 1
    return calls


def fail(text: str) -> None:
    raise ValueError(text)


def wait_for(path: str) -> str:
    """Wait, in a loop that can be interrupted, until a file is there; tells in another that it has begun."""
    Path(f"{path}.begun").touch()
    while not os.path.exists(path):
        time.sleep(0.002)
    return "it came"


async def fetch(n: int) -> int:
    return n + 1


async def await_file(path: str) -> str:
    Path(f"{path}.begun").touch()  # noqa: ASYNC240
    while not Path(path).exists():  # noqa: ASYNC110, ASYNC240
        await trio.sleep(0.002)
    return "it came"


class Evil:
    """Unpickled, it leaves its mark."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


class HalfWay:
    """Its encoding fails after much of it has been encoded."""

    def __reduce__(self) -> Any:
        return list, (), None, broken()


def broken() -> Any:
    yield from (bytes(1000) for _ in range(100))
    raise RuntimeError("half-way")
