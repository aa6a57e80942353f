"""One schedule step of trio with a hundred tasks a tick: the coin in which calls inside a process are paid."""

from __future__ import annotations

import trio

from benchmarks.callers import concurrently
from benchmarks.case import Case, Sample
from benchmarks.stopwatch import Stopwatch

TASKS = 100


async def _steps(count: int) -> None:
    # The cheapest checkpoint trio offers: nothing but the step itself.
    for _ in range(count):
        await trio.lowlevel.cancel_shielded_checkpoint()


async def _measure(count: int) -> Sample:
    await concurrently(TASKS, TASKS * 100, _steps)
    with Stopwatch() as watch:
        done = await concurrently(TASKS, count, _steps)
    return watch.sample(done)


def _run(count: int) -> Sample:
    return trio.run(_measure, count)


CASES = (Case(name="trio schedule step", group="peers", unit="cpu", run=_run, first=20_000),)
