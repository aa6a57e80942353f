"""anyio.to_process.run_sync under trio, with one worker, as one actor is one process."""

from __future__ import annotations

import os
from functools import partial

import trio
from anyio import CapacityLimiter
from anyio.to_process import run_sync

from benchmarks.callers import concurrently
from benchmarks.case import Case, Sample
from benchmarks.peers.echo import echo
from benchmarks.stopwatch import Stopwatch


async def _measure(callers: int, count: int) -> Sample:
    worker = CapacityLimiter(1)

    async def calls(count: int) -> None:
        for _ in range(count):
            await run_sync(echo, 1, limiter=worker)

    await concurrently(callers, 200, calls)
    with Stopwatch([await run_sync(os.getpid, limiter=worker)]) as watch:
        done = await concurrently(callers, count, calls)
    return watch.sample(done)


def _run(callers: int, count: int) -> Sample:
    return trio.run(_measure, callers, count)


CASES = (
    Case(name="anyio.to_process sequential", group="peers", unit="wall", run=partial(_run, 1)),
    Case(name="anyio.to_process 100", group="peers", unit="rate", run=partial(_run, 100)),
)
