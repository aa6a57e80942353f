"""Scenarios: values, checked when they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

import understudy.lab
from tests.cast_lab import Part, troupe
from understudy import Pool, Supervisor
from understudy.lab import Model, Scenario

lab: Any = understudy.lab  # what is refused is refused by type checkers too


def test_models_go_by_path_and_the_first_pattern_that_fits_is_taken() -> None:
    db, cruncher, other = Model(start=1.0), Model(start=2.0), Model(start=3.0)
    tree = Supervisor(Part.options(id="db").child(), Supervisor(Part.options(id="w").child(), id="crunchers"))
    scenario = Scenario(tree, {"db": db, "crunchers/*": cruncher, "*": other})

    assert [scenario.model(path) for path in ("db", "crunchers/w", "elsewhere")] == [db, cruncher, other]


def test_a_scenario_does_not_change() -> None:
    scenario = Scenario(troupe(1))

    with pytest.raises(FrozenInstanceError):
        scenario.seed = 2  # type: ignore[misc]
    assert scenario.with_seed(2).seed == 2
    assert replace(scenario, seed=2) == scenario.with_seed(2)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: lab.Scenario(troupe(1), {}), "there is no model for 'w0'; give one, or one for '\\*'"),
        (
            lambda: lab.Scenario(troupe(1), duration=0.0),
            "Scenario: duration must be a number of seconds above 0",
        ),
        (lambda: lab.Scenario(troupe(1), seed=1.5), "Scenario: seed must be a whole number, not 1.5"),
        (lambda: lab.Scenario(troupe(1), starters=0), "starters must be a count above 0, or None, not 0"),
        (
            lambda: lab.Scenario(troupe(1), faults=(lab.Crash(1.0),)),
            "faults of one actor belong to its model",
        ),
        (
            lambda: lab.Scenario(troupe(1), {"*": lab.Crash(1.0)}),
            "models must be a mapping of paths to models",
        ),
        (lambda: lab.Scenario(Part.child()), "tree must be a Supervisor"),
        (lambda: lab.Scenario(Supervisor(Pool(Part, 2))), "is a pool, which has no model yet"),
        (
            lambda: lab.Model(start=-1.0),
            "Model: start must be a distribution, or a number of seconds, 0 or more",
        ),
        (lambda: lab.Model(start_fails=2.0), "start_fails must be a share from 0 to 1, not 2.0"),
        (
            lambda: lab.Model(faults=lab.Crash(1.0)),
            "faults must be a tuple of faults: Crash, Hang, Leave, Slow",
        ),
        (lambda: lab.Model(faults=(lab.Outage(lab.Plan(1.0), 1.0),)), "faults must be a tuple of faults"),
        (lambda: lab.Model(load=5.0), "Model: load must be a Load, or None, not 5.0"),
        (lambda: lab.Load(0.0), "Load: between must take time, not 0.0"),
        (lambda: lab.Load(1.0, poison=2.0), "Load: poison must be a share from 0 to 1"),
        (
            lambda: lab.Scenario(troupe(1), {"*": lab.Model(load=lab.Load(1.0, lost=0.5))}),
            "w0 loses calls, whose callers would wait for ever; give it a call_timeout",
        ),
        (lambda: lab.Crash("soon"), "Crash: when must be a distribution, a schedule, or a number of seconds"),
        (lambda: lab.Crash(1.0, clock="down"), "Crash: clock must be 'up', 'aged' or 'whole', not 'down'"),
        (lambda: lab.Crash(1.0, noticed=-1.0), "Crash: noticed must be a distribution"),
        (lambda: lab.Crash(1.0, corruption=0.5), "Crash: corruption must be a Corruption, or None, not 0.5"),
        (lambda: lab.Corruption(share=1.5), "Corruption: share must be a share from 0 to 1"),
        (lambda: lab.Corruption(cure="none"), "Corruption: cure must be 'all' or 'rest'"),
        (lambda: lab.Hang(None), "Hang: when must be"),
        (lambda: lab.Leave(-1.0), "Leave: when must be"),
        (lambda: lab.Slow(1.0, factor=0.0), "Slow: factor must be a number above 0"),
        (lambda: lab.Outage(5.0, 1.0), "Outage: when must be a schedule: Plan, Arrivals, Bursts"),
        (lambda: lab.Outage(lab.Plan(5.0), 1.0, actors=()), "actors must be a tuple of patterns of paths"),
        (lambda: lab.Outage(lab.Plan(5.0), 1.0, actors="w0"), "actors must be a tuple of patterns of paths"),
        (lambda: lab.Together(lab.Exponential(5.0)), "Together: when must be a schedule"),
        (lambda: lab.Together(lab.Bursts(1.0, 2), hits="two"), "hits must be 'all' or 'one', not 'two'"),
        (lambda: lab.Together(lab.Plan(1.0), fault="crash"), "Together: fault must be a fault"),
        (lambda: lab.beta_factor(10.0, 1.0), "beta must be a share between 0 and 1, not 1.0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make: Callable[[], object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()
