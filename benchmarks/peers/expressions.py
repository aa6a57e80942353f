"""The nine expressions of Malt.jl's benchmark, as text; and ProcessPoolExecutor, which evaluates them in one spawned worker."""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

from benchmarks.case import Case, Sample
from benchmarks.stopwatch import Stopwatch

SETUP = """
import math, time
stored = {size: bytes(range(250)) * (size // 250) for size in (50_000_000, 5_000_000, 500_000, 50_000)}
"""

EXPRESSIONS = {
    "sum of 100": "sum(math.sin(n) for n in range(100))",
    "sleep 10 ms": "time.sleep(0.01)",
    "make 50 MB": "bytes(50_000_000)",
    "stored 50 MB": "stored[50_000_000]",
    "stored 5 MB": "stored[5_000_000]",
    "stored 500 kB": "stored[500_000]",
    "stored 50 kB": "stored[50_000]",
    "1000 records": '{f"row {n}": {"number": n, "root": math.sqrt(n), "name": str(n)} for n in range(1000)}',
    "1 + 1": "1 + 1",
}
FIRST = 20


@cache
def names() -> dict[str, Any]:
    """Where the expressions are evaluated, here and in the pool's process."""
    found: dict[str, Any] = {"math": math, "time": time}
    exec(SETUP, found)
    return found


def evaluate(source: str) -> Any:
    return eval(source, names())


def check(source: str, value: Any) -> None:
    """Whoever evaluates it, the value is the same."""
    if value != evaluate(source):
        raise AssertionError(f"{source} gave something else")


def run(source: str, count: int) -> Sample:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        pid = pool.submit(os.getpid).result()
        check(source, pool.submit(evaluate, source).result())
        with Stopwatch([pid]) as watch:
            for _ in range(count):
                pool.submit(evaluate, source).result()
    return watch.sample(count)


CASES = tuple(
    Case(
        name=f"ProcessPoolExecutor, {name}",
        group="peers",
        unit="wall",
        run=partial(run, source),
        first=FIRST,
        repeats=3,
    )
    for name, source in EXPRESSIONS.items()
)
