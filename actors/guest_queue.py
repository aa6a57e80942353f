"""A queue of the host's, as the methods of a guest use it."""

from __future__ import annotations

from typing import Any

from ..transports.guests.context import onward
from .guest_ref import GuestRef, ask, packed

WAITING = ("put", "get", "shutdown")  # these may wait, and are awaited in an event loop


def ask_host(number: int, what: str, args: tuple[Any, ...]) -> Any:
    """What a method of the queue returns; in an event loop, what to await for that.

    Raises:
        NoRuntimeError: in a thread that is neither the queue's nor an actor's.
        RuntimeError: in an event loop, if it cannot be awaited.
    """
    asker = onward().asker
    if asker is None:
        from .here import not_trio

        raise not_trio("Queue()")
    if not asker.in_loop:
        return asked(number, what, args).wait()
    if what in WAITING:
        return awaited(number, what, args)
    raise RuntimeError(
        f"{what}() of a Queue would hold up the event loop of this actor: await put(...) or get(...), with "
        "block=False if it is not to wait"
    )


def asked(number: int, what: str, args: tuple[Any, ...]) -> GuestRef:
    return GuestRef(ask("queue", number, what, packed(args)), f"Queue.{what}", awaited=True)


async def awaited(number: int, what: str, args: tuple[Any, ...]) -> Any:
    return await asked(number, what, args)
