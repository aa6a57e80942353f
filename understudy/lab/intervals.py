"""Confidence intervals of means, by Student's t, for single runs and for pairs of runs with the same random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of `count` values that are independent, with its standard error and the bounds of its interval."""

    mean: float
    error: float
    low: float
    high: float
    count: int

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.high - self.mean:.2g}"


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The interval that holds the true mean in such a share of all experiments.

    Raises:
        ValueError: for fewer than two values, or a confidence that is not between 0 and 1.
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs two values or more, not {len(values)}; make more runs")
    mean, error = fmean(values), stdev(values) / math.sqrt(len(values))
    half = error * quantile(confidence, len(values) - 1) if error else 0.0
    return Interval(mean, error, mean - half, mean + half, len(values))


def difference(ours: Sequence[float], theirs: Sequence[float], confidence: float = 0.95) -> Interval:
    """The interval of `ours - theirs`, pair by pair: far narrower than two, where pairs met the same faults.

    Raises:
        ValueError: if there are not as many of the one as of the other.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"pairs are compared, and {len(ours)} values are given for {len(theirs)}")
    return interval([a - b for a, b in zip(ours, theirs, strict=True)], confidence)


def quantile(confidence: float, freedom: int) -> float:
    """Student's t: the bound that |t| stays below with this probability (Hill, CACM algorithm 396, 1970)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence!r}")
    if freedom == 1:
        return math.tan(confidence * math.pi / 2)
    if freedom == 2:
        return confidence * math.sqrt(2 / (1 - confidence**2))
    p, n = 1 - confidence, float(freedom)
    a = 1 / (n - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * p) ** (2 / n)
    if y <= 0.05 + a:
        y = ((1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1) * (
            n + 1
        ) / (n + 2) + 1 / y
        return math.sqrt(n * y)
    x = NormalDist().inv_cdf(p / 2)
    y = x * x
    if n < 5:
        c += 0.3 * (n - 4.5) * (x + 0.6)
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
    y = math.expm1(a * y * y)
    return math.sqrt(n * y)
