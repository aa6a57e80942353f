"""What runs right now, for `current_call()` and `exit_actor()`: the same module in the host and in guests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ActorExit(BaseException):
    """Unwinds a method that called `exit_actor()`; no `except Exception` keeps the actor alive."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


class RunningCall:
    """The call being run: `id` (the same on every attempt), `method`, `attempt` (from 1)."""

    __slots__ = ("attempt", "id", "method")

    def __init__(self, id: int, method: str, record: Any = None) -> None:
        self.id = id
        self.method = method
        # In a guest the record is what the message says of it, in the host the call record itself.
        self.attempt: int = record["attempt"] if type(record) is dict else getattr(record, "attempt", 1)

    def __repr__(self) -> str:
        return f"<call {self.id} {self.method}() attempt {self.attempt}>"


class Running:
    """Who runs here: a guest has one actor; the host's `Local` actors take turns."""

    __slots__ = ("actor", "call", "code", "details")

    def __init__(self) -> None:
        self.actor: Any = None
        self.call: tuple[int, str, Any] | None = None
        self.code: Mapping[bytes, Any] = {}  # functions and classes that the host sent, by hash
        self.details: Mapping[str, Any] | None = None


running = Running()
