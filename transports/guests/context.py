"""What runs right now, for `current_call()` and `exit_actor()`: the same module in the host and in guests."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .backstage import Backstage

NOTHING: Mapping[str, Any] = {}

# Context variables whose values travel with calls, by name.
CARRIED: dict[str, ContextVar[Any]] = {}

# The globals of compiled casts: may there be more to a cast made in this process than its arguments?
CASTING: dict[str, Any] = {"ELABORATE_": False}


def casts_are_elaborate() -> None:
    """From now on: there are variables to carry, or methods in tasks, whose casts have a parent."""
    CASTING["ELABORATE_"] = True


def carried_here() -> dict[str, Any]:
    """What calls made here take along: the marked variables that have a value."""
    missing: Any = CARRIED
    found = {name: variable.get(missing) for name, variable in CARRIED.items()}
    return {name: value for name, value in found.items() if value is not missing}


def set_carried(values: Mapping[str, Any]) -> None:
    """Set the variables that a caller carried along; what nobody here has marked, nobody here reads."""
    for name, value in values.items():
        if name in CARRIED:
            CARRIED[name].set(value)


class ActorExit(BaseException):
    """Unwinds a method that called `exit_actor()`; no `except Exception` keeps the actor alive."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


class RunningCall:
    """The call being run: `id` (the same on every attempt), `method`, `attempt` (from 1), `trace`.

    `trace` is the id of the call that began the chain, which is this one's own unless another actor made it.
    """

    __slots__ = ("attempt", "deadline", "id", "method", "trace")

    def __init__(self, id: int, method: str, record: Any = None) -> None:
        self.id = id
        self.method = method
        self.attempt = attempt_of(record)
        context: Mapping[str, Any] = context_in(record)
        self.trace: int = context.get("trace", id)
        self.deadline: float | None = context.get("deadline")

    @property
    def remaining(self) -> float | None:
        """Seconds for which the caller, or its caller in turn, will still wait; None if without end."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def __repr__(self) -> str:
        return f"<call {self.id} {self.method}() attempt {self.attempt}>"


def attempt_of(record: Any) -> int:
    """In a guest the record is what the message says of it, in the host the call record itself."""
    return record.get("attempt", 1) if type(record) is dict else getattr(record, "attempt", 1)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def context_in(record: Any) -> Mapping[str, Any]:
    """What came with a call, from either kind of record."""
    found: Any = cast("Any", record) if isinstance(record, dict) else getattr(record, "context", None)
    return found or NOTHING


def context_of(message: list[Any]) -> Mapping[str, Any]:
    """What travels with a CALL or its like beside the arguments."""
    return (message[5] if len(message) > 5 else None) or NOTHING


class Running:
    """Who runs: `call` is (id, method, record), `actor` the actor or its life, `details` what a guest knows of itself.

    `backstage` is what its executor does for the object beside running its methods; `asker` is how a method in a
    guest reaches its host; in the host it is None.  Inside a runtime that a guest's method has opened, nothing of that
    method is seen but as `above`.
    """

    __slots__ = ("above", "actor", "asker", "backstage", "call", "code", "details", "owner")

    def __init__(self, above: Running | None = None) -> None:
        self.above = above
        self.actor: Any = None
        self.call: tuple[int, str, Any] | None = None
        self.code: Mapping[bytes, Any] = {}  # functions and classes that the host sent, by hash
        self.details: Mapping[str, Any] | None = None
        self.backstage: Backstage | None = None
        self.asker: Any = None
        self.owner: Any = None  # of what the call makes, in the host; None until it makes something


# The guest whose process this is, for what comes to it within messages.
PROCESS: dict[str, Any] = {}

# The `Local` actors of a process take turns, and say so here.
running = Running()

# Who runs where nobody says so: in a guest process its actor, which may have a runtime of its own beside it.
base = running

# Methods that run in a task or a thread beside others say so in their own context, and so do the tasks they start.
role: ContextVar[Running | None] = ContextVar("understudy_role", default=None)


def present() -> Running:
    """Who runs here."""
    return role.get() or (base if running.actor is None else running)


def onward() -> Running:
    """Who runs here, as this process's host knows it: also inside a runtime that its method has opened."""
    here = present()
    return here.above or here


def set_base(here: Running) -> None:
    """From now on this process is a guest."""
    global base
    base = here
    role.set(here)  # for this thread, whatever others do


def backstage_of(instance: object) -> Backstage:
    """What the executor that runs this very object offers; raises RuntimeError if none runs it here."""
    found = present().backstage
    if found is None or (found.actor is not None and found.actor is not instance):
        name = type(instance).__name__
        raise RuntimeError(
            f"this {name} is not run by an executor here: self.after, self.every and self.nursery work in an actor's "
            f"own methods, hooks, timers and tasks; in a unit test call the function itself, or use {name}.start()"
        )
    return found
