"""What the rulebook remembers of a child."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rules import ChildRules

(
    WAITING,  # its first start has not come
    STARTING,  # started for the first time, or by hand: if that fails, it is told and not tried again
    RESTARTING,
    RUNNING,
    STOPPING,  # its spec is kept
    LEAVING,  # being stopped for good
    PENDING,  # will be started again when its turn comes
    DELAYED,  # will be started again at a time
    PARKED,  # will be started again when a person says so
    DOWN,
) = (
    "waiting",
    "starting",
    "restarting",
    "running",
    "stopping",
    "leaving",
    "pending",
    "delayed",
    "parked",
    "down",
)
ACTIVE = frozenset((RUNNING, STOPPING, LEAVING))  # up, and not on its way there
LIVE = frozenset((STARTING, RESTARTING, RUNNING, STOPPING, LEAVING))
DUE = frozenset((WAITING, PENDING))  # to be started when its turn comes

REMEMBERED = 100  # ends of one child


class Record:
    """Of a child that has fallen: the times of its ends, those of its window, restarts in its life and in a row."""

    __slots__ = ("ends", "restarts", "row", "window")

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.window: list[int] = []
        self.restarts = 0
        self.row = 0


class Child:
    """Most children never fall: what falls cost is kept aside."""

    __slots__ = ("id", "place", "record", "rules", "since", "state")

    def __init__(self, id: str, rules: ChildRules, place: int) -> None:
        self.id = id
        self.rules = rules
        self.place = place  # in the order of starts
        self.state = WAITING
        self.since = 0  # when it became ready
        self.record: Record | None = None

    @property
    def ends(self) -> Sequence[int]:
        return () if self.record is None else self.record.ends

    @property
    def restarts(self) -> int:
        return 0 if self.record is None else self.record.restarts

    def fall(self, now: int, counts: bool = True) -> Record:
        """Note an end that calls for a restart, if that counts."""
        record = self.record
        if record is None:
            record = self.record = Record()
        if not counts:
            return record
        record.restarts += 1
        record.ends.append(now)
        if len(record.ends) > REMEMBERED:
            del record.ends[0]
        return record

    def backoff(self, started: bool, now: int) -> int:
        """Nanoseconds that it has to stay down this time; only for one with a backoff that has fallen."""
        backoff, record = self.rules.backoff, self.record
        assert backoff is not None
        assert record is not None
        if started and now - self.since >= backoff.stable:
            record.row = 0
        record.row += 1
        return backoff.delay(record.row - 1, self.id)
