"""`runtime.groups` and `runtime.keys`: actors found by what they do, under any hashable key.

Under a key of `groups` there are as many actors as join it, under one of `keys` there is at most one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from ..actors.errors import AlreadyRegisteredError
from ..actors.life import Life
from ..actors.verbs import life_of
from ..transports.guests.context import present
from .directory import ANY, Changes, Directory, Entry

if TYPE_CHECKING:
    from ..actors.actor import Handle


def joining(handle: Any) -> tuple[Life, int]:
    """Who is meant, and which incarnation: the actor that runs here, or the one with this handle, whichever it is.

    Raises:
        RuntimeError: without a handle outside an actor.
    """
    if handle is not None:
        return life_of(handle), 0
    here = present().actor
    if not isinstance(here, Life):
        raise RuntimeError("outside an actor say who: join(key, handle)")
    return here, here.number


class Groups:
    """Actors in groups; an actor may join a group several times, and is then in it until it has left as often.

    Example:
        runtime.groups.join("workers", worker)
        for handle in runtime.groups.members("workers"): ...
        runtime.groups.dispatch("workers", lambda handle: handle.refresh.cast())

    A group is there as long as it has members.
    """

    def __init__(self) -> None:
        self.directory = Directory()

    def join(self, group: Hashable, handle: Handle[Any] | None = None, value: Any = None) -> None:
        """Join a group, with a value that others may read.

        Without a handle, inside an actor, for its incarnation: the next one joins for itself.  With a handle for
        the actor, whatever its incarnation.

        Raises:
            ActorDiedError: if the actor is dead or stays down.
            RuntimeError: outside an actor, if no handle is given.
            TypeError: if the group is not hashable, or the handle none.
        """
        self.directory.enter(group, *joining(handle), value)

    def leave(self, group: Hashable, handle: Handle[Any] | None = None) -> bool:
        """Leave it, once; False if the actor was not in it."""
        entry = self.directory.of(group, joining(handle)[0])
        if entry is not None:
            self.directory.drop(entry)
        return entry is not None

    def members(self, group: Hashable) -> list[Any]:
        """The handles of its members, in the order they joined, each as often as it has."""
        return [entry.handle for entry in self.directory.under(group)]

    def values(self, group: Hashable) -> list[tuple[Any, Any]]:
        """The same with the value that each has joined with."""
        return [(entry.handle, entry.value) for entry in self.directory.under(group)]

    def all(self) -> list[Hashable]:
        """The groups that have members."""
        return list(self.directory.keys)

    def of(self, handle: Handle[Any]) -> list[Hashable]:
        """The groups that an actor is in."""
        return list(dict.fromkeys(entry.key for entry in self.directory.lives.get(life_of(handle), ())))

    def dispatch(self, group: Hashable, function: Callable[[Any], object]) -> int:
        """Call a function with the handle of each member, each once; returns how many there were.

        What it raises for one of them is raised when all have had it, in an ExceptionGroup.
        """
        members = list(dict.fromkeys(self.members(group)))
        errors: list[Exception] = []
        for handle in members:
            try:
                function(handle)
            except Exception as error:
                errors.append(error)
        if errors:
            raise ExceptionGroup(f"dispatch to {group!r} failed for {len(errors)} of {len(members)}", errors)
        return len(members)

    def watch(self, group: Hashable = ANY) -> Changes:
        """Who joins and leaves this group, or without one any; begins with who is there."""
        return Changes(self.directory, group)


class Keys:
    """Actors under keys of their own: at most one under each.

    Example:
        runtime.keys.register(("room", 7), room)
        room = runtime.keys.lookup(("room", 7))

    A key is held, while its actor restarts too, until that is dead; one that an actor registers itself until its
    incarnation ends.
    """

    def __init__(self) -> None:
        self.directory = Directory()

    def register(self, key: Hashable, handle: Handle[Any] | None = None, value: Any = None) -> None:
        """Register an actor under a key, with a value that others may read; without a handle the one that runs here.

        Raises:
            ActorDiedError: if the actor is dead or stays down.
            AlreadyRegisteredError: if somebody holds the key, be it the same actor; `holder` is its path.
            RuntimeError: outside an actor, if no handle is given.
            TypeError: if the key is not hashable, or the handle none.
        """
        who = joining(handle)
        holder = self.holder(key)
        if holder is not None:
            path = holder.life.path
            raise AlreadyRegisteredError(f"the key {key!r} is held by {path!r}; unregister it first", path)
        self.directory.enter(key, *who, value)

    def unregister(self, key: Hashable, handle: Handle[Any] | None = None) -> bool:
        """Give a key back; False if it is not this actor's."""
        entry = self.directory.of(key, joining(handle)[0])
        if entry is not None:
            self.directory.drop(entry)
        return entry is not None

    def holder(self, key: Hashable) -> Entry | None:
        return next(iter(self.directory.under(key)), None)

    def lookup(self, key: Hashable) -> Any | None:
        """The handle of the actor under this key; None if there is none."""
        entry = self.holder(key)
        return None if entry is None else entry.handle

    def value(self, key: Hashable, default: Any = None) -> Any:
        """The value that its actor has registered with, or updated last."""
        entry = self.holder(key)
        return default if entry is None else entry.value

    def update(self, key: Hashable, value: Any, handle: Handle[Any] | None = None) -> bool:
        """Change the value of a key; False if it is not this actor's."""
        entry = self.directory.of(key, joining(handle)[0])
        if entry is not None:
            entry.value = value
        return entry is not None

    def all(self) -> list[Hashable]:
        """The keys that are held."""
        return list(self.directory.keys)

    def of(self, handle: Handle[Any]) -> list[Hashable]:
        """The keys that an actor holds."""
        return [entry.key for entry in self.directory.lives.get(life_of(handle), ())]

    def watch(self, key: Hashable = ANY) -> Changes:
        """Who gets and gives this key, or without one any; begins with what is held."""
        return Changes(self.directory, key)
