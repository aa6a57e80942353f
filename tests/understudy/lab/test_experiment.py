"""Experiments: intervals over runs, and pairs of runs that met the same faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cast_lab import troupe
from understudy.lab import (
    Crash,
    Exponential,
    FaultStruck,
    Model,
    Scenario,
    compare,
    estimate,
    replicate,
    simulate,
)

MODELS = {"*": Model(start=1.0, faults=(Crash(Exponential(40.0)),))}


def scenario(strategy: str, duration: float = 400.0) -> Scenario:
    return Scenario(troupe(3, strategy=strategy), MODELS, duration=duration)


def test_runs_have_the_seeds_that_follow() -> None:
    runs = replicate(Scenario(troupe(1), MODELS, seed=5, duration=100.0), runs=3)

    assert [run.scenario.seed for run in runs] == [5, 6, 7]
    assert len({run.figures.availability for run in runs}) == 3


def test_more_runs_make_a_narrower_interval() -> None:
    few, many = (
        estimate(scenario("one_for_one", 100.0), lambda figures: figures.availability, runs)
        for runs in (5, 40)
    )

    assert many.high - many.low < few.high - few.low
    assert (few.count, many.count) == (5, 40)


@pytest.mark.slow
def test_pairs_tell_two_apart_where_single_runs_cannot() -> None:
    slower = {"*": replace(MODELS["*"], start=1.2)}
    ours = scenario("one_for_one")
    found = compare(ours, replace(ours, models=slower), lambda figures: figures.availability, runs=8)

    assert found.ours.low < found.theirs.high
    assert found.difference.low > 0.0


def test_a_change_elsewhere_changes_none_of_an_actors_luck() -> None:
    two, three = (simulate(Scenario(troupe(count), MODELS, duration=300.0)).events for count in (2, 3))

    def falls(events: object) -> list[int]:
        assert isinstance(events, tuple)
        return [event.at for event in events if isinstance(event, FaultStruck) and event.actor == "w1"]

    assert falls(two) == falls(three) != []


def test_one_run_is_no_experiment() -> None:
    with pytest.raises(ValueError, match="an interval needs two values or more, not 1; make more runs"):
        estimate(scenario("one_for_one"), lambda figures: figures.availability, runs=1)
