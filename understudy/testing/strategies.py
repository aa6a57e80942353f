"""What every strategy has to be, checked on one of yours by the decisions it takes in simulated trees."""

from __future__ import annotations

import pickle
from typing import Any

from ..actors.actor import Actor
from ..actors.executor import Local
from ..lab.distributions import Exponential
from ..lab.faults import Corruption, Crash, Leave
from ..lab.model import Model
from ..lab.scenario import Scenario
from ..lab.simulation import simulate
from ..supervisors.spec import Supervisor
from ..supervisors.strategies.strategy import Decision, Strategy, StrategyError, View, checked

SIZES = (1, 2, 5)  # children
FAULTS = (
    Crash(Exponential(30.0), corruption=Corruption(share=0.3, recurs=Exponential(1.0))),
    Leave(Exponential(90.0), clock="aged"),
)
MODEL = Model(start=Exponential(1.0), stop=0.1, ageing=Exponential(60.0), faults=FAULTS)


class Child(Actor, executor=Local()):
    """Falls as its model says."""


class Witness:
    """A strategy that decides as another does, and holds it to the rules."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.before = pickle.dumps(strategy)
        self.fault: Exception | None = None
        self.decisions = 0

    @property
    def sample_every(self) -> float | None:
        found: float | None = getattr(self.strategy, "sample_every", None)
        return found

    @property
    def wakes_first(self) -> bool:
        return bool(getattr(self.strategy, "wakes_first", False))

    def decide(self, event: Any, view: View, now: int) -> Decision:
        try:
            first = checked(self.strategy.decide(event, view, now), view.children, now)
            if self.strategy.decide(event, view, now) != first:
                raise StrategyError(f"decide() gives another decision when asked again, for {event!r}")
            if pickle.dumps(self.strategy) != self.before:
                raise StrategyError(f"decide() has changed the strategy itself, for {event!r}")
        except Exception as error:
            self.fault = self.fault or error
            raise
        self.decisions += 1
        return first


def check_strategy(strategy: Strategy, runs: int = 10) -> int:
    """Hold a strategy to its rules in simulated trees of one, two and five children; how many decisions it took.

    It can be pickled, and what comes back is equal to it; it decides the same when asked the same again, and does
    not change; every decision can be carried out.

    Example:
        def test_my_strategy_keeps_the_rules() -> None:
            assert check_strategy(Twins()) > 100

    Raises:
        StrategyError: for the first rule that is broken; what `decide()` itself raised is raised as it is.
    """
    copy = pickle.loads(pickle.dumps(strategy))
    if copy != strategy:
        raise StrategyError(
            f"{strategy!r} does not equal itself when it was pickled; a frozen dataclass does"
        )
    witness = Witness(strategy)
    for size in SIZES:
        for seed in range(runs):
            children = (Child.options(id=f"w{index}").child() for index in range(size))
            tree = Supervisor(*children, strategy=witness, intensity=20, within=60.0)
            simulate(Scenario(tree, {"*": MODEL}, duration=600.0, seed=seed), keep=False)
            if witness.fault is not None:
                raise witness.fault
    return witness.decisions
