"""Who is registered under which key: entries of actors, which leave with them, and the news of that.

What an actor enters itself belongs to its incarnation and ends with it, as the next one enters itself anew; what
is entered from outside, with a handle, belongs to the actor and stays while it restarts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import trio

from ..actors.errors import ActorDiedError
from ..actors.handle import ActorHandle

if TYPE_CHECKING:
    from ..actors.life import Life

ANY: Any = object()  # a key that stands for all


@dataclass(frozen=True, slots=True)
class Joined:
    """An actor is under this key from now on, or was already when the watching began."""

    key: Hashable
    handle: ActorHandle
    value: Any


@dataclass(frozen=True, slots=True)
class Left:
    """An actor is not under this key any more; `ended` if that is because it, or its incarnation, has ended."""

    key: Hashable
    handle: ActorHandle
    ended: bool


class Entry:
    """One actor under one key; `incarnation` is the one that it belongs to, 0 for the actor."""

    __slots__ = ("incarnation", "key", "life", "value")

    def __init__(self, key: Hashable, life: Life, incarnation: int, value: Any) -> None:
        self.key = key
        self.life = life
        self.incarnation = incarnation
        self.value = value

    @property
    def handle(self) -> ActorHandle:
        return ActorHandle(self.life)

    def ends_with(self, life: Life) -> bool:
        """Is it over, now that this life's incarnation has ended?"""
        return life.mailbox.closed is not None or self.incarnation == life.number


class Directory:
    """Entries by key and by actor, in the order in which they were made."""

    def __init__(self) -> None:
        self.keys: dict[Hashable, dict[Entry, None]] = {}
        self.lives: dict[Life, dict[Entry, None]] = {}
        self.watchers: dict[Hashable, dict[Changes, None]] = {}

    def enter(self, key: Hashable, life: Life, incarnation: int, value: Any) -> Entry:
        """Make an entry.

        Raises:
            ActorDiedError: if the actor is dead or stays down.
        """
        if life.mailbox.closed is not None:
            raise ActorDiedError(f"{life.path} is dead and cannot be entered", life.mailbox.closed)
        entry = Entry(key, life, incarnation, value)
        self.keys.setdefault(key, {})[entry] = None
        self.lives.setdefault(life, {})[entry] = None
        for changes in self.watching(key):
            changes.joined(entry)
        return entry

    def drop(self, entry: Entry, ended: bool = False) -> None:
        """Take an entry out; a no-op if it is."""
        if entry not in self.keys.get(entry.key, ()):
            return
        take(self.keys, entry.key, entry)
        take(self.lives, entry.life, entry)
        for changes in self.watching(entry.key):
            changes.left(entry, ended)

    def ended(self, life: Life) -> None:
        """An incarnation has ended, or the actor."""
        for entry in list(self.lives.get(life, ())):
            if entry.ends_with(life):
                self.drop(entry, ended=True)

    def under(self, key: Hashable) -> list[Entry]:
        return list(self.keys.get(key, ()))

    def of(self, key: Hashable, life: Life) -> Entry | None:
        """The latest entry of an actor under a key."""
        return next((entry for entry in reversed(self.under(key)) if entry.life is life), None)

    def watching(self, key: Hashable) -> Iterator[Changes]:
        yield from list(self.watchers.get(key, ()))
        yield from list(self.watchers.get(ANY, ()))


def take(table: dict[Any, dict[Any, None]], at: Any, entry: Any) -> None:
    """Take an entry out of a table that has no empty ones."""
    del table[at][entry]
    if not table[at]:
        del table[at]


class Changes:
    """Iterate over who joins and leaves: `async with groups.watch("a") as changes: async for change in changes`.

    It begins with a Joined for each that is there already, so that there is no gap.  Who has left before the reader
    came to know of it is not told of: a slow reader holds no more than there are entries.  If cancelled while
    waiting, nothing is lost.
    """

    def __init__(self, directory: Directory, key: Hashable) -> None:
        self.directory = directory
        self.key = key
        self.held: dict[Entry, Joined | Left] = {}
        self.wanted = trio.Event()
        present = directory.keys if key is ANY else {key: directory.keys.get(key, {})}
        for entries in present.values():
            for entry in entries:
                self.joined(entry)
        directory.watchers.setdefault(key, {})[self] = None

    def joined(self, entry: Entry) -> None:
        self.held[entry] = Joined(entry.key, entry.handle, entry.value)
        self.wanted.set()

    def left(self, entry: Entry, ended: bool) -> None:
        if self.held.pop(entry, None) is None:
            self.held[entry] = Left(entry.key, entry.handle, ended)
            self.wanted.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Joined | Left:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self.held:
            if self not in self.directory.watchers.get(self.key, ()):
                raise StopAsyncIteration
            if self.wanted.is_set():
                self.wanted = trio.Event()
            await self.wanted.wait()
        return self.held.pop(next(iter(self.held)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Watch no more; idempotent."""
        if self in self.directory.watchers.get(self.key, ()):
            take(self.directory.watchers, self.key, self)
        self.held.clear()
        self.wanted.set()
