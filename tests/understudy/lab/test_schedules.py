"""Schedules: times in order, whatever happens."""

from itertools import islice
from random import Random

import pytest

from understudy.lab.distributions import NANO, Exponential
from understudy.lab.schedules import Arrivals, Bursts, Plan, Schedule


def test_a_plan_is_in_order_however_it_was_given() -> None:
    assert list(Plan(3.0, 1.0, 2.5).times(Random())) == [NANO, 2_500_000_000, 3 * NANO]


def test_arrivals_add_up() -> None:
    assert list(islice(Arrivals(2.0).times(Random()), 3)) == [2 * NANO, 4 * NANO, 6 * NANO]


@pytest.mark.parametrize(
    "schedule", [Arrivals(Exponential(1.0)), Bursts(Exponential(1.0), 5, 10.0)], ids=repr
)
def test_times_never_go_back(schedule: Schedule) -> None:
    times = list(islice(schedule.times(Random(5)), 1000))

    assert times == sorted(times)


def test_a_burst_lies_within_its_time() -> None:
    times = list(islice(Bursts(100.0, 4, 3.0).times(Random(2)), 8))

    assert all(100 * NANO <= at <= 103 * NANO for at in times[:4])
    assert all(200 * NANO <= at <= 203 * NANO for at in times[4:])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Plan(), "Plan: at must be numbers of seconds, 0 or more"),
        (lambda: Plan(1.0, -1.0), "Plan: at must be numbers"),
        (lambda: Arrivals(0.0), "Arrivals: between must take time, not 0.0"),
        (lambda: Bursts(1.0, 0), "Bursts: count must be a count above 0, not 0"),
        (lambda: Bursts(0.0, 3), "Bursts: between must take time"),
    ],
)
def test_what_no_schedule_can_be_is_refused_by_name(make: object, why: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=why):
        make()
