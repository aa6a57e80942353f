"""Inside a method: which actor and call this is, and how to leave for good.

The same three functions in `Local` actors and in guests.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..transports.guests.context import ActorExit, RunningCall, onward
from .errors import DeadlockError


def current_call() -> RunningCall:
    """The call that is being run: `id`, `method`, `attempt`.

    Raises:
        RuntimeError: outside a method that was called through a handle.
    """
    call = onward().call
    if call is None:
        raise RuntimeError("no call runs here; current_call() works inside a method called through a handle")
    return RunningCall(*call)


def current_actor() -> Any:
    """The actor whose method runs: `path`, `name`, `incarnation`.

    Raises:
        RuntimeError: outside a method that was called through a handle.
    """
    running = onward()
    if running.call is None and running.actor is None:
        raise RuntimeError("no actor runs here; current_actor() works inside an actor's methods and hooks")
    if running.details is not None:
        return Myself(**running.details)
    life = running.actor
    return Myself(life.path, life.spec.options.name, life.number)


def exit_actor(reason: str | None = None) -> NoReturn:
    """End this actor on purpose, with reason *normal*; its caller gets an ActorDiedError that says so.

    Started by `.remote()` it does not come back; in a tree its restart type decides.  In `__init__` or `on_start`
    it says that the actor need not run: that is no failure, and it stays down until somebody starts it.

    Raises:
        RuntimeError: outside an actor's methods and hooks.
    """
    here = onward()
    if here.call is None and here.actor is None and here.details is None:
        raise RuntimeError(
            "exit_actor() works inside an actor's methods and hooks; from outside use kill(handle)"
        )
    raise ActorExit(reason)


class Myself:
    """An actor seen from inside; calling its methods through it would wait for ever, so it refuses."""

    __slots__ = ("incarnation", "name", "path")

    def __init__(self, path: str, name: str | None, incarnation: int) -> None:
        self.path = path
        self.name = name
        self.incarnation = incarnation

    def __getattr__(self, name: str) -> NoReturn:
        raise DeadlockError(
            f"{self.path} would wait for itself: inside the actor call self.{name}(...) directly"
        )

    def __repr__(self) -> str:
        return f"<myself, {self.path!r}, incarnation {self.incarnation}>"
