"""What happens to an actor or a message, one frozen type per thing; times are integer nanoseconds of trio's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .deadletter import DeadLetter
    from .reasons import ExitReason


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened, at `at`, to `actor` (its path) in this `incarnation` (from 1)."""

    at: int
    actor: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class ActorStarting(Event):
    """An incarnation begins to start."""


@dataclass(frozen=True, slots=True)
class ActorReady(Event):
    """`__init__` has returned; `pid` is the guest's process (0: none of its own)."""

    pid: int = 0


@dataclass(frozen=True, slots=True)
class ActorEnded(Event):
    """An incarnation ended."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class ActorDied(Event):
    """The actor is dead for good; its name is free."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class GuestStopped(Event):
    """The guest's process was stopped by a signal, and will be killed if it stays so."""

    signal: int


@dataclass(frozen=True, slots=True)
class ActorAbandoned(Event):
    """An incarnation could not be ended: its code goes on in its thread, and nothing it says is heard any more."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class LadderClimbed(Event):
    """Something that had to end did not, and the next rung was taken: interrupt, terminate or kill."""

    rung: str
    call_id: int


@dataclass(frozen=True, slots=True)
class CallRetried(Event):
    """A call goes back to the head of the mailbox, one attempt more."""

    call_id: int
    attempt: int
    parent_id: int = 0


@dataclass(frozen=True, slots=True)
class FailureUnseen(Event):
    """A call failed and nobody awaited it: a cast, or a ref that was dropped."""

    call_id: int
    method: str
    error: BaseException
    parent_id: int = 0


@dataclass(frozen=True, slots=True)
class RequestRefused(Event):
    """An actor that nobody trusts asked for something it may not: `verb` (call, start, find ...) of `target`."""

    verb: str
    target: str
    call_id: int


@dataclass(frozen=True, slots=True)
class StateLost(Event):
    """The state could not be handed over, in `save_state` or `load_state`: the next incarnation starts fresh."""

    hook: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class MessageBuried(Event):
    """A message went to the dead letters."""

    letter: DeadLetter
