"""When the hooks of an actor in this process run: at its start and its end, and what their failure means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

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


class Staged(Protocol):
    """An incarnation whose object has hooks; `cue` runs one in the actor's turn, awaited if it is async."""

    life: Life
    actor: Any

    def make(self) -> None: ...
    def clear(self) -> None: ...
    def cue(self, function: Callable[..., Any], /, *args: Any) -> Awaitable[Any]: ...


async def rise(staged: Staged) -> None:
    """Hand the object what its forerunner saved, then let it start."""
    hooks = hooks_of(staged.life.spec.cls)
    state = staged.life.take_state(NOTHING)
    if state is not NOTHING and "load_state" in hooks:
        try:
            await staged.cue(staged.actor.load_state, state)
        except BaseException as error:
            let_through(error)
            staged.life.emit(events.StateLost, "load_state", error)
            staged.clear()
            staged.make()  # half a state is none
    if "on_start" in hooks:
        await staged.cue(staged.actor.on_start)


async def fall(staged: Staged, reason: ExitReason) -> ExitReason:
    """Save what the next incarnation shall have, then let the object stop; returns the reason of the end."""
    hooks = hooks_of(staged.life.spec.cls)
    if "save_state" in hooks:
        try:
            staged.life.keep_state(await staged.cue(staged.actor.save_state))
        except BaseException as error:
            let_through(error)
            staged.life.emit(events.StateLost, "save_state", error)
    if "on_stop" in hooks:
        try:
            await staged.cue(staged.actor.on_stop, reason.kind)
        except BaseException as error:
            let_through(error)
            return worse(reason, error_of("on_stop()", error))
    return reason


def split_off(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """What of it is for the whole program or the whole actor, and the rest."""
    if isinstance(error, THROUGH):
        return error, None
    if isinstance(error, BaseExceptionGroup):
        return cast("BaseExceptionGroup[BaseException]", error).split(THROUGH)
    return None, error


def first_of(error: BaseException) -> BaseException:
    """The first exception of a group, however deep."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseException", error.exceptions[0])
    return error


def let_through(error: BaseException) -> None:
    """Raise what of it is for the whole program or the whole actor."""
    through, _ = split_off(error)
    if through is not None:
        raise through


def worse(reason: ExitReason | None, found: ExitReason) -> ExitReason:
    """One reason for two: what went wrong first counts, and the other is told with it."""
    if reason is None or (reason.kind != ERROR and found.kind == ERROR):
        return found
    return replace(reason, text=f"{reason.text}; then {found.text}") if found.kind == ERROR else reason


def error_of(name: str, error: BaseException) -> ExitReason:
    """What a hook, a timer or a task of the actor means for it."""
    if isinstance(error, ActorExit | SystemExit):
        return reason_of_exit(error)
    return ExitReason(ERROR, f"{name} raised {shown(error)}", error)


def shown(error: BaseException) -> str:
    """An exception as a guest would tell of it: its name, with its module unless it is Python's own, and its text."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}: {text_of(error)}"


def reason_of_exit(error: ActorExit | SystemExit) -> ExitReason:
    """An actor that ended itself on purpose."""
    if isinstance(error, ActorExit):
        return ExitReason(NORMAL, error.reason or "", ordered=True)
    if error.code in (0, None):
        return ExitReason(NORMAL, "SystemExit(0)", ordered=True)
    return ExitReason(ERROR, shown(error), error)
