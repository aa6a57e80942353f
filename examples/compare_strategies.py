"""Three strategies under the same faults: a year of each by simulation, then a few seconds with real processes."""

import sys
import time

import trio

from understudy import Actor, Process, Supervisor, method
from understudy.lab import (
    Corruption,
    Crash,
    Exponential,
    Figures,
    Model,
    Plan,
    Run,
    Scenario,
    compare,
    estimate,
    perform,
    simulate,
)

STRATEGIES = ("one_for_one", "rest_for_one", "one_for_all")


class Stage(Actor, executor=Process(stderr="keep")):
    def __init__(self) -> None:
        time.sleep(0.1)

    @method
    def work(self, item: int) -> int:
        return item + 1


def pipeline(strategy: str) -> Supervisor:
    stages = (Stage.options(id=id).child() for id in ("source", "filter", "sink"))
    return Supervisor(*stages, strategy=strategy, intensity=4, within=60.0)  # type: ignore[arg-type]


def week_of(strategy: str) -> Scenario:
    """A crash every two hours for each; in one of five, what was spoilt is what all three share."""
    crash = Crash(Exponential(7200.0), noticed=1.0, corruption=Corruption(share=0.2, recurs=5.0))
    tree = Supervisor(pipeline(strategy), intensity=1000)
    return Scenario(tree, {"*": Model(start=10.0, faults=(crash,))}, duration=7 * 86_400.0)


def seconds_of(strategy: str) -> Scenario:
    """One crash of the second of three."""
    struck = Model(start=0.1, faults=(Crash(Plan(0.5)),))
    return Scenario(pipeline(strategy), {"filter": struck, "*": Model(start=0.1)}, duration=4.0)


async def perform_all() -> dict[str, Run]:
    """All strategies at once, each in a runtime of its own, with a real SIGKILL in each."""
    runs: dict[str, Run] = {}

    async def perform_one(strategy: str) -> None:
        runs[strategy] = await perform(seconds_of(strategy))

    async with trio.open_nursery() as nursery:
        for strategy in STRATEGIES:
            nursery.start_soon(perform_one, strategy)
    return runs


def main() -> None:
    print("simulated, ten times a week: the share of time that all three are up")
    shares = {name: estimate(week_of(name), availability, runs=10) for name in STRATEGIES}
    for name, share in shares.items():
        print(f"  {name:13}{share}")
    gain = compare(week_of("one_for_all"), week_of("one_for_one"), availability, runs=10)
    print(f"  one_for_all less one_for_one, under the same faults: {gain.difference}")

    print("restarts after one crash: simulated, and of real processes")
    real = trio.run(perform_all)
    for name in STRATEGIES:
        print(f"  {name:13}{simulate(seconds_of(name)).figures.restarts}, {real[name].figures.restarts}")

    if len(sys.argv) > 1:
        from understudy.lab.plot import plot_intervals

        plot_intervals(shares, sys.argv[1], "share of time that all are up")


def availability(figures: Figures) -> float:
    return figures.availability


if __name__ == "__main__":
    main()
