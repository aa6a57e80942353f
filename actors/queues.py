"""What a mailbox keeps its calls in: a deque; one that stops at calls that are held; one that tells what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import lifecycle
from .call import Call
from .watched import queued, watch

if TYPE_CHECKING:
    from .mailbox import Mailbox

HELD = -1  # the position of a call whose arguments are not there yet


class HeldQueue(deque[Any]):
    """A mailbox's queue while calls in it are held: it seems empty while a held one is at its head."""

    __slots__ = ("held",)

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__(items)
        self.held: set[int] = set()

    def __bool__(self) -> bool:
        if not len(self):
            return False
        head = self[0]
        return head.__class__ is tuple or head.position != HELD or head.state is lifecycle.ENDED


class WatchedQueue(deque[Any]):
    """A mailbox's queue while somebody watches: all messages come by `append`, and notes become records here."""

    __slots__ = ("mailbox",)

    mailbox: Mailbox

    def append(self, item: Any) -> None:
        call = item if isinstance(item, Call) else self.mailbox.record(item)
        watch(call)
        deque[Any].append(self, call)  # shared with the next class
        queued(call)


class WatchedHeldQueue(HeldQueue):
    """Both at once."""

    __slots__ = ("mailbox",)

    mailbox: Mailbox
    append = WatchedQueue.append


def plain_queue(mailbox: Mailbox, items: Iterable[Any] = ()) -> deque[Any]:
    """A queue for this mailbox."""
    if not mailbox.house.watching:
        return deque(items)
    queue = WatchedQueue(items)
    queue.mailbox = mailbox
    return queue


def held_queue(mailbox: Mailbox, items: Iterable[Any] = ()) -> HeldQueue:
    """A queue that can stop at a call."""
    if not mailbox.house.watching:
        return HeldQueue(items)
    queue = WatchedHeldQueue(items)
    queue.mailbox = mailbox
    return queue


def exchange(mailbox: Mailbox, queue: deque[Any]) -> None:
    """Let another queue take the place of a mailbox's; somebody may be taking calls from the old one."""
    old, mailbox.queue = mailbox.queue, queue
    if old is not None:
        old.clear()


def rewatch(mailbox: Mailbox) -> None:
    """Somebody begins to watch, or nobody does any more: what is pending is told from now on."""
    queue = mailbox.queue
    if isinstance(queue, HeldQueue):
        fresh = held_queue(mailbox, queue)
        fresh.held = queue.held
        exchange(mailbox, fresh)
    elif queue is not None:
        exchange(mailbox, plain_queue(mailbox, queue))
    if mailbox.house.watching:
        for call in mailbox.unfinished():
            if not call.ended:
                watch(call)
