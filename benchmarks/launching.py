"""From nothing to a first reply: one process, a hundred at once, and what comes after one that was killed."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import perf_counter

import trio

from benchmarks.actors import Echo
from benchmarks.case import Case, Sample
from benchmarks.ours import under_trio
from benchmarks.stopwatch import Stopwatch
from understudy import Process, get, kill, open_runtime, statistics, wait_ready
from understudy.transports.session import NEW
from understudy.transports.system.processes import below, listed

MANY = 100
LOADED = Process(preload=("benchmarks.actors",))  # the zygote has the actor's own module too


async def first_replies(executor: Process, count: int) -> Sample:
    """Launches one after the other, each to its first reply."""
    latencies: list[float] = []
    actor = Echo.options(executor=executor)
    async with open_runtime():
        await (await actor.start()).echo(1)
        with Stopwatch() as watch:
            for _ in range(count):
                begun = perf_counter()
                handle = actor.remote()
                await handle.echo(1)
                latencies.append(perf_counter() - begun)
                await kill(handle)
    return watch.sample(count, latencies)


async def hellos(count: int) -> Sample:
    """An interpreter for each guest, to its first word, which it says before it loads what it can do without."""
    latencies: list[float] = []
    actor = Echo.options(executor=Process(launch="spawn"))
    async with open_runtime() as runtime:
        await (await actor.start()).echo(1)
        with Stopwatch() as watch:
            for _ in range(count):
                begun = perf_counter()
                handle = actor.remote()
                life = runtime.house.registry.paths[statistics(handle).path]
                while life.incarnation is None or life.incarnation.session.state == NEW:  # noqa: ASYNC110 - no event tells
                    await trio.sleep(0.0002)
                latencies.append(perf_counter() - begun)
                await handle.echo(1)
                await kill(handle)
    return watch.sample(count, latencies)


def nothings(count: int) -> Sample:
    """The interpreter alone, from its start to its end."""
    latencies: list[float] = []
    with Stopwatch() as watch:
        for _ in range(count):
            begun = perf_counter()
            subprocess.run([sys.executable, "-I", "-S", "-E", "-c", "pass"], env={}, check=True)
            latencies.append(perf_counter() - begun)
    return watch.sample(count, latencies)


async def a_hundred(executor: Process, count: int) -> Sample:
    """A hundred at once, to all their first replies; and the memory of each, with its share of what it is forked from."""
    latencies: list[float] = []
    memory = 0
    with Stopwatch() as watch:
        for _ in range(count):
            async with open_runtime():
                actor = Echo.options(executor=executor)
                await actor.start()
                begun = perf_counter()
                handles = [actor.remote() for _ in range(MANY)]
                await get([handle.echo.remote(1) for handle in handles])
                latencies.append(perf_counter() - begun)
                memory = sum(share_of(process.pid) for _, process in below(os.getpid(), listed())) // MANY
    return watch.sample(count, latencies, memory)


def share_of(pid: int) -> int:
    """Bytes of memory, those that are shared counted in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


async def stops(count: int) -> Sample:
    """The end of a runtime with a hundred idle workers."""
    latencies: list[float] = []
    with Stopwatch() as watch:
        for _ in range(count):
            async with open_runtime():
                handles = [Echo.remote() for _ in range(MANY)]
                await get([handle.echo.remote(1) for handle in handles])
                begun = perf_counter()
            latencies.append(perf_counter() - begun)
    return watch.sample(count, latencies)


async def replacements(executor: Process, count: int) -> Sample:
    """SIGKILL from outside to the first reply of the incarnation that follows."""
    logging.disable()  # deaths are reported, as they should be; hundreds of reports would hide the table
    latencies: list[float] = []
    async with open_runtime():
        handle = await Echo.options(executor=executor, max_restarts=-1).start()
        with Stopwatch() as watch:
            for _ in range(count):
                await wait_ready(handle)
                pid = await handle.pid()
                await trio.sleep(0.02)  # a standby is launched behind each restart
                begun = perf_counter()
                os.kill(pid, signal.SIGKILL)
                while True:
                    try:
                        if await handle.pid() != pid:
                            break
                    except Exception:  # sent to the one that was dying
                        continue
                latencies.append(perf_counter() - begun)
    return watch.sample(count, latencies)


case = partial(Case, group="understudy", unit="p50", first=10)

CASES = (
    case(name="launch, first reply", run=under_trio(partial(first_replies, Process()))),
    case(name="launch, preloaded", run=under_trio(partial(first_replies, LOADED))),
    case(name="100 launches", run=under_trio(partial(a_hundred, Process())), first=1, fixed=True),
    case(name="100 launches, preloaded", run=under_trio(partial(a_hundred, LOADED)), first=1, fixed=True),
    case(name="stop of 100 idle", run=under_trio(stops), first=1, fixed=True),
    case(name="SIGKILL to the next reply", run=under_trio(partial(replacements, Process()))),
    case(name="SIGKILL to a standby's reply", run=under_trio(partial(replacements, Process(standby=1)))),
    case(name="cold launch, hello", run=under_trio(hellos)),
    case(name="python -c pass", run=nothings),
)
