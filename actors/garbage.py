"""`collect_garbage(handle)`: what nobody refers to any more is given back, when it suits."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import trio

from ..transports.guests.functions import COLLECT
from .guest import GuestIncarnation
from .life import Life
from .suspension import ask_first
from .verbs import life_of

if TYPE_CHECKING:
    from .actor import Handle


async def collect_garbage(handle: Handle[Any]) -> int:
    """Run Python's garbage collection in an actor's process, between two of its calls and ahead of those that wait.

    Returns how many objects were found that nobody could reach.  For an actor that shares this process it is this
    process's.  If cancelled while waiting, it is not done.

    Raises:
        ActorDiedError: if the actor is dead.
        TypeError: for what is no handle of an actor, or that of a pool.
    """
    life: Any = life_of(handle, "collect_garbage(handle)")
    if not isinstance(life, Life):
        raise TypeError(f"collect_garbage() takes one actor, and {life.path} is a pool")
    if life.incarnation is not None and not isinstance(life.incarnation, GuestIncarnation):
        await trio.lowlevel.checkpoint()
        return gc.collect()
    found: int = await ask_first(life, COLLECT)
    return found
