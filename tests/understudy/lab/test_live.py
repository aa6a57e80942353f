"""Live and simulated: the same scenario, the same decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast_lab import Part, troupe
from tests.understudy.lab.test_simulation import EVERYTHING
from understudy import Supervisor
from understudy.actors.backoff import Backoff
from understudy.actors.events import ActorEnded, ActorReady, ActorStarting, Event
from understudy.lab import (
    Arrivals,
    Corruption,
    Crash,
    Exponential,
    FaultStruck,
    Hang,
    Leave,
    Model,
    Outage,
    Run,
    Scenario,
    Together,
    Weibull,
    rehearse,
    simulate,
)
from understudy.supervisors.events import ChildDelayed, ChildParked, ChildRestarting, SupervisorGaveUp
from understudy.supervisors.strategies.rejuvenating import Rejuvenating

DECISIONS = (
    ActorStarting,
    ActorReady,
    ActorEnded,
    FaultStruck,
    ChildDelayed,
    ChildParked,
    ChildRestarting,
    SupervisorGaveUp,
)


def live(scenario: Scenario) -> Run:
    """In a live runtime, in virtual time."""
    return trio.run(rehearse, scenario, clock=trio.testing.MockClock(autojump_threshold=0))


def decisions(run: Run) -> list[tuple[Any, ...]]:
    """In their order, for each actor; what happens to two at the same moment happens in no order."""
    rows = [decision(event) for event in run.events if isinstance(event, DECISIONS)]
    return sorted(rows, key=lambda row: (row[0], row[2]))


def decision(event: Event) -> tuple[Any, ...]:
    """What happened, to the microsecond; the live clock counts in floats."""
    detail = getattr(event, "why", None) or getattr(event, "fault", None) or getattr(event, "restarts", None)
    return (round(event.at / 1000), type(event).__name__, event.actor, event.incarnation, detail)


CRASHES = Model(start=Exponential(1.0), stop=Exponential(0.5), faults=(Crash(Exponential(30.0)),))
SCENARIOS = {
    strategy: Scenario(troupe(4, strategy=strategy), {"*": CRASHES}, duration=600.0, seed=1)
    for strategy in ("one_for_one", "rest_for_one", "one_for_all", "escalating")
} | {
    "gives up": Scenario(troupe(3, intensity=2, within=30.0), {"*": CRASHES}, duration=600.0, seed=2),
    "throttled": Scenario(
        troupe(3, intensity=2, within=60.0, when_exhausted="throttle"), {"*": CRASHES}, duration=600.0, seed=3
    ),
    "parked": Scenario(
        troupe(3, intensity=1, within=60.0, when_exhausted="park"), {"*": CRASHES}, duration=600.0, seed=4
    ),
    "backoff and starts that fail": Scenario(
        troupe(3, Backoff(min=0.3, max=20.0, jitter=0.5)),
        {"*": Model(start=0.5, start_fails=0.2, faults=(Crash(Weibull(20.0, 1.5)),))},
        duration=600.0,
        seed=12,
    ),
    "hangs": Scenario(
        troupe(3, strategy="one_for_all"),
        {"*": Model(start=0.5, stop=0.1, faults=(Hang(Exponential(60.0), noticed=Exponential(9.0)), Leave(100.0)))},
        duration=600.0,
        seed=6,
    ),
    "corruption": Scenario(
        troupe(4, strategy="escalating", intensity=20, within=30.0),
        {"*": Model(start=0.5, faults=(Crash(Exponential(60.0), noticed=0.7, corruption=Corruption(0.5)),))},
        duration=600.0,
        seed=7,
    ),
    "an outage and a common cause": Scenario(
        troupe(4, Backoff(min=0.3, max=4.0)),
        {"*": Model(start=0.5)},
        faults=(
            Together(Arrivals(Exponential(40.0)), actors=("w1", "w2", "w3")),
            Outage(Arrivals(Exponential(50.0)), lasts=10.0, actors=("w*",)),
        ),
        duration=600.0,
        seed=8,
    ),
    "ageing": Scenario(
        troupe(3, strategy=Rejuvenating(max_age=20.3, quiet=False)),
        {"*": Model(start=0.5, renewal=0.1, ageing=10.0, faults=(Crash(Exponential(20.0), clock="aged"),))},
        duration=600.0,
        seed=9,
    ),
    "one starter": Scenario(troupe(4, strategy="rest_for_one"), {"*": CRASHES}, duration=600.0, seed=1, starters=1),
    "a tree": replace(EVERYTHING, duration=3000.0),
    "a slow start": Scenario(
        Supervisor(Part.options(id="w0", start_timeout=2.0).child(), intensity=4, within=40.0),
        {"*": Model(restart=Exponential(2.0), faults=(Crash(Exponential(10.0)),))},
        duration=600.0,
        seed=3,
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_live_shell_takes_the_decisions_of_the_simulated_one(name: str) -> None:
    simulated, lived = simulate(SCENARIOS[name]), live(SCENARIOS[name])

    assert decisions(lived) == decisions(simulated)
    assert lived.gave_up == simulated.gave_up
    assert lived.figures.availability == pytest.approx(simulated.figures.availability, abs=1e-6)
    assert len(decisions(simulated)) >= 20


@pytest.mark.parametrize("seed", [10, 11, 14, 18])
def test_a_tree_that_does_not_even_start_has_given_up_in_both(seed: int) -> None:
    scenario = SCENARIOS["backoff and starts that fail"].with_seed(seed)
    simulated, lived = simulate(scenario), live(scenario)

    assert decisions(lived) == decisions(simulated)
    assert (lived.gave_up, simulated.gave_up) == (True, True)
    assert lived.ended == pytest.approx(simulated.ended, abs=1e-6)
