"""Figures of a run, made from its events: the same code for what was simulated and what was live."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..actors.events import (
    ActorDied,
    ActorEnded,
    ActorReady,
    ActorStarting,
    CallRetried,
    Event,
    MessageEnded,
    MessageFailed,
    MessageQueued,
)
from ..supervisors.events import ChildRestarting, SupervisorGaveUp
from .distributions import NANO
from .events import FaultStruck

STORM, STORMY = 10.0, 3  # seconds between two restarts of one storm at the most; restarts that make one


@dataclass(frozen=True, slots=True)
class ActorFigures:
    """One actor: the share of time that it was up, its failures, and mean seconds (None: there were none).

    `mttf` is time up for each failure, `mttr` from going down, for whatever reason, until it was ready again,
    `detection` from a fault until the runtime knew.
    """

    availability: float
    failures: int
    restarts: int
    mttf: float | None
    mttr: float | None
    detection: float | None


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Calls: those made, those that have no value, attempts made again, and those answered late for a restart.

    `response` is the mean time from a call to its reply, in seconds (None: nothing was answered).
    """

    made: int
    lost: int
    retried: int
    delayed: int
    response: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """A whole run; `availability` is the share of time that all actors were up.

    `duration` is in seconds.  A *storm* is three restarts of one actor or more, none later than ten seconds after
    the one before; `longest_storm` counts restarts.  `give_ups` counts supervisors that ended of themselves, and
    children that were given up.
    """

    duration: float
    availability: float
    failures: int
    restarts: int
    give_ups: int
    storms: int
    longest_storm: int
    mttf: float | None
    mttr: float | None
    detection: float | None
    calls: CallFigures
    actors: dict[str, ActorFigures]

    @property
    def restarts_per_hour(self) -> float:
        return self.restarts * 3600 / self.duration


class Track:
    """One actor, while events are read."""

    __slots__ = (
        "detecting",
        "down_at",
        "failures",
        "falls",
        "is_done",
        "noticed",
        "ready_at",
        "repairing",
        "repairs",
        "restarted_at",
        "restarts",
        "storm",
        "struck_at",
        "up",
    )

    def __init__(self) -> None:
        self.ready_at: int | None = None  # up since
        self.down_at: int | None = None
        self.struck_at: int | None = None
        self.up = self.repairing = self.detecting = 0  # nanoseconds
        self.failures = self.falls = self.repairs = self.noticed = self.restarts = 0
        self.is_done = False
        self.restarted_at = 0  # the last time
        self.storm = 0  # restarts of the storm under way

    def up_until(self, end: int) -> int:
        """Nanoseconds that it was up in all."""
        return self.up if self.ready_at is None else self.up + end - self.ready_at


