"""The rulebook of supervision, sans I/O: `feed(event, now)` returns effects, and nothing here has a clock or a task.

A child's end is looked up in RESTARTS; every restart attempt counts toward an intensity within a window; when
that runs out the supervisor gives up: a tree's supervisor stops its children in reverse and ends, the
runtime's dynamic one ends only the child that failed.  (OTP's rules, except that the clock is a float.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

# -- what is fed in ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """Start all children, in order."""


@dataclass(frozen=True, slots=True)
class Added:
    """A child was added to a running supervisor."""

    id: str
    rules: ChildRules


@dataclass(frozen=True, slots=True)
class Started:
    """A child is ready."""

    id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A child ended; `started` is False if it never became ready."""

    id: str
    reason: Reason
    started: bool


@dataclass(frozen=True, slots=True)
class Terminate:
    """Somebody wants this child to end and stay so."""

    id: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Stop everything, last first."""


Event = Begin | Added | Started | Ended | Terminate | Shutdown

# -- what comes out ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Start (or restart) a child."""

    id: str
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask a child to end."""

    id: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Leave a child down, its spec kept; `reason` tells callers why, None lets them wait for its next start."""

    id: str
    reason: Any = None


@dataclass(frozen=True, slots=True)
class Retire:
    """A child is gone for good; `gave_up` if its restarts ran out."""

    id: str
    reason: Any
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class AllStarted:
    """Every child of the first start is ready."""


@dataclass(frozen=True, slots=True)
class Over:
    """The supervisor has ended and no child runs; `gave_up` names the child that cost it, or None."""

    gave_up: str | None
    reason: Any
    at_start: bool = False


Effect = Start | Stop | Rest | Retire | AllStarted | Over


class Reason(Protocol):
    """An exit reason, as far as it matters here."""

    @property
    def abnormal(self) -> bool: ...


# -- the rules ---------------------------------------------------------------------------------------

RESTART, KEEP, FORGET = "restart", "keep", "forget"

# Restart type and whether the end was abnormal, to what becomes of the child.
RESTARTS: dict[tuple[str, bool], str] = {
    ("permanent", False): RESTART,
    ("permanent", True): RESTART,
    ("transient", False): KEEP,
    ("transient", True): RESTART,
    ("temporary", False): FORGET,
    ("temporary", True): FORGET,
}


@dataclass(frozen=True, slots=True)
class ChildRules:
    """How a child's end is treated; `max_restarts` counts in its life (None: the intensity decides, -1: no limit)."""

    restart: str = "permanent"
    max_restarts: int | None = None


@dataclass(frozen=True, slots=True)
class Flags:
    """How a supervisor decides: `intensity` restarts are allowed `within` seconds; `dynamic` counts per child."""

    intensity: int = 3
    within: float = 5.0
    dynamic: bool = False


WAITING, STARTING, RUNNING, STOPPING, DOWN = "waiting", "starting", "running", "stopping", "down"
LIVE = (STARTING, RUNNING, STOPPING)


class Child:
    """What the core remembers of a child."""

    __slots__ = ("condemned", "failures", "fresh", "id", "restarts", "rules", "state")

    def __init__(self, id: str, rules: ChildRules) -> None:
        self.id = id
        self.rules = rules
        self.state = WAITING
        self.restarts = 0  # in its life
        self.failures: list[float] | None = None  # times of restarts; a list is made with the first
        self.condemned = False  # somebody wants it gone
        self.fresh = True  # it never was ready


