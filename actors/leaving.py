"""Calls that are called off: ended at once, or, with `cancel="wait"`, when their end in the actor is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trio.lowlevel import Abort, Task

from ..transports.ticks import wake
from . import lifecycle
from .errors import NEVER_SENT, NOT_BEGUN, GetTimeoutError, TaskCancelledError
from .reasons import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from .call import Call
    from .mailbox import Mailbox


class Leaving:
    """A cancelled caller that waits until its call has really ended; it stands where a ref's watcher would."""

    __slots__ = ("call", "raise_cancel", "task")

    leaving = True

    def __init__(self, call: Call, task: Task, raise_cancel: Callable[[], Any]) -> None:
        self.call = call
        self.task = task
        self.raise_cancel = raise_cancel

    def settled(self, call: Call) -> None:
        wake(self.task, self)

    def unwrap(self) -> Any:
        """The cancellation; or the value, or the callee's own exception, if that is how it ended."""
        if isinstance(self.call.error, TaskCancelledError):
            self.raise_cancel()
        return self.call.unwrap()


def is_leaving(call: Call) -> bool:
    """Is it called off already, and open only because its end in the actor is not known yet?"""
    return getattr(call.ref, "leaving", False)


def must_end_first(call: Call) -> bool:
    """Have the method of a `cancel="wait"` call ended; False if the call can be ended at once."""
    receiver = call.mailbox.receiver
    if not call.method.patient or call.state is lifecycle.QUEUED or receiver is None:
        return False
    call.deadline = math.inf  # nobody waits for an answer any more
    receiver.withdraw(call, INTERRUPTED)
    if receiver.fate(call) == NOT_BEGUN:
        call.fail(cancelled(call, fate=NOT_BEGUN))  # and now it never will
    return not call.ended


def leave(call: Call, task: Task, raise_cancel: Callable[[], Any]) -> Abort:
    """The only one who waited for a call is cancelled."""
    call.task = None
    if must_end_first(call):
        call.ref = Leaving(call, task, raise_cancel)
        return Abort.FAILED
    call.mailbox.withdraw(call, cancelled(call))
    return Abort.SUCCEEDED


def call_off(call: Call, why: str) -> bool:
    """Cancel a call that refs wait for; False if it had ended.  `why` completes "it was cancelled"."""
    if call.ended:
        return False
    watcher: Any = call.ref
    if not watcher.leaving:
        watcher.leaving = must_end_first(call)
    if not watcher.leaving:
        call.mailbox.withdraw(call, cancelled(call, why))
    return True


def cancel_refs(mailbox: Mailbox) -> None:
    """The runtime closes: cancel the calls that only a ref waits for."""
    for call in reversed(mailbox.unfinished()):
        if call.ref is not None:
            text = f"call {call.id} was cancelled: the runtime closes"
            call.mailbox.withdraw(call, TaskCancelledError(text, NEVER_SENT, call.id))


def cancelled(call: Call, why: str = "", fate: str = NEVER_SENT) -> TaskCancelledError:
    text = f"call {call.id}, {call.method.name}() to {call.mailbox.label}, was cancelled{why}"
    return TaskCancelledError(text, fate, call.id, call.method.name)


def late(call: Call) -> GetTimeoutError:
    name = call.method.name
    return GetTimeoutError(
        f"{name}() to {call.mailbox.label} did not answer within {call.method.timeout} s",
        NEVER_SENT,
        call.id,
        name,
    )
