"""Groups and keys from inside an actor: what it enters here belongs to its incarnation, and ends with it.

The same functions in every executor.  In a process or thread of its own the host is asked: there `members`, `lookup`
and `register` give a ref, to be awaited, or in a method that is not `async` to be given to `blocking.get`.
What is imported above is all that a guest needs, and it has no event loop to spare.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ..actors.guest_ref import GuestRef, ask, asking, call_here, packed
from ..transports.guests.context import onward, present


def join(group: Hashable, value: Any = None) -> None:
    """Join a group, with a value that others may read; `runtime.groups` has the rest.

    Raises:
        RuntimeError: outside an actor's methods, hooks and tasks.
    """
    order("groups", "join", group, value=value)


def leave(group: Hashable) -> None:
    """Leave it, once."""
    order("groups", "leave", group)


def members(group: Hashable) -> Any:
    """The handles of its members, in the order they joined; in a guest a ref of them."""
    return demand("groups", "members", group)


def register(key: Hashable, value: Any = None) -> Any:
    """Register this actor under a key of its own; in a guest a ref that is None once it is done.

    Raises:
        AlreadyRegisteredError: if somebody holds the key; in a guest it is the ref that raises it.
        RuntimeError: outside an actor's methods, hooks and tasks.
    """
    return demand("keys", "register", key, value=value)


def unregister(key: Hashable) -> None:
    """Give a key back, if it is this actor's."""
    order("keys", "unregister", key)


def lookup(key: Hashable) -> Any:
    """The handle of the actor under a key, or None; in a guest a ref of that."""
    return demand("keys", "lookup", key)


def order(book: str, verb: str, key: Hashable, **more: Any) -> None:
    """Have the host do it, or do it, if this is the host."""
    hash(key)  # here, where the mistake is
    if onward().asker is not None:
        asking().order(call_here(), ["house", book, packed((verb, key, more))])
    else:
        here(book, verb, key, **more)


def demand(book: str, verb: str, key: Hashable, **more: Any) -> Any:
    """The same for what has an answer."""
    hash(key)
    if onward().asker is not None:
        return GuestRef(ask("house", book, packed((verb, key, more))), verb, awaited=True)
    return here(book, verb, key, **more)


def here(book: str, verb: str, key: Hashable, **more: Any) -> Any:
    from ..actors.life import Life

    life = present().actor
    if not isinstance(life, Life):
        raise RuntimeError(f"{verb}() works inside an actor; elsewhere use runtime.{book}.{verb}(...)")
    house: Any = life.house
    return getattr(getattr(house, book), verb)(key, **more)
