"""The nine expressions of Malt.jl's benchmark, evaluated by a `Worker`, untrusted as it is and trusted."""

from __future__ import annotations

from functools import partial

import trio

from benchmarks.case import Case, Sample
from benchmarks.goal import Goal
from benchmarks.peers.expressions import EXPRESSIONS, FIRST, SETUP, check
from benchmarks.stopwatch import Stopwatch
from understudy import Process, Worker, open_runtime, statistics

WORKERS = {"worker": Process(trusted=False), "trusted worker": Process()}


async def evaluated(source: str, executor: Process, count: int) -> Sample:
    async with open_runtime():
        worker = await Worker.options(executor=executor).start()
        await worker.exec(SETUP)
        for _ in range(3):
            check(source, await worker.eval(source))
        with Stopwatch([statistics(worker).pid]) as watch:
            for _ in range(count):
                await worker.eval(source)
    return watch.sample(count)


def run(source: str, executor: Process, count: int) -> Sample:
    return trio.run(evaluated, source, executor, count)


CASES = tuple(
    Case(
        name=f"{who}, {name}",
        group="understudy",
        unit="wall",
        run=partial(run, source, executor),
        first=FIRST,
        repeats=3,
    )
    for name, source in EXPRESSIONS.items()
    for who, executor in WORKERS.items()
)

# The pool trusts its process, so the trusted worker is its like.  Malt asks to be as fast as its standard library, give or take
# two standard deviations.
LARGE = {"make 50 MB": 1.5, "stored 50 MB": 1.5}
GOALS = tuple(
    Goal(
        what=f"trusted worker, {name} / ProcessPoolExecutor",
        ours=f"trusted worker, {name}",
        reference=f"ProcessPoolExecutor, {name}",
        figure="wall",
        at_most=LARGE.get(name, 1.1),
    )
    for name in EXPRESSIONS
)
