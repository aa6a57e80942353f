"""What a mailbox keeps its calls in: a deque; one that stops at calls that are held; one that tells what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from . import lifecycle
from .call import Call
from .chain import HELD
from .watched import queued, watch

if TYPE_CHECKING:
    from .mailbox import Mailbox

Q = TypeVar("Q", bound="deque[Any]")

PLAIN: type[deque[Any]] = deque


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


@cache
def watched_queue(kind: Any) -> Any:
    """Queues of this kind that tell what comes: all messages come by `append`, and notes become records there."""

    def append(queue: Any, item: Any) -> None:
        call = item if isinstance(item, Call) else queue.mailbox.record(item)
        watch(call)
        deque[Any].append(queue, call)
        queued(call)

    parts = {"__slots__": ("mailbox",), "kind": kind, "append": append}
    return type(f"Watched{kind.__name__}", (kind,), parts)


def make_queue(mailbox: Mailbox, kind: type[Q], items: Iterable[Any] = ()) -> Q:
    """A queue of this kind for a mailbox: one that tells what comes, if somebody watches."""
    if not mailbox.house.watching:
        return kind(items)
    queue: Any = watched_queue(kind)(items)
    queue.mailbox = mailbox
    return queue  # type: ignore[no-any-return]


def plain_queue(mailbox: Mailbox, items: Iterable[Any] = ()) -> deque[Any]:
    return make_queue(mailbox, PLAIN, items)


def exchange(mailbox: Mailbox, queue: deque[Any]) -> None:
    """Let another queue take the place of a mailbox's; somebody may be taking calls from the old one."""
    old, mailbox.queue = mailbox.queue, queue
    if old is not None:
        old.clear()


def rewatch(mailbox: Mailbox) -> None:
    """Somebody begins to watch, or nobody does any more: what is pending is told from now on."""
    queue: Any = mailbox.queue
    if queue is not None:
        kind: Any = getattr(queue, "kind", queue.__class__)
        fresh = make_queue(mailbox, kind, queue)
        for name in [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]:
            setattr(fresh, name, getattr(queue, name))
        exchange(mailbox, fresh)
    if mailbox.house.watching:
        for call in mailbox.unfinished():
            if not call.ended:
                watch(call)
