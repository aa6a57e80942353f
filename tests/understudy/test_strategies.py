"""The conformance suite for strategies: those of the house pass it, and each broken rule is found."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from understudy.supervisors.strategies.escalating import Escalating
from understudy.supervisors.strategies.one_for_all import OneForAll
from understudy.supervisors.strategies.one_for_one import OneForOne
from understudy.supervisors.strategies.rejuvenating import Rejuvenating
from understudy.supervisors.strategies.rest_for_one import RestForOne
from understudy.supervisors.strategies.strategy import Decision, Strategy, StrategyError, View
from understudy.testing.strategies import check_strategy

SHIPPED = [
    OneForOne(),
    OneForAll(),
    RestForOne(),
    Escalating(within=20.0),
    Rejuvenating(max_age=30.0, quiet=False),
    Rejuvenating(max_memory=1, every=5.0),
]


@pytest.mark.parametrize("strategy", SHIPPED, ids=repr)
def test_the_strategies_of_the_house_keep_the_rules(strategy: Strategy) -> None:
    assert check_strategy(strategy, runs=3) > 50


@dataclass(frozen=True)
class Own:
    """Restarts alone; the tests break one rule each."""

    def decide(self, event: Any, view: View, now: int) -> Decision:
        return Decision(start=(event.child,))


@dataclass(frozen=True)
class Moody(Own):
    moods: Any = field(default_factory=lambda: itertools.cycle([True, False]), compare=False)

    def __reduce__(self) -> Any:
        return (Moody, ())

    def decide(self, event: Any, view: View, now: int) -> Decision:
        return Decision(start=(event.child,) if next(self.moods) else ())


@dataclass
class Remembering:
    seen: int = 0

    def decide(self, event: Any, view: View, now: int) -> Decision:
        self.seen += 1
        return Decision(start=(event.child,))


class Stranger(Own):
    def decide(self, event: Any, view: View, now: int) -> Decision:
        return Decision(start=("nobody",))


class Late(Own):
    def decide(self, event: Any, view: View, now: int) -> Decision:
        return Decision(start=(event.child,), wake_at=now)


class Raising(Own):
    def decide(self, event: Any, view: View, now: int) -> Decision:
        raise LookupError("no idea")


class Unlike:
    def decide(self, event: Any, view: View, now: int) -> Decision:
        return Decision(start=(event.child,))


def test_a_strategy_of_ones_own_keeps_them() -> None:
    assert check_strategy(Own(), runs=1) > 10


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        (Moody(), "gives another decision when asked again"),
        (Remembering(), "has changed the strategy itself"),
        (Stranger(), "start names 'nobody', which is no child here"),
        (Late(), "wake_at must be a time after now"),
        (Unlike(), "does not equal itself when it was pickled; a frozen dataclass does"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_broken_rule_is_found_and_said(strategy: Strategy, why: str) -> None:
    with pytest.raises(StrategyError, match=why):
        check_strategy(strategy, runs=1)


def test_what_decide_raises_is_raised_as_it_is() -> None:
    with pytest.raises(LookupError, match="no idea"):
        check_strategy(Raising(), runs=1)
