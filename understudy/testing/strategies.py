"""`check_strategy(strategy)`: what must hold for every strategy, tried out on the rulebook that will ask it."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from ..supervisors.rules import SECOND, Flags
from ..supervisors.strategies.strategy import (
    Decision,
    StrategyError,
    View,
    check_looks,
    checked,
)
from .rig import MILLI, Rig

IDS = ("a", "b", "c", "d")
SIZES = (1, 2, 4)
MOST_STEPS = 4_000
DAY = 24 * 3600 * SECOND


class StrategyConformanceError(StrategyError, AssertionError):
    """A strategy is not what a strategy must be; the message lists all that was found."""


def check_strategy(strategy: Any, runs: int = 8) -> int:
    """Raise, with all that is wrong, unless this can be a supervisor's strategy; how many decisions it took.

    Asked in thousands of situations it must return Decisions that can be carried out, the same for the same question,
    also from a copy that was pickled; it must be equal to that copy, and printed alike, before and after; what it
    looks at must not change; and its supervisor must come to rest, by giving up if nothing else, when children
    fall again and again.

    Example:
        def test_mine() -> None:
            check_strategy(MyStrategy(tries=3))

    Raises:
        StrategyConformanceError: if it is none; caused by what `decide()` itself raised, if it did.
    """
    if not callable(getattr(strategy, "decide", None)):
        raise StrategyConformanceError(f"{strategy!r} has no method decide(event, view, now)")
    try:
        check_looks(strategy)
    except ValueError as error:
        raise StrategyConformanceError(str(error)) from error
    try:
        copy = pickle.loads(pickle.dumps(strategy))
    except Exception as error:
        raise StrategyConformanceError(f"{strategy!r} cannot be pickled: {error!r}") from error
    watched = Watched(strategy, copy)
    flaws = list(dict.fromkeys(found(watched, runs)))
    if flaws:
        text = "\n".join([f"{strategy!r} is no strategy:", *(f"- {flaw}" for flaw in flaws)])
        raise StrategyConformanceError(text) from watched.error
    return watched.decisions


def found(watched: Watched, runs: int) -> Iterator[str]:
    """Everything that is wrong with it."""
    strategy, copy, printed = watched.strategy, watched.copy, repr(watched.strategy)
    yield from alike(strategy, copy, "after pickling")
    for size in SIZES:
        for seed in range(runs):
            yield from tried(watched, IDS[:size], seed)
    yield from watched.flaws
    yield from alike(strategy, copy, "after use")
    if repr(strategy) != printed:
        yield f"it prints otherwise after use: {strategy!r}"


def alike(strategy: Any, copy: Any, when: str) -> Iterator[str]:
    if strategy != copy:
        yield f"it is not equal to its own copy {when}; make it a frozen dataclass, or give it __eq__"
    elif " at 0x" in repr(strategy):
        yield "its repr shows an address and not its settings; make it a dataclass, or give it __repr__"


class Watched:
    """Asks the strategy, its copy, and again in another order of things; and notes where they disagree."""

    def __init__(self, strategy: Any, copy: Any) -> None:
        self.strategy = strategy
        self.copy = copy
        self.flaws: list[str] = []
        self.error: Exception | None = None
        self.decisions = 0
        self.sample_every = getattr(strategy, "sample_every", None)
        self.wakes_first = bool(getattr(strategy, "wakes_first", False))

    def decide(self, event: Any, view: View, now: int) -> Decision:
        self.decisions += 1
        before = shown(view)
        try:
            decision: Decision = self.strategy.decide(event, view, now)
        except Exception as error:
            self.error = self.error or error
            raise
        for who, what in ((self.strategy, "asked again"), (self.copy, "asked as a copy")):
            again = who.decide(event, view, now)
            if again != decision:
                self.flaws.append(
                    f"{what}, it decides otherwise about {type(event).__name__}: {again!r}, not {decision!r}"
                )
        if shown(view) != before:
            self.flaws.append(f"it changes what it is shown, at {type(event).__name__}")
        self.judge(decision, view, now)
        return decision

    def judge(self, decision: Any, view: View, now: int) -> None:
        try:
            checked(decision, view.children, now)
        except StrategyError as error:
            self.flaws.append(str(error))


def shown(view: View) -> list[tuple[Any, ...]]:
    """All that a view shows."""
    return [(id, child.state, child.since, tuple(child.ends)) for id, child in view.children.items()]


def tried(watched: Watched, ids: Sequence[str], seed: int) -> Iterator[str]:
    """One run in which children fall, at once if the seed is even."""
    draws = Random(seed)
    endless = seed % 2 == 0
    flags = Flags(3, 5 * SECOND, watched) if seed % 4 < 2 else Flags(50, 60 * SECOND, watched)
    rig = Rig(flags, ids, soon(draws) if endless else seldom(draws), watched.sample_every)
    rig.run(MOST_STEPS, until=MILLI * 60_000 if endless else DAY)
    cause = rig.over.cause if rig.over is not None else None
    if cause is not None and cause.why == "flaw":
        yield str(cause.reason)
    elif endless and rig.over is None and rig.starts > MOST_RESTARTS:
        yield (
            f"its supervisor never gives up: {rig.starts} starts in {rig.now / SECOND:.3g} s, while children fall "
            "at once; restart on Exited and StartFailed, which counts, and not on Woke or Sampled"
        )


def soon(draws: Random) -> Callable[[str, int], int]:
    """Whoever starts falls at once."""
    return lambda id, now: draws.randrange(MILLI)


def seldom(draws: Random) -> Callable[[str, int], int | None]:
    """Children fall every few hours, and sometimes several within a second."""
    return lambda id, now: round(draws.choice((0.2, 3600.0, 20_000.0, math.pi)) * SECOND)


MOST_RESTARTS = 1000  # in a minute of endless failure; the intensities here allow 54