class Core:
    """One supervisor's decisions.  Feed it events in the order they happen; carry out the effects in order."""

    __slots__ = ("at_start", "children", "ending", "failures", "flags", "gave_up", "reason", "starting")

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self.children: dict[str, Child] = {}
        self.failures: list[float] = []
        self.starting = False
        self.ending = False
        self.gave_up: str | None = None
        self.reason: Any = None
        self.at_start = False  # it gave up before all were ready

    def feed(self, event: Event, now: float) -> list[Effect]:
        """Take an event at `now` (seconds); returns what to do, in order."""
        return HANDLERS[type(event)](self, event, now)

    # -- starting -------------------------------------------------------------------------------

    def on_begin(self, event: Begin, now: float) -> list[Effect]:
        self.starting, self.ending, self.at_start = True, False, False
        self.gave_up = self.reason = None
        return self.start_next()

    def start_next(self) -> list[Effect]:
        """Children start one at a time, so that a later one may rely on an earlier."""
        for child in self.children.values():
            if child.fresh and child.state in LIVE:
                return []  # its turn is not over; another one was restarted meanwhile
            if child.state == WAITING:
                child.state = STARTING
                return [Start(child.id)]
        self.starting = False
        return [AllStarted()]

    def on_added(self, event: Added, now: float) -> list[Effect]:
        child = self.children[event.id] = Child(event.id, event.rules)
        if self.ending or not self.flags.dynamic:
            return []
        child.state = STARTING
        return [Start(child.id)]

    def on_started(self, event: Started, now: float) -> list[Effect]:
        child = self.children[event.id]
        child.fresh = False
        if child.state == STARTING:
            child.state = RUNNING
        return self.start_next() if self.starting and not self.ending else []

    # -- ending ---------------------------------------------------------------------------------

    def on_ended(self, event: Ended, now: float) -> list[Effect]:
        child = self.children[event.id]
        child.state = DOWN
        if self.ending:
            return [self.lay_down(child, event.reason), *self.stop_next()]
        if child.condemned:
            return [self.retire(child, event.reason), *(self.start_next() if self.starting else [])]
        if child.fresh:
            return self.first_start_failed(child, event.reason)
        verdict = RESTARTS[child.rules.restart, event.reason.abnormal or not event.started]
        if verdict == RESTART:
            return self.restart(child, event.reason, now)
        if verdict == KEEP and not self.flags.dynamic:
            return [Rest(child.id, event.reason)]
        return [self.retire(child, event.reason)]

    def first_start_failed(self, child: Child, reason: Any) -> list[Effect]:
        """Nothing is retried at a first start: the starter is told, and a tree is rolled back."""
        if self.flags.dynamic:
            return [self.retire(child, reason), *(self.start_next() if self.starting else [])]
        self.at_start = True
        return [Rest(child.id), *self.give_up(child, reason)]

    def restart(self, child: Child, reason: Any, now: float) -> list[Effect]:
        """Start it again if its limits allow; every attempt counts, but for what the keeper's death took along."""
        if reason.uprooted:  # one cause would be counted once for each child
            child.state = STARTING
            return [Start(child.id, restart=True)]
        child.restarts += 1
        limit = child.rules.max_restarts
        if limit is None:
            spent = self.intensity_spent(child, now)
        else:
            spent = limit >= 0 and child.restarts > limit
        if not spent:
            child.state = STARTING
            return [Start(child.id, restart=True)]
        if self.flags.dynamic or limit is not None:
            return [self.retire(child, reason, gave_up=True)]
        return [Rest(child.id), *self.give_up(child, reason)]

    def intensity_spent(self, child: Child, now: float) -> bool:
        if not self.flags.dynamic:
            times = self.failures
        else:
            times = child.failures = child.failures if child.failures is not None else []
        times.append(now)
        while times[0] < now - self.flags.within:
            del times[0]
        return len(times) > self.flags.intensity

    def give_up(self, child: Child, reason: Any) -> list[Effect]:
        self.gave_up, self.reason = child.id, reason
        return self.begin_end()

    def retire(self, child: Child, reason: Any, gave_up: bool = False) -> Retire:
        del self.children[child.id]
        return Retire(child.id, reason, gave_up)

    def lay_down(self, child: Child, reason: Any) -> Effect:
        """While the supervisor ends: a tree's children are kept for its restart, dynamic ones are gone."""
        return self.retire(child, reason) if self.flags.dynamic or child.condemned else Rest(child.id)

    # -- stopping -------------------------------------------------------------------------------

    def on_terminate(self, event: Terminate, now: float) -> list[Effect]:
        child = self.children.get(event.id)
        if child is None:
            return []
        child.condemned = True
        if child.state in (WAITING, DOWN):
            return [self.retire(child, None)]
        if child.state == STOPPING:
            return []
        child.state = STOPPING
        return [Stop(child.id)]

    def on_shutdown(self, event: Shutdown, now: float) -> list[Effect]:
        return [] if self.ending else self.begin_end()

    def begin_end(self) -> list[Effect]:
        self.ending, self.starting = True, False
        return self.stop_next()

    def stop_next(self) -> list[Effect]:
        """Static children stop one by one, last first; dynamic ones all at once."""
        live = [child for child in reversed(self.children.values()) if child.state in LIVE]
        if not live:
            return [self.over()]
        if self.flags.dynamic:
            chosen = [child for child in live if child.state != STOPPING]
        else:
            chosen = [] if any(child.state == STOPPING for child in live) else live[:1]
        for child in chosen:
            child.state = STOPPING
        return [Stop(child.id) for child in chosen]

    def over(self) -> Over:
        for child in self.children.values():
            child.state, child.fresh = WAITING, True
        self.failures.clear()
        return Over(self.gave_up, self.reason, self.at_start)


HANDLERS: dict[type, Callable[[Core, Any, float], list[Effect]]] = {
    Begin: Core.on_begin,
    Added: Core.on_added,
    Started: Core.on_started,
    Ended: Core.on_ended,
    Terminate: Core.on_terminate,
    Shutdown: Core.on_shutdown,
}
