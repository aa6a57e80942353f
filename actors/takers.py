"""Who may take what an actor writes to a standard stream.

Guests that define actors read this, so it loads nothing for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

if TYPE_CHECKING:
    from .output import Output, RotatedFile

    Word = Literal["show", "keep", "events", "leave", "null"]
    Taker = Word | os.PathLike[str] | RotatedFile | Callable[[Output], Any]
    Takers = Taker | tuple[Taker, ...]

SHOW, KEEP, LEAVE, NULL, EVENTS = "show", "keep", "leave", "null", "events"
WORDS = frozenset({SHOW, KEEP, LEAVE, NULL, EVENTS})
ALONE = frozenset({LEAVE, NULL})  # we see no byte of it, so nothing else can be done with it
MEANING = (
    "'show', 'keep', 'events', 'leave', 'null', Path(...), RotatedFile(...), a function that takes an Output, "
    "or a tuple of these without 'leave' and 'null'"
)


def takers_of(output: Takers) -> tuple[Taker, ...]:
    """All that take a stream."""
    if is_tuple(output):
        return output
    one: Any = output
    return (one,)


def is_tuple(output: Takers) -> TypeGuard[tuple[Taker, ...]]:
    return isinstance(output, tuple)


def is_output(value: Any) -> bool:
    takers: tuple[Any, ...] = takers_of(value)
    alone = len(takers) > 1 and any(isinstance(taker, str) and taker in ALONE for taker in takers)
    return bool(takers) and not alone and all(is_taker(taker) for taker in takers)


def is_taker(value: object) -> bool:
    if isinstance(value, str):
        return value in WORDS
    return isinstance(value, os.PathLike) or callable(value) or is_rotated(value)


def is_rotated(value: object) -> bool:
    from .output import RotatedFile

    return isinstance(value, RotatedFile)
