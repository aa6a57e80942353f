"""Simulated trees: what happens on the heap in a second, and how long a year of ten actors takes."""

from __future__ import annotations

from benchmarks.actors import Idle
from benchmarks.case import Case, Sample
from benchmarks.stopwatch import Stopwatch
from understudy import Local, Supervisor
from understudy.lab import Crash, Exponential, Model, Scenario, simulate

YEAR = 365 * 86_400.0
ACTORS = 10


def tree(strategy: str) -> Supervisor:
    """Ten actors below two supervisors, whose restarts do not run out."""
    crews = (
        Supervisor(
            *(Idle.options(id=f"w{index}", executor=Local()).child() for index in range(ACTORS // 2)),
            id=f"crew{number}",
            strategy=strategy,  # type: ignore[arg-type]
            intensity=1000,
        )
        for number in range(2)
    )
    return Supervisor(*crews, strategy="one_for_all", intensity=1000)


def scenario(duration: float) -> Scenario:
    """Faults every hour for each actor, starts of half a second."""
    hourly = Model(start=Exponential(0.5), faults=(Crash(Exponential(3600.0)),))
    return Scenario(tree("one_for_one"), {"*": hourly}, duration=duration, seed=1)


def run_events(count: int) -> Sample:
    """About `count` things on the heap; every fault is two of them."""
    simulate(scenario(10 * 3600.0), keep=False)
    with Stopwatch() as watch:
        run = simulate(scenario(count / (2 * ACTORS) * 3600.0), keep=False)
    return watch.sample(run.steps)


def run_year(count: int) -> Sample:
    """Whole years, their events measured as they come."""
    with Stopwatch() as watch:
        for _ in range(count):
            simulate(scenario(YEAR), keep=False)
    return watch.sample(count)


CASES = (
    Case(name="simulated events", group="understudy", unit="rate", run=run_events, first=20_000),
    Case(
        name="simulated year", group="understudy", unit="wall", run=run_year, first=1, fixed=True, repeats=3
    ),
)
