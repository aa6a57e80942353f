"""A Ray actor on one machine, warm; a hundred callers are a hundred object refs under way."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from benchmarks.case import Case, Sample
from benchmarks.peers.echo import echo, slow_pid
from benchmarks.stopwatch import Stopwatch

CALLERS = 100

Calls = Callable[[Any, Any, int], None]


class Echo:
    """Becomes a Ray actor; decorated only where Ray is there."""

    def echo(self, x: int) -> int:
        """Give back what came."""
        return x

    def pid(self) -> int:
        """The worker's process."""
        return os.getpid()


@contextmanager
def cluster() -> Generator[Any, None, None]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = import_module("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        yield ray
    finally:
        ray.shutdown()


def _sequential(ray: Any, actor: Any, count: int) -> None:
    for _ in range(count):
        ray.get(actor.echo.remote(1))


def _outstanding(ray: Any, actor: Any, count: int) -> None:
    under_way: deque[Any] = deque()
    for _ in range(count):
        if len(under_way) == CALLERS:
            ray.get(under_way.popleft())
        under_way.append(actor.echo.remote(1))
    ray.get(list(under_way))


def _run(calls: Calls, count: int) -> Sample:
    with cluster() as ray:
        actor = ray.remote(Echo).remote()
        pid = ray.get(actor.pid.remote())
        calls(ray, actor, CALLERS)
        with Stopwatch([pid]) as watch:
            calls(ray, actor, count)
    return watch.sample(count)


def _functions(count: int) -> Sample:
    """Empty functions, all started at once, and their results."""
    with cluster() as ray:
        function = ray.remote(echo)
        pids = set(ray.get([ray.remote(slow_pid).remote(n) for n in range(8)]))
        ray.get([function.remote(1) for _ in range(CALLERS)])
        with Stopwatch(pids) as watch:
            ray.get([function.remote(1) for _ in range(count)])
    return watch.sample(count)


CASES = (
    Case(
        name="Ray functions",
        group="peers",
        unit="rate",
        run=_functions,
        first=10_000,
        fixed=True,
        repeats=3,
        needs=("ray",),
        extra="ray",
    ),
    Case(
        name="Ray sequential",
        group="peers",
        unit="wall",
        run=partial(_run, _sequential),
        repeats=3,  # a cluster for each takes seconds
        needs=("ray",),
        extra="ray",
    ),
    Case(
        name="Ray 100",
        group="peers",
        unit="rate",
        run=partial(_run, _outstanding),
        first=500,
        repeats=3,
        needs=("ray",),
        extra="ray",
    ),
)
