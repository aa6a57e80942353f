"""Ten thousand empty functions in two processes, as `@remote` functions and through an Executor."""

from __future__ import annotations

import trio

from benchmarks.case import Case, Sample
from benchmarks.peers.echo import echo, slow_pid
from benchmarks.stopwatch import Stopwatch
from understudy import Executor, get, open_runtime, remote

TASKS = 10_000

remote_echo = remote(echo)
remote_pid = remote(slow_pid)


async def remote_functions(count: int) -> Sample:
    """All started at once, then all awaited."""
    async with open_runtime():
        pids = set(await get([remote_pid.remote(n) for n in range(8)]))
        await get([remote_echo.remote(1) for _ in range(200)])
        with Stopwatch(pids) as watch:
            await get([remote_echo.remote(1) for _ in range(count)])
    return watch.sample(count)


async def executor_functions(count: int) -> Sample:
    """The same from a plain thread."""

    def work(executor: Executor) -> Sample:
        pids = set(executor.map(slow_pid, range(8)))
        with Stopwatch(pids) as watch:
            futures = [executor.submit(echo, 1) for _ in range(count)]
            for future in futures:
                future.result()
        return watch.sample(count)

    async with open_runtime(), Executor(2) as executor:
        return await trio.to_thread.run_sync(work, executor)


def run_remote(count: int) -> Sample:
    return trio.run(remote_functions, count)


def run_executor(count: int) -> Sample:
    return trio.run(executor_functions, count)


CASES = (
    Case(name="remote functions", group="understudy", unit="rate", run=run_remote, first=TASKS, fixed=True),
    Case(
        name="executor functions", group="understudy", unit="rate", run=run_executor, first=TASKS, fixed=True
    ),
)
