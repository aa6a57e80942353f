"""Closed forms: each gives the figure its source gives."""

import math

import pytest

from understudy.actors.backoff import Backoff
from understudy.lab import formulas


def test_availability_of_five_that_fail_every_hundred_seconds() -> None:
    assert formulas.one_for_one(5, 0.01, 1.0) == pytest.approx(0.95147, abs=5e-6)
    assert formulas.one_at_a_time(5, 0.01, 1.0) == pytest.approx(0.95052, abs=5e-6)
    assert formulas.one_for_all(5, 0.01, 1.0) == pytest.approx(0.8)
    assert formulas.rest_for_one(5, 0.01, 1.0) == pytest.approx(0.8696, abs=5e-5)


def test_one_actor_is_the_same_under_every_strategy() -> None:
    strategies = (formulas.one_for_one, formulas.one_at_a_time, formulas.one_for_all, formulas.rest_for_one)

    assert {round(one(1, 0.02, 3.0), 12) for one in strategies} == {round(50 / 53, 12)}


def test_time_to_give_up() -> None:
    assert formulas.time_to_give_up(0.1, 5.0, 0) == 10.0
    assert formulas.time_to_give_up(0.1, 5.0, 1) == pytest.approx(35.4, abs=0.05)
    assert formulas.time_to_give_up(0.02, 5.0, 1) == pytest.approx(575, abs=1)
    with pytest.raises(ValueError, match="intensity 0 and 1 only, not 2"):
        formulas.time_to_give_up(0.1, 5.0, 2)


def test_the_table_agrees_with_the_closed_form_where_there_is_one() -> None:
    for (expected, intensity), failures in formulas.FAILURES_TO_GIVE_UP.items():
        if intensity == 1:
            assert failures == pytest.approx(formulas.time_to_give_up(1.0, expected, 1), abs=6e-3)


def test_alm_is_near_what_was_simulated() -> None:
    assert 1 - formulas.no_give_up(0.1, 5.0, 3, 450.0) == pytest.approx(0.390, abs=5e-4)


def test_a_second_a_fortnight_of_rejuvenation_is_not_worth_it() -> None:
    rates = {"ageing": 1 / 168, "failures": 1 / 2160, "repair": 2.0, "renewal": 3.0}
    year = 8760

    assert year * (1 - formulas.aged(renewing=0.0, **rates)) == pytest.approx(1.88, abs=5e-3)
    assert year * (1 - formulas.aged(renewing=1e9, **rates)) == pytest.approx(17.3, abs=0.05)
    assert not formulas.is_worth_renewing(**rates)
    assert formulas.is_worth_renewing(ageing=1 / 168, failures=1 / 2160, repair=0.05, renewal=3.0)


@pytest.mark.parametrize(
    ("age", "shape", "renewal", "share"),
    [(0.51, 2.0, 0.02, 0.92447), (0.505, 3.0, 0.02, 0.94284), (1.09, 2.0, 0.05, 0.90165)],
)
def test_the_best_age_for_weibull_failures(age: float, shape: float, renewal: float, share: float) -> None:
    def up(at: float) -> float:
        return formulas.renewed(at, 1.0, shape, 0.1, renewal)

    assert up(age) == pytest.approx(share, abs=6e-6)
    assert up(age) >= max(up(age * 0.9), up(age * 1.1))


def test_never_renewed_is_plain_availability() -> None:
    never = formulas.renewed(9.0, 1.0, 2.0, 0.1, 0.02)

    assert never == pytest.approx(formulas.availability(math.gamma(1.5), 0.1), abs=1e-6)
    assert never == pytest.approx(0.89860, abs=6e-6)


def test_storms_grow_with_the_logarithm_and_then_with_the_outage() -> None:
    doubling = Backoff(min=0.1, max=1e9)

    assert [formulas.storm(doubling, outage) for outage in (0.05, 0.15, 0.35, 102.35)] == [0, 1, 2, 10]
    assert formulas.storm(Backoff(min=10.0, max=300.0), 3600.0) == 5 + (3600 - 310) // 300
    assert formulas.storm(Backoff(min=1.0, max=1.0, factor=1.0), 9.5) == 9
    assert formulas.storm(Backoff(min=1.0, max=1.0, factor=2.0), 9.5) == 9


def test_waiting_is_that_of_the_textbook() -> None:
    assert formulas.waiting(0.5, 1.0) == pytest.approx(1 / (1.0 - 0.5))
    assert formulas.waiting(0.5, 1.0, squared_variation=0.0) == pytest.approx(1.5)
