"""`statistics(handle)`: an actor's present, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .life import Life


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an actor is doing.

    `state` is one of pending, starting, ready, stopping, restarting, down, dead; `incarnation` counts from 1;
    `pid` is 0 for an actor without a process; `pending` counts calls accepted and not ended, `queued` those
    of them that no incarnation has in its hands.
    """

    path: str
    state: str
    incarnation: int
    pid: int
    pending: int
    queued: int
    last_reason: str


def statistics_of(life: Life) -> Statistics:
    mailbox = life.mailbox
    queued = sum(1 for call in mailbox.waiting() if not call.ended)
    pid = life.incarnation.pid if life.incarnation is not None else 0
    reason = str(life.last_reason) if life.number > 1 or life.incarnation is None else ""
    return Statistics(life.path, life.state, life.number, pid, mailbox.pending(), queued, reason)
