"""Calls that somebody watches: every step of such a call is an event.  Those that nobody watches cost nothing.

A call becomes watched by its class, when it comes into a watched queue (`queues.py`): so the places where a
call takes a step need not look whether anybody wants to know.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from . import lifecycle
from .call import Call
from .events import MessageBegun, MessageEnded, MessageFailed, MessageQueued, MessageSent

# The field itself, behind the property that watched calls have in its place.
FIELD = cast("Any", Call).state

# A call's new state, and what is told of it; how it ended is told by what ends it.
STEPS: dict[str, Callable[..., Any]] = {
    lifecycle.QUEUED: MessageQueued,
    lifecycle.SENT: MessageSent,
    lifecycle.RUNNING: MessageBegun,
}


def watch(call: Call) -> None:
    """Tell every step of this call from now on."""
    if not hasattr(type(call), "watched"):
        call.__class__ = watched_kind(type(call))


def queued(call: Call) -> None:
    """Tell that a call has come into a queue; one that had failed before ends there."""
    tell(call, MessageQueued, call.is_cast)
    if call.error is not None:
        tell(call, MessageFailed, call.error)


def tell(call: Call, kind: Callable[..., Any], *details: Any) -> None:
    house = call.mailbox.house
    if house.watching:
        actor, incarnation = call.where()
        at = int(house.stage.now() * 1e9)
        event = kind(at, actor, incarnation, call.id, call.method.name, call.parent, *details)
        house.tell(event)
        for tap in house.taps.get(call.mailbox, ()):
            tap(event, call)


def step(call: Call, state: str) -> None:
    FIELD.__set__(call, state)
    kind = STEPS.get(state)
    if kind is not None:
        tell(call, kind)


@cache
def watched_kind(kind: type[Call]) -> type[Call]:
    """Calls of this kind, with every step told; of the same layout, so that a call can become one."""

    def succeed(call: Call, value: Any) -> None:
        if not call.ended:
            call.value = value
            tell(call, MessageEnded)
        kind.succeed(call, value)

    def fail(call: Call, error: BaseException) -> None:
        if not call.ended:
            tell(call, MessageFailed, error)
        kind.fail(call, error)

    parts = {
        "__module__": __name__,
        "watched": True,
        "state": property(FIELD.__get__, step),
        "succeed": succeed,
        "fail": fail,
    }
    meta: Any = type(kind)
    return meta(f"Watched{kind.__name__}", (kind,), parts, eq=False)  # type: ignore[no-any-return]
