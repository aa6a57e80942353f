"""Actors that send through channels and receive from them, importable by name in guests."""

from __future__ import annotations

import os
from typing import Any

from tests.cast import QUIET
from understudy import (
    Actor,
    method,
)


class Porter(Actor, executor=QUIET):
    """Methods that are not async: what waits is waited for, and gives the value itself."""

    def __init__(self, *ends: Any) -> None:
        self.ends: list[Any] = list(ends)

    @method
    def send(self, out: Any, items: list[Any]) -> int:
        for item in items:
            out.send(item)
        return len(items)

    @method
    def send_range(self, out: Any, start: int, stop: int, close: bool = False) -> int:
        for n in range(start, stop):
            out.send(n)
        if close:
            out.close()
        return stop - start

    @method
    def receive(self, source: Any, count: int) -> list[Any]:
        return [source.receive() for _ in range(count)]

    @method
    def receive_all(self, source: Any) -> list[Any]:
        return list(source)

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def count(self, source: Any) -> int:
        return sum(1 for _ in source)

    @method
    def double(self, source: Any, out: Any) -> int:
        count = 0
        with out:
            for n in source:
                out.send(2 * n)
                count += 1
        return count
