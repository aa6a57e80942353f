"""On which side a verb is done: with a runtime that is open here, or, in a guest, by way of its host.

A guest that has opened a runtime of its own has both.  Handles and refs belong to one of them; what is done without
any concerns the nearer.
"""

from __future__ import annotations

from threading import get_ident
from typing import Any, cast

from ..transports.guests.context import present
from .guest_handle import GuestHandle, GuestMethod
from .guest_ref import GuestRef
from .guest_stream import GuestStreamMethod
from .handle import ActorHandle
from .method import ActorMethod
from .signature import REF_TYPES
from .spawner import current, shared
from .streaming import StreamMethod

HOSTS = GuestHandle, GuestMethod, GuestStreamMethod, GuestRef


def by_host(*given: Any) -> bool:
    """Is what is done with these to be asked of our host?"""
    for value in given:
        found = belongs(value)
        if found is not None:
            return found
    return present().asker is not None


def has_runtime(*given: Any) -> bool:
    """In a guest: is this for a runtime of its own?"""
    for value in given:
        found = belongs(value)
        if found is not None:
            return not found
    return present().asker is None and (current.get(None) is not None or bool(shared))


def belongs(value: Any) -> bool | None:
    """Does it belong to our host?  None for what belongs to nobody."""
    if isinstance(value, list | tuple) and value:
        return belongs(cast("list[Any]", value)[0])
    if isinstance(value, HOSTS):
        return True
    house = house_of(value)
    # Those of another thread's runtime are refused, and by what runs here.
    return False if house is not None and (house.stage.thread == get_ident() or is_far(value)) else None


def house_of(value: Any) -> Any:
    """The runtime, in this process, of a handle, a method of one, or a ref."""
    if isinstance(value, ActorHandle):
        return value._life.house  # pyright: ignore[reportPrivateUsage]
    if isinstance(value, ActorMethod | StreamMethod):
        return getattr(cast("Any", value).mailbox, "house", None)
    return getattr(value, "house", None) if value.__class__ in REF_TYPES else None


def is_far(value: Any) -> bool:
    """Is it of a runtime in a thread of its own?"""
    return bool(getattr(value, "_by_a_door", False) or getattr(value, "by_a_door", False)) or hasattr(
        getattr(value, "mailbox", None), "crossing"
    )
