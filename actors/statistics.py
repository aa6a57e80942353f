"""`statistics(handle)`: an actor's present, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..transports.guests import protocol as p
from ..transports.system.processes import spent

if TYPE_CHECKING:
    from .life import Life


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an actor is doing.

    `state` is one of pending, starting, ready, stopping, restarting, down, dead; `incarnation` counts from 1;
    `pid` is 0 for an actor without a process; `pending` counts calls accepted and not ended, `queued` those
    of them that no incarnation has in its hands.

    Of this incarnation, where it runs in a process or a thread: `calls` counts those it has done, `uptime` is the
    seconds since it became ready, `busy_since` the time by `time.monotonic()` at which the call began that runs now, if
    it is one of those that usually take longer than 50 µs, and the only one.

    `rss`, `pss` (bytes of memory, all that its process occupies and its share of that) and `cpu` (seconds of
    processor time) are read from the system when they are asked for; 0 without a process.
    """

    path: str
    state: str
    incarnation: int
    pid: int
    pending: int
    queued: int
    last_reason: str
    calls: int = 0
    uptime: float | None = None
    busy_since: float | None = None

    @property
    def rss(self) -> int:
        used = spent(self.pid) if self.pid else None
        return used.rss if used is not None else 0

    @property
    def pss(self) -> int:
        used = spent(self.pid) if self.pid else None
        return used.pss if used is not None else 0

    @property
    def cpu(self) -> float:
        used = spent(self.pid) if self.pid else None
        return used.cpu if used is not None else 0.0


def statistics_of(life: Life) -> Statistics:
    mailbox, incarnation = life.mailbox, life.incarnation
    queued = sum(1 for call in mailbox.waiting() if not call.ended)
    pid = incarnation.pid if incarnation is not None else 0
    reason = str(life.last_reason) if life.number > 1 or incarnation is None else ""
    return Statistics(
        life.path, life.state, life.number, pid, mailbox.pending(), queued, reason, *of_guest(life, incarnation)
    )  # fmt: skip


def of_guest(life: Life, incarnation: Any) -> tuple[int, float | None, float | None]:
    """Calls done, seconds up, and since when it is busy; of what is no guest nothing is known."""
    since = getattr(incarnation, "since", None)
    if since is None:
        return 0, None, None
    uptime = life.house.stage.now() - since
    page = incarnation.guest.page
    if page is None:
        return incarnation.sent_count - len(incarnation.sent), uptime, None
    words, running = page.words, len(incarnation.running())
    if incarnation.lanes is not None:
        return sum(words[p.GROUPS : p.GROUPS + p.MOST_GROUPS]) - running, uptime, None
    busy = words[p.BUSY_SINCE] / 1e9 if running and words[p.BUSY] == words[p.BEGUN] else None
    return words[p.PROGRESS] - running, uptime, busy
