"""A mailbox that hands out nothing but what a person asks of the actor itself, as long as it is suspended."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..transports.guests.protocol import CALL
from . import lifecycle
from .method import ActorMethod
from .queues import HeldQueue, make_queue, plain_queue

if TYPE_CHECKING:
    from .call import Call
    from .life import Life
    from .mailbox import Mailbox

SUSPENDED = -1  # stands among the ids of held calls: so this queue is not taken for one that holds nothing


class SuspendedQueue(HeldQueue):
    """It seems empty, unless at its head is a call that passes, or one that has ended and may be dropped."""

    __slots__ = ("passing", "wanted_by")

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__(items)
        self.held.add(SUSPENDED)
        self.passing: set[int] = set()
        self.wanted_by: set[object] = set()

    def __bool__(self) -> bool:
        if not len(self):
            return False
        head = self[0]
        return head.__class__ is not tuple and (head.id in self.passing or head.state is lifecycle.ENDED)


def is_suspended(mailbox: Mailbox, by: object) -> bool:
    queue = mailbox.queue
    return isinstance(queue, SuspendedQueue) and by in queue.wanted_by


def suspend(mailbox: Mailbox, by: object) -> None:
    """From now on nothing leaves the queue, until all who want that have resumed it; idempotent for each."""
    old = mailbox.queue
    if mailbox.closed is not None:
        return
    if not isinstance(old, SuspendedQueue):
        queue = mailbox.queue = make_queue(mailbox, SuspendedQueue, () if old is None else old)
        if isinstance(old, HeldQueue):
            queue.held |= old.held
        if old is not None:
            old.clear()  # somebody may be taking calls from it
        old = queue
    old.wanted_by.add(by)


def resume(mailbox: Mailbox, by: object) -> None:
    """Let the queue go on where it stopped, if nobody else wants it to stand still; idempotent."""
    old = mailbox.queue
    if not isinstance(old, SuspendedQueue):
        return
    old.wanted_by.discard(by)
    if old.wanted_by:
        return
    old.held.discard(SUSPENDED)
    mailbox.queue = plain_queue(mailbox, old)
    if old.held:
        held = mailbox.queue = make_queue(mailbox, HeldQueue, old)
        held.held |= old.held
    old.clear()
    mailbox.go_on()


@contextmanager
def standing_still(mailbox: Mailbox) -> Generator[None, None, None]:
    """Suspended for so long, whatever others want meanwhile."""
    us = object()
    suspend(mailbox, us)
    try:
        yield
    finally:
        resume(mailbox, us)


async def ask_first(life: Life, name: str, *args: Any) -> Any:
    """Call a method of the object ahead of all that waits, in its turn; a suspended actor answers, too.

    Raises:
        ActorDiedError: if it is dead.
        TaskError: what the method raises.
    """
    mailbox = life.mailbox
    call = mailbox.make(
        CALL, ActorMethod(mailbox, name, unmarked, timeout=None, max_task_retries=0), args, {}
    )
    queue = mailbox.queue
    if queue is None:
        queue = mailbox.open_queue(call)
    queue.appendleft(call)
    if isinstance(queue, SuspendedQueue):
        queue.passing.add(call.id)
    mailbox.go_on()
    try:
        return await outcome(call)
    finally:
        if isinstance(queue, SuspendedQueue):
            queue.passing.discard(call.id)


async def outcome(call: Call) -> Any:
    try:
        return await call.wait_shared()
    finally:
        if not call.ended:
            call.mailbox.retract(call)


def unmarked(self: object, *args: Any) -> Any:
    """Stands for a method that every object has."""
