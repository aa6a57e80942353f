"""Intervals: Student's table, and means that lie where they should."""

import pytest

from understudy.lab.distributions import Exponential
from understudy.lab.draws import draws
from understudy.lab.intervals import difference, interval, quantile


@pytest.mark.parametrize(
    ("confidence", "freedom", "t"),
    [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.95, 5, 2.571),
        (0.95, 10, 2.228),
        (0.95, 30, 2.042),
        (0.95, 120, 1.980),
        (0.90, 7, 1.895),
        (0.99, 4, 4.604),
        (0.99, 29, 2.756),
        (0.95, 100_000, 1.960),
    ],
)
def test_the_quantiles_are_those_of_the_printed_table(confidence: float, freedom: int, t: float) -> None:
    assert quantile(confidence, freedom) == pytest.approx(t, abs=6e-4)


def test_an_interval_around_a_mean() -> None:
    found = interval([1.0, 2.0, 3.0, 4.0])

    assert (found.mean, found.count) == (2.5, 4)
    assert found.error == pytest.approx(0.645, abs=1e-3)
    assert found.high - found.mean == pytest.approx(3.182 * found.error, rel=1e-3)
    assert 2.5 in found
    assert 9.0 not in found
    assert str(found) == "2.5 ± 2.1"


def test_nineteen_of_twenty_intervals_hold_the_mean() -> None:
    random, exponential = draws(1, "coverage"), Exponential(1.0)
    samples = [[exponential.draw(random) / 1e9 for _ in range(50)] for _ in range(400)]
    held = sum(1.0 in interval(sample) for sample in samples)

    assert 0.90 <= held / 400 <= 0.98


def test_pairs_that_share_their_luck_are_told_apart_by_few_runs() -> None:
    luck = [3.0, 9.0, 1.0, 6.0, 4.0]
    ours, theirs = [x + 0.2 for x in luck], [x + 0.1 * (x > 5) for x in luck]

    assert 0.0 not in difference(ours, theirs)
    assert interval(ours).low < interval(theirs).high


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="needs two values or more, not 1; make more runs"):
        interval([1.0])
    with pytest.raises(ValueError, match="2 values are given for 1"):
        difference([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
        interval([1.0, 2.0], 95.0)


def test_values_that_do_not_vary_have_a_narrow_interval() -> None:
    assert interval([2.0, 2.0, 2.0]).low == 2.0
