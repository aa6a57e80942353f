"""A dead letter: a message that no incarnation could deal with, and its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .reasons import ExitReason

if TYPE_CHECKING:
    from .call import Call
    from .stagecraft import Stagecraft

POISON, UNDELIVERED = "poison", "undelivered"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that ended in nobody's hands.

    `cause` is *poison* (its retries were used up by deaths nobody ordered) or *undelivered* (a cast to an
    actor that died before its turn, or a cast whose incarnation died under it); `deaths` are the exit reasons
    of the incarnations that had begun it.
    """

    call_id: int
    actor: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    cause: str
    deaths: tuple[ExitReason, ...]
    parent_id: int = 0


def letter_of(call: Call, actor: str, craft: Stagecraft, cause: str) -> DeadLetter:
    """The dead letter of a call to the actor at this path."""
    args, kwargs = arguments_of(call, craft)
    return DeadLetter(call.id, actor, call.method.name, args, kwargs, cause, call.deaths, call.parent)


def arguments_of(call: Call, craft: Stagecraft) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, or what can be told of them."""
    try:
        return craft.arguments(call)
    except Exception as error:  # they pickled, but cannot be unpickled
        return (f"<arguments that cannot be unpickled: {type(error).__name__}>",), {}
