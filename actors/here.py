"""Whether this is the thread, and the event loop, that a runtime belongs to: its handles work nowhere else."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING

import trio

from .errors import NoRuntimeError

if TYPE_CHECKING:
    from ..transports.stage import Stage


def elsewhere(label: str) -> NoRuntimeError:
    return NoRuntimeError(
        f"{label} belongs to a runtime of another thread or event loop, and can be used only there; open the runtime "
        "with understudy.aio or understudy.blocking: handles made there work in any loop and any thread, "
        "and so do aio.get(), blocking.get() and the like"
    )


def by_a_door(label: str, twin: str) -> NoRuntimeError:
    return NoRuntimeError(
        f"{label} belongs to a runtime that was opened under aio or blocking, and understudy.{twin} is trio's: in a task"
        f" write aio.{twin}, in plain code blocking.{twin}"
    )


def not_trio(name: str) -> NoRuntimeError:
    return NoRuntimeError(
        f"understudy.{name} is for tasks of trio, with `async` and `await`; under asyncio write understudy.aio.{name},"
        f" in plain code understudy.blocking.{name}"
    )


def check_trio(name: str) -> None:
    """Raise NoRuntimeError where no task of trio runs."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        raise not_trio(name) from None


def check_here(stage: Stage, label: str, twin: str = "") -> None:
    """Raise NoRuntimeError in any thread but the runtime's own; names the door's `twin` of what was tried."""
    if get_ident() != stage.thread:
        raise by_a_door(label, twin) if twin else elsewhere(label)
