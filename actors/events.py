"""What happens to an actor or a message, one frozen type per thing; times are integer nanoseconds of trio's clock."""

from __future__ import annotations

from dataclasses import dataclass, field

# Not for checkers only: who reads events back from a file builds them by these types.
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
class CallAtDeath:
    """A call that an incarnation had when it ended: its fate, or *ended* for the one that raised what ended it."""

    call_id: int
    method: str
    fate: str


@dataclass(frozen=True, slots=True)
class ActorCrashed(Event):
    """An incarnation ended by a fault that nobody ordered: all that a person wants to know, once for each.

    `up` is the time since it was ready, in nanoseconds, if it `started` at all; `calls` are those it had in its
    hands, those that may be at fault first.
    """

    reason: ExitReason
    started: bool
    up: int
    pid: int
    calls: tuple[CallAtDeath, ...]


@dataclass(frozen=True, slots=True)
class ActorDied(Event):
    """The actor is dead for good; its name is free."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class GuestStopped(Event):
    """The guest's process was stopped by a signal, and will be killed if it stays so."""

    signal: int


@dataclass(frozen=True, slots=True)
class SandboxMissing(Event):
    """A guest starts without the sandbox that it was to have at best effort, and why."""

    why: str


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
class MessageEvent(Event):
    """A step of one message; only readers that ask for `messages=True` are told.

    `call_id` is the message's, `parent_id` that of the message in whose method it was made (0: none).
    """

    call_id: int
    method: str
    parent_id: int


@dataclass(frozen=True, slots=True)
class MessageQueued(MessageEvent):
    """It is in the mailbox: newly, with the member of a pool that is to take it, or again after a death."""

    cast: bool = False


@dataclass(frozen=True, slots=True)
class MessageSent(MessageEvent):
    """The incarnation has it in its hands; a guest begins it when those that it was given before allow."""


@dataclass(frozen=True, slots=True)
class MessageBegun(MessageEvent):
    """Its method runs, in this process; when a guest begins a call it tells nobody."""


@dataclass(frozen=True, slots=True)
class MessageEnded(MessageEvent):
    """Its method returned, and whoever waits has the value."""


@dataclass(frozen=True, slots=True)
class MessageFailed(MessageEvent):
    """It has no value: its method raised, nobody wants it any more, or its actor died."""

    error: BaseException = field(compare=False)


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
    error: BaseException = field(compare=False)
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
    error: BaseException = field(compare=False)


@dataclass(frozen=True, slots=True)
class MessageBuried(Event):
    """A message went to the dead letters."""

    letter: DeadLetter
