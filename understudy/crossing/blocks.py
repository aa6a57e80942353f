"""Which `open_scope()` block is open on this side, and how what is made inside comes to belong to it over there."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..actors.scope import Scope, block, standing
from .crossing import Crossing

if TYPE_CHECKING:
    from ..actors.call import Call


class Block:
    """A block on this side, and `near`, its scope in the runtime's thread."""

    def __init__(self, crossing: Crossing) -> None:
        self.near = Scope()
        self.crossing = crossing
        self.above = opened.get()


opened: ContextVar[Block | None] = ContextVar("understudy_far_scope", default=None)


def block_for(crossing: Crossing) -> Block | None:
    """The open block that something made here in this runtime belongs to."""
    found = opened.get()
    while found is not None and (found.near.ended or found.crossing is not crossing):
        found = found.above
    return found


@contextmanager
def belonging_to(owner: Block | None) -> Generator[None]:
    """In the runtime's thread: actors that are started inside belong to a block over here."""
    token = block.set(owner.near if owner is not None else None)
    try:
        yield
    finally:
        block.reset(token)


def own(entry: tuple[Scope, Call]) -> None:
    """Give a call that was made inside a block to it, or to what is above it now."""
    owner, call = standing(entry[0]), entry[1]
    watcher: Any = call.ref
    if owner is not None and not call.ended:
        watcher.move(call, owner)
