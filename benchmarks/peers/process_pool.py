"""concurrent.futures.ProcessPoolExecutor with one spawned worker, called from a plain thread."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from benchmarks.case import Case, Sample
from benchmarks.peers.echo import echo, slow_pid
from benchmarks.stopwatch import Stopwatch

CALLERS = 100

Calls = Callable[[Executor, int], None]


def _sequential(pool: Executor, count: int) -> None:
    for _ in range(count):
        pool.submit(echo, 1).result()


def _outstanding(pool: Executor, count: int) -> None:
    """A hundred futures under way, without the cost of a hundred threads: the best this peer can do."""
    under_way: deque[Future[int]] = deque()
    for _ in range(count):
        if len(under_way) == CALLERS:
            under_way.popleft().result()
        under_way.append(pool.submit(echo, 1))
    for future in under_way:
        future.result()


def _run(calls: Calls, count: int) -> Sample:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        pid = pool.submit(os.getpid).result()
        calls(pool, CALLERS)
        with Stopwatch([pid]) as watch:
            calls(pool, count)
    return watch.sample(count)


def functions(count: int) -> Sample:
    """Empty functions, all submitted at once, and their results, by two processes."""
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        pids = set(pool.map(slow_pid, range(8)))
        with Stopwatch(pids) as watch:
            futures = [pool.submit(echo, 1) for _ in range(count)]
            for future in futures:
                future.result()
    return watch.sample(count)


CASES = (
    Case(
        name="ProcessPoolExecutor functions",
        group="peers",
        unit="rate",
        run=functions,
        first=10_000,
        fixed=True,
    ),
    Case(
        name="ProcessPoolExecutor sequential",
        group="peers",
        unit="wall",
        run=partial(_run, _sequential),
    ),
    Case(
        name="ProcessPoolExecutor 100",
        group="peers",
        unit="rate",
        run=partial(_run, _outstanding),
    ),
)