class Gauge:
    """Reads events as they come; `figures()` at the end.  Times before `since` do not count.

    Example:
        gauge = Gauge()
        for event in events:
            gauge.read(event)
        print(gauge.figures(until=events[-1].at).availability)
    """

    def __init__(self, since: int | None = None) -> None:
        self.since = since
        self.tracks: dict[str, Track] = {}
        self.up = 0  # actors
        self.expected = 0  # actors that are missed when they are down
        self.whole_at: int | None = None  # all up since
        self.whole = 0  # nanoseconds
        self.give_ups = self.storms = self.longest_storm = self.restarts = 0
        self.pending: dict[
            int, tuple[int, int]
        ] = {}  # calls: when made, and how often their actor had fallen (-1: down)
        self.calls = self.answers = self.lost = self.delayed = self.retries = 0
        self.responding = 0  # nanoseconds
        self.last = 0

    def read(self, event: Event) -> None:
        """Take the next event; they come in the order of their times."""
        self.last = at = event.at
        reader = READERS.get(type(event))
        if reader is None:
            return
        if self.since is None:
            self.since = at
        elif at < self.since:
            at = self.since
        reader(self, event, at)

    # -- events ---------------------------------------------------------------------------------

    def starting(self, event: Event, at: int) -> None:
        if event.actor not in self.tracks:
            self.break_whole(at)
            self.tracks[event.actor] = Track()
            self.expected += 1

    def ready(self, event: ActorReady, at: int) -> None:
        self.starting(event, at)  # a log may begin in the middle
        track = self.tracks[event.actor]
        if track.ready_at is not None:
            return
        if track.down_at is not None:
            track.repairs += 1
            track.repairing += at - track.down_at
        track.ready_at, track.down_at = at, None
        self.up += 1
        self.mend_whole(at)

    def struck(self, event: FaultStruck, at: int) -> None:
        track = self.tracks.get(event.actor)
        if track is not None and event.fault in ENDING:
            track.struck_at = at
            if track.ready_at is not None:
                self.fall(track, track.ready_at, at)

    def ended(self, event: ActorEnded, at: int) -> None:
        track = self.tracks.get(event.actor)
        if track is None:
            return
        if track.struck_at is not None:
            track.noticed += 1
            track.detecting += at - track.struck_at
            track.failures += 1
            track.struck_at = None
        elif track.ready_at is not None and event.reason.abnormal and not event.reason.ordered:
            track.failures += 1
        if track.ready_at is not None:
            self.fall(track, track.ready_at, at)

    def fall(self, track: Track, ready_at: int, at: int) -> None:
        """It is up no more."""
        self.break_whole(at)
        track.up += at - ready_at
        track.ready_at, track.down_at = None, at
        track.falls += 1
        self.up -= 1

    def break_whole(self, at: int) -> None:
        if self.whole_at is not None:
            self.whole += at - self.whole_at
            self.whole_at = None

    def mend_whole(self, at: int) -> None:
        if self.whole_at is None and self.up == self.expected > 0:
            self.whole_at = at

    def died(self, event: ActorDied, at: int) -> None:
        """One that was done is missed by nobody."""
        track = self.tracks.get(event.actor)
        if track is not None and not event.reason.abnormal and not track.is_done:
            track.is_done = True
            if track.ready_at is not None:
                self.fall(track, track.ready_at, at)
            self.expected -= 1
            self.mend_whole(at)

    def restarting(self, event: ChildRestarting, at: int) -> None:
        self.restarts += 1
        track = self.tracks.get(event.actor)
        if track is None:
            return  # a supervisor
        track.restarts += 1
        track.storm = track.storm + 1 if at - track.restarted_at <= STORM * NANO else 1
        track.restarted_at = at
        if track.storm == STORMY:
            self.storms += 1
        if track.storm > self.longest_storm:
            self.longest_storm = track.storm

    def gave_up(self, event: SupervisorGaveUp, at: int) -> None:
        self.give_ups += 1

    # -- calls ----------------------------------------------------------------------------------

    def queued(self, event: MessageQueued, at: int) -> None:
        if event.call_id not in self.pending:
            self.calls += 1
            track = self.tracks.get(event.actor)
            up = track is not None and track.ready_at is not None
            self.pending[event.call_id] = (at, track.falls if track is not None and up else -1)

    def answered(self, event: MessageEnded, at: int) -> None:
        since, falls = self.pending.pop(event.call_id, (at, -1))
        track = self.tracks.get(event.actor)
        self.answers += 1
        self.responding += at - since
        if track is None or track.falls != falls:
            self.delayed += 1

    def failed(self, event: MessageFailed, at: int) -> None:
        self.pending.pop(event.call_id, None)
        self.lost += 1

    def retried(self, event: CallRetried, at: int) -> None:
        self.retries += 1

    # -- the end --------------------------------------------------------------------------------

    def figures(self, until: int | None = None) -> Figures:
        """The figures up to this time (nanoseconds; None: that of the last event)."""
        since, end = self.since or 0, self.last if until is None else until
        span = max(1, end - since)
        whole = self.whole + (end - self.whole_at if self.whole_at is not None else 0)
        tracks = self.tracks.values()
        up = {path: track.up_until(end) for path, track in self.tracks.items()}
        failures = sum(track.failures for track in tracks)
        return Figures(
            duration=span / NANO,
            availability=whole / span,
            failures=failures,
            restarts=self.restarts,
            give_ups=self.give_ups,
            storms=self.storms,
            longest_storm=self.longest_storm,
            mttf=mean(sum(up.values()), failures),
            mttr=mean(sum(track.repairing for track in tracks), sum(track.repairs for track in tracks)),
            detection=mean(sum(track.detecting for track in tracks), sum(track.noticed for track in tracks)),
            calls=CallFigures(
                made=self.calls,
                lost=self.lost,
                retried=self.retries,
                delayed=self.delayed,
                response=mean(self.responding, self.answers),
            ),
            actors={path: of_one(track, up[path], span) for path, track in self.tracks.items()},
        )


ENDING = frozenset(("crash", "hang", "leave", "corruption", "poison"))

READERS: dict[type, Callable[[Gauge, Any, int], None]] = {
    ActorStarting: Gauge.starting,
    ActorReady: Gauge.ready,
    ActorEnded: Gauge.ended,
    ActorDied: Gauge.died,
    FaultStruck: Gauge.struck,
    ChildRestarting: Gauge.restarting,
    SupervisorGaveUp: Gauge.gave_up,
    MessageQueued: Gauge.queued,
    MessageEnded: Gauge.answered,
    MessageFailed: Gauge.failed,
    CallRetried: Gauge.retried,
}


def of_one(track: Track, up: int, span: int) -> ActorFigures:
    return ActorFigures(
        availability=up / span,
        failures=track.failures,
        restarts=track.restarts,
        mttf=mean(up, track.failures),
        mttr=mean(track.repairing, track.repairs),
        detection=mean(track.detecting, track.noticed),
    )


def mean(nanoseconds: int, count: int) -> float | None:
    return nanoseconds / count / NANO if count else None


def measure(events: Iterable[Event], since: int | None = None, until: int | None = None) -> Figures:
    """The figures of events that were kept, from `since` (None: the first event) to `until` (None: the last)."""
    gauge = Gauge(since)
    for event in events:
        gauge.read(event)
    return gauge.figures(until)
