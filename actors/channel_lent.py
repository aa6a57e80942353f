"""An end of a channel that a guest holds, seen from its host: what both kinds have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..transports.guests import protocol as p
from .channel_ticket import members

if TYPE_CHECKING:
    from .channel_lending import Lending
    from .channel_store import Store

Name = tuple[str, int, int]  # of an actor, its incarnation, its end


class LentEnd:
    """What both kinds have in common: `total` is what was delivered or granted so far."""

    __slots__ = ("__weakref__", "epoch", "lending", "member", "name", "number", "store", "total", "waits")

    @property
    def members(self) -> set[int]:
        """Of the side it keeps open."""
        raise NotImplementedError

    def __init__(self, lending: Lending, number: int, store: Store) -> None:
        self.lending = lending
        self.number = number
        self.name: Name = lending.incarnation.life.path, lending.incarnation.life.number, number
        self.store = store
        self.member = next(members)
        self.total: int = 0
        self.epoch: int = 0  # counted up when what is on its way is not used
        self.waits = False  # it is in the line of those who wait
        self.members.add(self.member)

    def say(self, kind: int, *what: Any) -> None:
        self.lending.incarnation.say(kind, self.number, *what)

    def refuse(self, kind: str, text: str) -> None:
        self.waits = False
        self.say(p.FINISH, kind, text)

    def soon(self, function: Callable[[], None]) -> None:
        """Call it at the end of this tick."""
        self.lending.incarnation.life.house.stage.ticks.soon(function)

    def leave(self, lost: str) -> None:
        self.store.leave(self.members, self.member, lost)
