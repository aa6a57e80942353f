"""What a strategy is: `decide(event, view, now)` gives a Decision, and nothing in it has a clock or a task."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast, runtime_checkable

from msgspec import Struct

NANO = 1_000_000_000
FAR = 200 * 365 * 86_400 * NANO  # no clock runs that long

# -- what a strategy is told -------------------------------------------------------------------------


class Exited(Struct, frozen=True):
    """A child has ended that its restart type wants started again."""

    child: str
    reason: Any


class StartFailed(Struct, frozen=True):
    """A restart of this child came to nothing: it ended before it was ready."""

    child: str
    reason: Any


class Woke(Struct, frozen=True):
    """The time has come for which a decision asked by `wake_at`."""


class Sample(Struct, frozen=True):
    """A child at one moment: calls that wait, calls that run, bytes and CPU seconds of its process (0: none of its own)."""

    waiting: int = 0
    running: int = 0
    memory: int = 0
    cpu: float = 0.0

    @property
    def quiet(self) -> bool:
        """Has it nothing to do?"""
        return not self.waiting and not self.running


class Sampled(Struct, frozen=True):
    """A look at every child that is up, each `sample_every` seconds."""

    samples: Mapping[str, Sample]


StrategyEvent = Exited | StartFailed | Woke | Sampled

# -- what it decides ---------------------------------------------------------------------------------


class Decision(Struct, frozen=True):
    """What shall happen; the order of stops and starts is the supervisor's own.

    `stop` names children to be stopped, `start` those to be started when all of them have ended.  A child in
    neither stays as it is; the one that has ended stays down.  `give_up` ends the supervisor, as if its
    restarts had run out.  `wake_at` asks for a Woke at that time, later than now.
    """

    stop: Sequence[str] = ()
    start: Sequence[str] = ()
    give_up: bool = False
    wake_at: int | None = None


class StrategyError(Exception):
    """A strategy raised, or decided what cannot be: its supervisor ends with this."""


# -- what it may look at -----------------------------------------------------------------------------


class Seen(Protocol):
    """A child, as far as a strategy may look at it."""

    @property
    def state(self) -> str: ...
    @property
    def since(self) -> int: ...
    @property
    def ends(self) -> Sequence[int]: ...


class History:
    """When children have ended, not counting the ends that were ordered."""

    __slots__ = ("children", "now")

    def __init__(self, children: Mapping[str, Seen], now: int) -> None:
        self.children = children
        self.now = now

    def of(self, child: str) -> Ends:
        """The ends of one child, this one included; the last 100 are remembered."""
        return Ends(self.children[child].ends, self.now)

    def of_all(self) -> Ends:
        """The ends of all children, together."""
        return Ends(sorted(at for child in self.children.values() for at in child.ends), self.now)


class Ends:
    """Times at which something ended, in nanoseconds."""

    __slots__ = ("now", "times")

    def __init__(self, times: Sequence[int], now: int) -> None:
        self.times = times
        self.now = now

    def within(self, seconds: float) -> int:
        """How many in the last so many seconds; `math.inf` is as far back as is remembered."""
        if seconds == math.inf:
            return len(self.times)
        since = self.now - round(seconds * NANO)
        return sum(at >= since for at in self.times)

    def __len__(self) -> int:
        return len(self.times)


class View:
    """The children of a supervisor at one moment, in the order of their starts."""

    __slots__ = ("children", "now")

    def __init__(self, children: Mapping[str, Seen], now: int) -> None:
        self.children = children
        self.now = now

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.children)

    @property
    def history(self) -> History:
        return History(self.children, self.now)

    def after(self, child: str) -> tuple[str, ...]:
        """Those that were started after this one."""
        return tuple(reversed(tuple(self.until(child))))

    def others(self, child: str) -> tuple[str, ...]:
        """All but this one."""
        return tuple(id for id in self.children if id != child)

    def state(self, child: str) -> str:
        """Where it stands: waiting, starting, restarting, running, stopping, leaving, pending, delayed, parked, down."""
        return self.children[child].state

    def age(self, child: str) -> float:
        """Seconds since it became ready; 0 if it is not up."""
        seen = self.children[child]
        return (self.now - seen.since) / NANO if seen.state == "running" else 0.0

    def until(self, child: str) -> Iterator[str]:
        """From the last back to this one, without it."""
        for id in reversed(cast("dict[str, Seen]", self.children)):
            if id == child:
                return
            yield id


@runtime_checkable
class Strategy(Protocol):
    """A pure, comparable, picklable object that decides what follows when a child has to be started again.

    It is asked when a child ends that its restart type wants back, when a restart fails, at a time it asked for,
    and, if it has a `sample_every` (seconds), with a look at every child that often.  With `wakes_first = True`
    it gets one Woke as soon as all children are ready.  What it starts for an end counts as one restart toward the
    supervisor's intensity; what it starts for a Woke or a look does not.

    Example:
        @dataclass(frozen=True)
        class Twins:
            def decide(self, event, view, now):
                if view.history.of(event.child).within(60.0) > 5:
                    return Decision(give_up=True)
                return Decision(stop=view.others(event.child), start=view.ids)
    """

    def decide(self, event: Any, view: View, now: int, /) -> Decision: ...


def checked(decision: Any, children: Mapping[str, Any], now: int) -> Decision:
    """The decision, if it can be carried out; raises StrategyError, saying what is wrong."""
    if not isinstance(decision, Decision):
        raise StrategyError(f"decide() must return a Decision, not {decision!r}")
    check_ids("stop", decision.stop, children)
    check_ids("start", decision.start, children)
    at = decision.wake_at
    if at is not None and (type(at) is not int or not now < at <= now + FAR):
        far = "" if type(at) is not int or at <= now else ", at most 200 years away"
        raise StrategyError(f"wake_at must be a time after now, {now}, in whole nanoseconds{far}, not {at!r}")
    return decision


def check_looks(strategy: object) -> None:
    """Raise ValueError for a `sample_every` that is no time between two looks."""
    every: object = getattr(strategy, "sample_every", None)
    if every is not None and not is_interval(every):
        raise ValueError(
            f"sample_every of {strategy!r} must be a number of seconds, at least a nanosecond, or None, not {every!r}"
        )


def is_interval(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 1 / NANO <= value <= FAR / NANO


def check_ids(field: str, ids: Any, children: Mapping[str, Any]) -> None:
    """Raise StrategyError for what are no ids of children here."""
    if isinstance(ids, str) or not is_sequence(ids):
        raise StrategyError(f"{field} must be a tuple of child ids, not {ids!r}")
    for id in ids:
        if not isinstance(id, str) or id not in children:
            raise StrategyError(f"{field} names {id!r}, which is no child here")


def is_sequence(value: object) -> bool:
    return isinstance(value, Sequence)
