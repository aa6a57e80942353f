"""What travels with a call beside its arguments: the trace, the deadline, and context variables marked for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from ..transports.guests.context import CARRIED, NOTHING, carried_here, casts_are_elaborate, set_carried
from ..transports.guests.protocol import AHEAD

if TYPE_CHECKING:
    from contextvars import ContextVar
    from typing import TypeVar

    from .method import ActorMethod

    V = TypeVar("V")

Context = dict[str, Any]


def carry(variable: ContextVar[V]) -> ContextVar[V]:
    """Mark a context variable: a call takes its value along, and the method that runs finds it there.

    Do it where the variable is made, in a module that both sides import.

    Example:
        request_id = carry(ContextVar("request_id", default=""))

    Raises:
        ValueError: if another variable of that name is marked already.
    """
    if CARRIED.setdefault(variable.name, variable) is not variable:
        raise ValueError(f"another context variable named {variable.name!r} is carried already; rename one")
    casts_are_elaborate()
    return variable


def take_along(context: Mapping[str, Any] | None) -> None:
    """Set the variables that a call has brought, in the context of its own that it runs in."""
    set_carried((context or NOTHING).get("vars", NOTHING))


def in_context(function: Callable[..., Any], context: Mapping[str, Any]) -> Callable[..., Any]:
    """The function, to be called with the variables that a call has brought."""
    if "vars" not in context:
        return function
    own = copy_context()
    own.run(take_along, context)
    return partial(own.run, function)


def call_plainly(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call it where we are."""
    return function(*args, **kwargs)


def context_of(method: ActorMethod[Any], made_by: tuple[int, str, Any] | None) -> Context | None:
    """What a call takes along; None if there is nothing."""
    context: Context = {}
    ahead = method.own.get("ahead", AHEAD)
    if ahead != AHEAD:
        context["ahead"] = ahead
    if CARRIED and (carried := carried_here()):
        context["vars"] = carried
    above: Context = {}
    if made_by is not None:
        above = getattr(made_by[2], "context", made_by[2]) or {}
        context["trace"] = above.get("trace", made_by[0])
    own = math.inf if method.timeout is None else time.monotonic() + method.timeout
    deadline = min(own, above.get("deadline", math.inf))
    if deadline < math.inf:
        context["deadline"] = deadline
    return context or None
