"""Actors that tell what came along with a call, importable in guests."""

from __future__ import annotations

from contextvars import ContextVar

from tests.cast import QUIET
from understudy import Actor, blocking, carry, current_call, get_actor, method

reader = carry(ContextVar("tests_reader", default="nobody"))


class Shelf(Actor, executor=QUIET):
    @method
    def asked_by(self) -> tuple[str, int]:
        return reader.get(), current_call().trace


class Desk(Actor, executor=QUIET):
    """Asks the shelf on behalf of who asked it."""

    @method
    def passed_on(self) -> tuple[str, int]:
        found: tuple[str, int] = blocking.call(get_actor("shelf", Shelf).asked_by)
        return found

    @method
    def in_anothers_name(self, name: str) -> str:
        reader.set(name)
        return self.passed_on()[0]


class Lobby(Actor, executor=QUIET):
    @method
    async def passed_on(self) -> tuple[str, int]:
        return await get_actor("shelf", Shelf).asked_by()
