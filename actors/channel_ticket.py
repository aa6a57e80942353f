"""What keeps a side of a channel open: its ends, and the tickets with which they travel."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from .errors import NoRuntimeError
from .spawner import open_spawner

if TYPE_CHECKING:
    from .channel_store import Store

SEND, RECEIVE = 0, 1
members = itertools.count(1)  # of all channels: ends, tickets, what guests hold


class Member:
    """Something that keeps one side of a channel open."""

    __slots__ = ("_number", "_store")

    _store: Store
    direction: int
    parting: str | None = ""  # what its end says of how the channel ended

    def _members(self) -> set[int]:
        return self._store.receivers if self.direction else self._store.senders

    def _join(self) -> None:
        self._number = next(members)
        self._members().add(self._number)

    def __del__(self) -> None:
        store = getattr(self, "_store", None)
        if store is not None and hasattr(self, "_number"):
            store.leave_from_anywhere(self._members(), self._number, self.parting)


class Ticket(Member):
    """An end on its way to a guest: the channel stays open on that side until it is there, or the call has ended."""

    __slots__ = ("__weakref__", "direction")

    parting = None

    def __init__(self, store: Store, direction: int) -> None:
        self._store = store
        self.direction = direction
        self._join()
        tickets[self._number] = self
        if store.soon is None:
            self._meet_runtime()

    def _meet_runtime(self) -> None:
        try:
            house = open_spawner().house
        except NoRuntimeError:
            return  # it goes nowhere
        self._store.soon, self._store.find = house.stage.soon, house.find

    @property
    def number(self) -> int:
        return self._number

    @property
    def store(self) -> Store:
        return self._store

    def close(self) -> None:
        self._store.leave(self._members(), self._number, None)


tickets: WeakValueDictionary[int, Ticket] = WeakValueDictionary()


def let_go(code: Mapping[Any, Any]) -> None:
    """A call has ended: what was to travel with it does not."""
    for kept in code.values():
        if kept.__class__ is Ticket:
            kept.close()
