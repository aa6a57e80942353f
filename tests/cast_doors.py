"""Actors that give streams, for the tests of the doors; importable in guests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cast import QUIET, Player
from understudy import Local, blocking, get_actor, method
from understudy.blocking import Queue, init


class Fountain(Player, executor=QUIET):
    """Gives items one by one."""

    @method
    def numbers(self, k: int, fall_at: int = -1) -> Iterator[int]:
        for n in range(k):
            if n == fall_at:
                raise KeyError(n)
            yield n

    @method
    def endless(self, closed: str) -> Iterator[int]:
        n = 0
        try:
            while True:
                yield n
                n += 1
        finally:
            Path(closed).touch()


Orders = Queue[str]


class Seeker(Player, executor=QUIET):
    """Calls others that it finds by name."""

    @method
    def add_to(self, name: str, cls: type[Player]) -> int:
        found: int = blocking.call(get_actor(name, cls).add, 1)
        return found

    @method
    def opens_a_runtime(self) -> int:
        init()
        found = blocking.call(Player.options(executor=Local()).remote(6).add, 1)
        blocking.shutdown()
        with pytest.raises(AttributeError, match="has no 'nonsense'; it has "):
            getattr(blocking, "nonsense")  # noqa: B009
        return found
