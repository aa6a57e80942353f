"""Distributions: as theory says, the same on every machine, and drawn one number each."""

import math
import struct
from dataclasses import dataclass
from random import Random
from statistics import fmean, stdev
from typing import Any

import pytest

from understudy.lab.arithmetic import exp, ln, power
from understudy.lab.distributions import Distribution, Exponential, Fixed, Uniform, Weibull, distribution
from understudy.lab.draws import draws

MANY = 20_000
ALL: list[Distribution] = [
    Fixed(2.0),
    Exponential(3.0),
    Weibull(2.0, 0.7),
    Weibull(1.0, 3.0),
    Uniform(1.0, 4.0),
]


@pytest.mark.parametrize("x", [1e-300, 2**-53, 0.1, 0.5, 0.7071067811865475, 1.0, 1.5, 2.0, 3.7, 1e10, 1e300])
def test_the_logarithm_is_right_to_the_last_bits(x: float) -> None:
    assert ln(x) == pytest.approx(math.log(x), rel=1e-15, abs=1e-16)


@pytest.mark.parametrize("x", [-700.0, -30.5, -1.0, -1e-9, 0.0, 0.3, 1.0, 10.0, 36.7, 700.0])
def test_the_exponential_is_right_to_the_last_bits(x: float) -> None:
    assert exp(x) == pytest.approx(math.exp(x), rel=4e-15)


def test_a_power_of_nothing_is_nothing() -> None:
    assert power(0.0, 0.5) == 0.0
    assert power(9.0, 0.5) == pytest.approx(3.0, rel=1e-15)


def test_the_bits_of_a_few_values_are_known() -> None:
    bits = [struct.pack(">d", f(x)).hex() for f, x in [(ln, 0.3), (ln, 12345.678), (exp, -2.5), (exp, 17.25)]]

    assert bits == ["bff34378fcbda720", "4022d79559791e31", "3fb50385c094f425", "417d94295464477b"]


@pytest.mark.parametrize("distribution", ALL, ids=repr)
def test_the_mean_of_many_draws_is_within_three_standard_errors(distribution: Distribution) -> None:
    random = draws(1, repr(distribution))
    values = [distribution.draw(random) / 1e9 for _ in range(MANY)]

    assert abs(fmean(values) - distribution.mean) <= 3 * stdev(values) / math.sqrt(MANY)


def test_weibull_of_shape_one_is_exponential() -> None:
    assert Weibull(5.0, 1.0).mean == Exponential(5.0).mean
    weibull, exponential = Weibull(5.0, 1.0).draw(Random(1)), Exponential(5.0).draw(Random(1))
    assert weibull == pytest.approx(exponential, rel=1e-12)


def test_a_draw_takes_one_number_whatever_the_distribution() -> None:
    for each in ALL[1:]:
        random = Random(3)
        each.draw(random)
        after = Random(3)
        after.random()
        assert random.random() == after.random()


def test_the_first_draws_of_a_seed_are_known() -> None:
    random = draws(7, "crunchers/w0", "faults")

    assert [Exponential(1.0).draw(random) for _ in range(4)] == [752694850, 1383216167, 1237536707, 374363139]


def test_streams_of_other_names_and_seeds_are_others() -> None:
    names = [("a", "b"), ("ab",), ("a,b",), ("a",), ("b", "a"), ()]
    first = {draws(seed, *name).random() for name in names for seed in (0, 1, -1)}

    assert len(first) == 18


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Exponential(0.0), "Exponential: mean must be a number of seconds above 0, not 0.0"),
        (lambda: Exponential(math.inf), "above 0, not inf"),
        (lambda: Fixed(-1.0), "Fixed: seconds must be a number of seconds, 0 or more, not -1.0"),
        (lambda: Fixed(True), "not True"),
        (lambda: Weibull(1.0, 0.0), "Weibull: shape must be a number above 0"),
        (lambda: Uniform(2.0, 1.0), "high must be at least low, 2.0, not 1.0"),
    ],
)
def test_what_no_distribution_can_be_is_refused_by_name(make: object, why: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=why):
        make()


@dataclass(frozen=True)
class Drawing:
    drawn: Any
    mean: float = 1.0

    def draw(self, random: Random, /) -> Any:
        return self.drawn


@pytest.mark.parametrize(
    ("drawn", "error", "words"),
    [
        (1.5, TypeError, r"Drawing\(.*must draw whole nanoseconds, as an int, not 1.5; use round"),
        ("1", TypeError, "must draw whole nanoseconds"),
        (True, TypeError, "must draw whole nanoseconds"),
        (-1, ValueError, r"Drawing\(.*must draw 0 nanoseconds or more, not -1"),
    ],
)
def test_what_a_distribution_of_ones_own_draws_is_looked_at(drawn: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        distribution(Drawing(drawn)).draw(Random(1))


def test_a_distribution_of_ones_own_is_drawn_from() -> None:
    mine = distribution(Drawing(7))
    assert (mine.draw(Random(1)), mine.mean) == (7, 1.0)
