"""`check_strategy` passes what is a strategy, ours first of all, and says of the rest what is wrong with it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from examples.strategy import Source
from understudy import Decision, Strategy
from understudy.supervisors.strategies.escalating import Escalating
from understudy.supervisors.strategies.one_for_all import OneForAll
from understudy.supervisors.strategies.one_for_one import OneForOne
from understudy.supervisors.strategies.rejuvenating import Rejuvenating
from understudy.supervisors.strategies.rest_for_one import RestForOne
from understudy.supervisors.strategies.strategy import Exited, StartFailed, StrategyError
from understudy.testing import StrategyConformanceError, check_strategy

OURS = [
    OneForOne(),
    OneForAll(),
    RestForOne(),
    Escalating(),
    Escalating(within=3600.0, alone=3, rest=0, all=2),
    Rejuvenating(max_age=3600.0),
    Rejuvenating(max_age=60.0, quiet=False, then=OneForAll()),
    Rejuvenating(max_memory=1e7, then=Escalating()),
    Source("a"),  # the example of the docs
]


@pytest.mark.parametrize("strategy", OURS, ids=repr)
def test_ours_are_strategies(strategy: Strategy) -> None:
    assert check_strategy(strategy, runs=4) > 40


FALLS = Exited | StartFailed


@dataclass(frozen=True)
class Base:
    def decide(self, event: Any, view: Any, now: int) -> Any:
        return Decision(start=(event.child,)) if isinstance(event, FALLS) else Decision()


class Plain:
    decide = Base.decide


@dataclass(frozen=True)
class Counting(Base):
    seen: list[int] = field(default_factory=list)

    def decide(self, event: Any, view: Any, now: int) -> Any:
        self.seen.append(now)
        return Decision(start=view.ids if len(self.seen) % 2 else (event.child,))


class Stranger(Base):
    def decide(self, event: Any, view: Any, now: int) -> Any:
        return Decision(start=("nobody",))


class Nonsense(Base):
    def decide(self, event: Any, view: Any, now: int) -> Any:
        return "restart"


class Raising(Base):
    def decide(self, event: Any, view: Any, now: int) -> Any:
        raise ZeroDivisionError("by zero")


class Past(Base):
    def decide(self, event: Any, view: Any, now: int) -> Any:
        return Decision(start=(event.child,), wake_at=now)


class Spinning(Base):
    sample_every = 0


class Never(Base):
    def decide(self, event: Any, view: Any, now: int) -> Any:
        return Decision(start=(event.child,), wake_at=10**400)


class Meddling(Base):
    def decide(self, event: Any, view: Any, now: int) -> Any:
        view.children[event.child].since += 1
        return super().decide(event, view, now)


class Sly(Base):
    """Brings back what fell when it is woken, which does not count."""

    def decide(self, event: Any, view: Any, now: int) -> Any:
        if isinstance(event, FALLS):
            return Decision(wake_at=now + 1)
        return Decision(start=tuple(id for id in view.ids if view.state(id) == "down"))


@dataclass(frozen=True)
class Moody(Base):
    moods: Any = field(default_factory=lambda: itertools.cycle((True, False, False)), compare=False)

    def __reduce__(self) -> Any:
        return (Moody, ())

    def decide(self, event: Any, view: Any, now: int) -> Any:
        return Decision(start=(event.child,) if next(self.moods) else ())


@dataclass(frozen=True)
class Closed(Base):
    action: Any = field(default_factory=lambda: lambda: None)


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (object(), "has no method decide"),
        (Plain(), "it is not equal to its own copy after pickling"),
        (Closed(), "cannot be pickled"),
        (Counting(), "asked again, it decides otherwise about Exited"),
        (Counting(), "it is not equal to its own copy after use|prints otherwise after use"),
        (Moody(), "asked again, it decides otherwise"),
        (Stranger(), "start names 'nobody', which is no child here"),
        (Nonsense(), "must return a Decision, not 'restart'"),
        (Raising(), "raised ZeroDivisionError: by zero"),
        (Past(), "wake_at must be a time after now"),
        (Spinning(), "sample_every of .* must be a number of seconds, .* not 0"),
        (Never(), "at most 200 years away"),
        (Meddling(), "it changes what it is shown, at Exited"),
        pytest.param(Sly(), "its supervisor never gives up", marks=pytest.mark.slow),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_is_wrong_is_told(strategy: Any, words: str) -> None:
    with pytest.raises(StrategyConformanceError, match=words):
        check_strategy(strategy, runs=4)


def test_what_decide_raised_is_the_cause() -> None:
    with pytest.raises(StrategyConformanceError) as caught:
        check_strategy(Raising())

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert isinstance(caught.value, StrategyError)
