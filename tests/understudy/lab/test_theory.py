"""Simulations agree with theory: each closed form lies within three standard errors of what was simulated."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tests.cast_lab import troupe
from understudy.actors.backoff import Backoff
from understudy.lab import (
    Crash,
    Exponential,
    Fixed,
    Interval,
    Leave,
    Model,
    Outage,
    Plan,
    Scenario,
    Weibull,
    estimate,
    formulas,
    interval,
    replicate,
)
from understudy.supervisors.strategies.rejuvenating import Rejuvenating

RATE, REPAIR, COUNT = 0.01, 1.0, 5


def agrees(found: Interval, theory: float) -> bool:
    """And the standard error is small enough to tell a wrong formula."""
    assert found.error <= 0.12 * abs(theory)
    return abs(found.mean - theory) <= 3 * found.error


def availability_of(scenario: Scenario, runs: int = 20) -> Interval:
    return estimate(scenario, lambda figures: figures.availability, runs)


# -- availability ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("start", [Fixed(REPAIR), Exponential(REPAIR)], ids=repr)
def test_one_for_one_restarts_them_side_by_side(start: Fixed | Exponential) -> None:
    models = {"*": Model(start=start, faults=(Crash(Exponential(1 / RATE)),))}
    found = availability_of(Scenario(troupe(COUNT), models, duration=8_000.0, seed=1))

    assert agrees(found, formulas.one_for_one(COUNT, RATE, REPAIR))


@pytest.mark.slow
def test_a_machine_that_starts_one_at_a_time_is_the_repairman() -> None:
    models = {"*": Model(start=Exponential(10.0), faults=(Crash(Exponential(50.0)),))}
    found = availability_of(Scenario(troupe(3), models, duration=5_000.0, seed=2, starters=1))
    theory = formulas.one_at_a_time(3, 1 / 50, 10.0)

    assert agrees(found, theory)
    assert not agrees(found, formulas.one_for_one(3, 1 / 50, 10.0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "theory"),
    [("one_for_all", formulas.one_for_all), ("rest_for_one", formulas.rest_for_one)],
)
def test_group_strategies_start_them_in_turn(
    strategy: str, theory: Callable[[int, float, float], float]
) -> None:
    models = {"*": Model(start=REPAIR, faults=(Crash(Exponential(1 / RATE), clock="whole"),))}
    found = availability_of(
        Scenario(troupe(COUNT, strategy=strategy), models, duration=5_000.0, seed=3), runs=15
    )

    assert agrees(found, theory(COUNT, RATE, REPAIR))


def test_the_share_of_time_that_one_is_up() -> None:
    model = Model(start=2.0, faults=(Crash(Weibull(30.0, 2.0)),))
    found = availability_of(Scenario(troupe(1), {"*": model}, duration=1_500.0, seed=4))

    assert agrees(found, formulas.availability(30.0 * math.gamma(1.5), 2.0))


# -- the time until restarts run out -----------------------------------------------------------------


def failures_until(intensity: int, expected: float, runs: int, seed: int) -> Interval:
    """How often one actor fails until its supervisor gives up, with so many failures expected in a window."""
    plan = troupe(1, intensity=intensity, within=expected)
    scenario = Scenario(plan, {"*": Model(faults=(Crash(Exponential(1.0)),))}, duration=1e6, seed=seed)
    ended = replicate(scenario, runs)

    assert all(run.gave_up for run in ended)
    return interval([float(run.figures.failures) for run in ended])


@pytest.mark.parametrize(("intensity", "expected"), [(0, 1.0), (1, 0.5), (1, 2.0), (2, 2.0), (3, 2.0)])
def test_time_to_give_up_is_that_of_theory(intensity: int, expected: float) -> None:
    plan = troupe(1, intensity=intensity, within=expected * 10)
    scenario = Scenario(plan, {"*": Model(faults=(Crash(Exponential(10.0)),))}, duration=1e6, seed=5)
    found = interval([run.ended for run in replicate(scenario, 200)])
    failures = formulas.FAILURES_TO_GIVE_UP.get((expected, intensity), 1.0)

    assert agrees(found, failures * 10)
    if intensity < 2:
        assert agrees(found, formulas.time_to_give_up(0.1, expected * 10, intensity))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expected", "intensity", "runs"),
    [
        (expected, intensity, max(100, min(500, int(20_000 / failures))))
        for (expected, intensity), failures in formulas.FAILURES_TO_GIVE_UP.items()
        if failures < 400
    ],
)
def test_failures_until_restarts_run_out_are_those_of_the_table(
    expected: float, intensity: int, runs: int
) -> None:
    found = failures_until(intensity, expected, runs, seed=6)

    assert agrees(found, formulas.FAILURES_TO_GIVE_UP[expected, intensity])


@pytest.mark.slow
def test_restarts_that_are_rarely_too_many_follow_alm() -> None:
    plan = troupe(1, intensity=3, within=5.0)
    scenario = Scenario(plan, {"*": Model(faults=(Crash(Exponential(10.0)),))}, duration=450.0, seed=7)
    lasted = interval([float(not run.gave_up) for run in replicate(scenario, 400)])

    assert agrees(lasted, formulas.no_give_up(0.1, 5.0, 3, 450.0))


# -- rejuvenation ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("renewing", [0.0, 0.02, 1.0])
def test_an_actor_that_ages_is_up_as_huang_and_others_say(renewing: float) -> None:
    leaves = (Leave(Exponential(1 / renewing), clock="aged"),) if renewing else ()
    model = Model(
        ageing=Exponential(50.0),
        faults=(Crash(Exponential(100.0), clock="aged"), *leaves),
        restart=Exponential(20.0),
        renewal=Exponential(5.0),
    )
    found = availability_of(Scenario(troupe(1), {"*": model}, duration=10_000.0, seed=8))

    assert agrees(found, formulas.aged(1 / 50, 1 / 100, 1 / 20, renewing, 1 / 5))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("age", "shape", "renewal"), [(0.51, 2.0, 0.02), (0.505, 3.0, 0.02), (1.09, 2.0, 0.05)]
)
def test_periodic_rejuvenation_gains_what_dohi_and_others_say(
    age: float, shape: float, renewal: float
) -> None:
    model = Model(faults=(Crash(Weibull(1.0, shape)),), restart=0.1, renewal=renewal)
    renewed = troupe(1, strategy=Rejuvenating(max_age=age, quiet=False), within=0.001)
    found = availability_of(Scenario(renewed, {"*": model}, duration=200.0, seed=9))

    assert agrees(found, formulas.renewed(age, 1.0, shape, 0.1, renewal))


# -- backoff -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outage", [0.05, 7.7, 100.0, 3600.0])
@pytest.mark.parametrize(
    "backoff", [Backoff(), Backoff(min=10.0, max=300.0), Backoff(min=1.0, max=1.0)], ids=repr
)
def test_a_storm_without_jitter_has_exactly_that_many_restarts(outage: float, backoff: Backoff) -> None:
    assert storm_of(backoff, outage, seed=0) == formulas.storm(backoff, outage)


@pytest.mark.slow
def test_a_storm_with_jitter_has_as_many_on_average() -> None:
    backoffs = [Backoff(min=2.0, max=2.0, jitter=0.8, seed=seed) for seed in range(50)]
    found = interval([float(storm_of(backoff, 100.3, seed=1)) for backoff in backoffs])

    assert agrees(found, formulas.jittered_storm(2.0, 0.8, 100.3))


def storm_of(backoff: Backoff, outage: float, seed: int) -> int:
    """Restarts in vain of an actor that crashes as what it needs goes down."""
    scenario = Scenario(
        troupe(1, backoff),
        {"*": Model(faults=(Crash(Plan(1.0)),))},
        faults=(Outage(Plan(1.0), lasts=outage),),
        duration=outage + 1000.0,
        seed=seed,
    )
    [run] = replicate(scenario, 1)
    return run.figures.restarts - 1
