"""When the hooks of an actor in this process run: at its start and its end, and what their failure means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import trio

from ..transports.guests.context import ActorExit
from ..transports.guests.faults import text_of
from . import events
from .exported import hooks_of
from .reasons import ERROR, NORMAL, ExitReason

if TYPE_CHECKING:
    from .life import Life

NOTHING: Any = object()
THROUGH = (KeyboardInterrupt, trio.Cancelled)  # they are for the whole program, or for the whole actor


class Cast(Protocol):
    """An incarnation whose object has hooks; `cue` runs one in the actor's turn, awaited if it is async."""

    life: Life
    actor: Any

    def make(self) -> None: ...
    def cue(self, function: Callable[..., Any], /, *args: Any) -> Awaitable[Any]: ...


async def rise(cast: Cast) -> None:
    """Hand the object what its forerunner saved, then let it start."""
    hooks = hooks_of(cast.life.spec.cls)
    state = cast.life.take_state(NOTHING)
    if state is not NOTHING and "load_state" in hooks:
        try:
            await cast.cue(cast.actor.load_state, state)
        except THROUGH:
            raise
        except BaseException as error:
            cast.life.emit(events.StateLost, "load_state", error)
            cast.make()  # half a state is none
    if "on_start" in hooks:
        await cast.cue(cast.actor.on_start)


async def fall(cast: Cast, reason: ExitReason) -> ExitReason:
    """Save what the next incarnation shall have, then let the object stop; returns the reason of the end."""
    hooks = hooks_of(cast.life.spec.cls)
    if "save_state" in hooks:
        try:
            cast.life.keep_state(await cast.cue(cast.actor.save_state))
        except THROUGH:
            raise
        except BaseException as error:
            cast.life.emit(events.StateLost, "save_state", error)
    if "on_stop" in hooks:
        try:
            await cast.cue(cast.actor.on_stop, reason.kind)
        except THROUGH:
            raise
        except BaseException as error:
            return worse(reason, error_of("on_stop", error))
    return reason


def worse(reason: ExitReason | None, found: ExitReason) -> ExitReason:
    """One reason for two: what went wrong first counts, and the other is told with it."""
    if reason is None or (reason.kind != ERROR and found.kind == ERROR):
        return found
    return replace(reason, text=f"{reason.text}; then {found.text}") if found.kind == ERROR else reason


def error_of(name: str, error: BaseException) -> ExitReason:
    """What a hook, a timer or a task of the actor means for it."""
    if isinstance(error, ActorExit | SystemExit):
        return reason_of_exit(error)
    return ExitReason(ERROR, f"{name}() raised {type(error).__name__}: {text_of(error)}", error)


def reason_of_exit(error: ActorExit | SystemExit) -> ExitReason:
    """An actor that ended itself on purpose."""
    if isinstance(error, ActorExit):
        return ExitReason(NORMAL, error.reason or "", ordered=True)
    if error.code in (0, None):
        return ExitReason(NORMAL, "SystemExit(0)", ordered=True)
    return ExitReason(ERROR, f"SystemExit({error.code!r})", error)
