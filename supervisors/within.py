"""A runtime that a method of a guest has opened: for that method its own, and ended in order when it is interrupted.

What runs in it sees nothing of the guest's own call; towards the host the method stays who it was.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any

import trio

from ..transports.guests.context import Running, onward, role
from ..transports.guests.nested import Below

if TYPE_CHECKING:
    from ..transports.guests.nested import Nested


@contextmanager
def beside_the_call() -> Generator[Running | None]:
    """Be nobody's call, as in a host; gives who the guest's method is, None where none runs."""
    above = onward()
    if above.asker is None:
        yield None
        return
    token = role.set(Running(above))
    try:
        yield above
    finally:
        with suppress(ValueError):  # left in another task than it was entered in: that context has ended
            role.reset(token)


def in_guest() -> bool:
    """Is this the method of a guest, or what it has begun?"""
    return onward().asker is not None


def nested_in(call: Running | None) -> Nested | None:
    """What the doorbell of a guest's method knows of the loops below it; None where the loop cancels the method."""
    bell = getattr(call.asker, "doorbell", None) if call is not None else None
    found: Nested | None = getattr(bell, "nested", None)
    return found


@contextmanager
def heard(call: Running | None, soon: Callable[..., Any], strike: Callable[[], None]) -> Generator[None]:
    """Meanwhile the doorbell rings for this runtime, too."""
    nested = nested_in(call)
    if nested is None:
        yield
        return
    below = Below(get_ident(), soon, strike)
    nested.runtimes.append(below)
    try:
        yield
    finally:
        nested.runtimes.remove(below)


@contextmanager
def waited_for() -> Generator[None]:
    """Meanwhile no interrupt is raised in the method: it waits for a runtime to end."""
    nested = nested_in(onward())
    if nested is None:
        yield
        return
    nested.closing += 1
    try:
        yield
    finally:
        nested.closing -= 1


def is_interrupt(failure: BaseException | None) -> bool:
    """Does somebody want what runs here to end, and not just this block?"""
    return isinstance(failure, trio.Cancelled | KeyboardInterrupt)
