"""Experiments: the same scenario with other luck, and two scenarios with the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .figures import Figures
from .intervals import Interval, difference, interval
from .scenario import Scenario
from .simulation import Run, simulate


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of two scenarios, and of their difference, run by run under the same faults."""

    ours: Interval
    theirs: Interval
    difference: Interval


def replicate(scenario: Scenario, runs: int = 30) -> list[Run]:
    """So many runs, with the scenario's seed and those that follow; their events are not kept."""
    return [simulate(scenario.with_seed(scenario.seed + index), keep=False) for index in range(runs)]


def estimate(
    scenario: Scenario, figure: Callable[[Figures], float], runs: int = 30, confidence: float = 0.95
) -> Interval:
    """A figure with its confidence interval.

    Example:
        estimate(scenario, lambda figures: figures.availability, runs=100)
    """
    return interval([figure(run.figures) for run in replicate(scenario, runs)], confidence)


def compare(
    ours: Scenario,
    theirs: Scenario,
    figure: Callable[[Figures], float],
    runs: int = 30,
    confidence: float = 0.95,
) -> Comparison:
    """One figure of two scenarios, with common random numbers: each actor draws from streams of its own.

    Raises:
        ValueError: for fewer than two runs.
    """
    pair = [[figure(run.figures) for run in replicate(scenario, runs)] for scenario in (ours, theirs)]
    return Comparison(
        interval(pair[0], confidence), interval(pair[1], confidence), difference(pair[0], pair[1], confidence)
    )
