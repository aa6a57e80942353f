"""Handles within values that pass between two threads as they are: each side is given what is of use there.

They are looked for in lists, tuples, dicts and sets, which are copied if there are any; all else stays the very same.
So do containers of more than 10,000 parts: to look through them would cost more than the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .channel_ends import HostReceive, HostSend
from .channel_lending import lent_end
from .guest_channel import KINDS, EndMark, end_there
from .guest_end import GuestEnd
from .guest_handle import GuestHandle, finder
from .guest_ref import CANNOT_TRAVEL, GuestRef, GuestValue
from .handle import ActorHandle

Changes = Mapping[type, Callable[[Any], Any]]

CONTAINERS: frozenset[Any] = frozenset({list, tuple, dict, set, frozenset})


MOST = 10_000  # parts of one container, some 100 µs


def as_seen_there(handle: ActorHandle) -> GuestHandle:
    """A handle for a guest in this process."""
    life = handle._life  # pyright: ignore[reportPrivateUsage]
    return GuestHandle(life.path, life.spec.cls, "", life.house.number_of(life))


def found_here(handle: GuestHandle) -> Any:
    """In the host: the handle itself for one that a guest in this process has given.

    Raises:
        ActorNotFoundError, ActorDiedError: if there is no such actor any more.
    """
    find = finder.get()
    if find is None:
        return handle
    return find(handle._path, handle._namespace, handle._actor())  # pyright: ignore[reportPrivateUsage]


def end_here(end: GuestEnd) -> Any:
    """In the host: an end of the same kind as one that a guest in this process has given; raises ClosedChannelError."""
    return lent_end(*end.__reduce__()[1][:4])


def refuse(_: GuestRef) -> NoReturn:
    raise TypeError(CANNOT_TRAVEL)


def marked(end: HostSend[Any] | HostReceive[Any]) -> EndMark:
    """An end of a channel for a guest in this process: its ticket goes along."""
    return EndMark(*end.take_ticket())


THERE: Changes = {EndMark: end_there}


def opened(value: Any) -> Any:
    """In a guest in this process: the arguments that were given to it, with its own ends of channels in them."""
    args, kwargs = value
    return tuple([opened_one(part) for part in args]), {
        name: opened_one(part) for name, part in kwargs.items()
    }


def opened_one(value: Any) -> Any:
    """The same for one value."""
    return changed(value, THERE)


# By type, what a guest is given, and what its host is; a door to other threads adds its own kind of handle.
FAR: dict[type, Callable[[Any], Any]] = {
    ActorHandle: as_seen_there,
    HostSend: marked,
    HostReceive: marked,
}
NEAR: Changes = {
    GuestHandle: found_here,
    GuestRef: refuse,
    GuestValue: refuse,
    **dict.fromkeys(KINDS, end_here),
}


def far(value: Any) -> Any:
    """What a guest in this process is given in place of handles; anything else as it is."""
    return changed(value, FAR)


def near(value: Any) -> Any:
    """The same in the other direction; raises ActorNotFoundError, and TypeError for a ref."""
    return changed(value, NEAR)


def changed(value: Any, changes: Changes) -> Any:
    kind: type = value.__class__
    if kind in changes:
        return changes[kind](value)
    if kind not in CONTAINERS or not holds(value, changes):
        return value
    return rebuilt(value, changes, {})


def holds(value: Any, changes: Changes) -> bool:
    """Is there anything to be changed?  Most parts are only asked for their type, and by the interpreter itself."""
    seen: set[int] = set()
    line = [value]
    while line:
        one = line.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if len(one) > MOST:
            continue
        parts = parts_of(one)
        kinds: set[type] = set(map(type, parts))
        if not kinds.isdisjoint(changes):
            return True
        if not kinds.isdisjoint(CONTAINERS):
            line += [part for part in parts if part.__class__ in CONTAINERS]
    return False


def parts_of(container: Any) -> list[Any]:
    """A copy, made in one step: another thread may be changing it."""
    return list(container.values() if container.__class__ is dict else container)


def rebuilt(value: Any, changes: Changes, known: dict[int, Any]) -> Any:
    """A copy with other handles in it; what contains itself is left as it is."""
    kind: Any = value.__class__
    if kind in changes:
        return changes[kind](value)
    if kind not in CONTAINERS or len(value) > MOST:
        return value
    if id(value) not in known:
        known[id(value)] = value
        if kind is dict:
            names: list[tuple[Any, Any]] = list(value.items())
            known[id(value)] = {name: rebuilt(part, changes, known) for name, part in names}
        else:
            known[id(value)] = kind([rebuilt(part, changes, known) for part in parts_of(value)])
    return known[id(value)]
