"""Restarts: how soon an incarnation that was killed has its successor, and how soon a death is noticed."""

from __future__ import annotations

import logging
import os
import signal
from functools import partial
from time import perf_counter

import trio

from benchmarks.actors import Phoenix
from benchmarks.case import Case, Sample
from benchmarks.ours import under_trio
from benchmarks.stopwatch import Stopwatch
from understudy import Local, Supervisor, kill, open_runtime, wait_ready
from understudy.actors.events import ActorEnded


async def restarts(count: int) -> Sample:
    """Kills of a local actor under a one_for_one supervisor, each to the moment its successor has been made."""
    logging.disable()  # deaths are reported, as they should be; thousands of reports would hide the table
    births: list[float] = []
    child = Phoenix.options(id="phoenix", executor=Local()).child(births.append)
    async with open_runtime(Supervisor(child, intensity=10**9)) as runtime:
        handle = runtime.get_actor("phoenix")
        await falls(handle, births, count // 10 + 10)
        with Stopwatch() as watch:
            latencies = await falls(handle, births, count)
    return watch.sample(count, latencies)


async def falls(handle: type[Phoenix], births: list[float], count: int) -> list[float]:
    """Seconds from each kill to the birth that follows it."""
    latencies: list[float] = []
    for _ in range(count):
        before = len(births)
        begun = perf_counter()
        await kill(handle, no_restart=False)
        while len(births) == before:
            await trio.lowlevel.cancel_shielded_checkpoint()
        latencies.append(births[-1] - begun)
        await wait_ready(handle)
    return latencies


async def deaths(count: int) -> Sample:
    """Guests killed from outside, each to the event that says so."""
    logging.disable()
    latencies: list[float] = []
    async with open_runtime() as runtime:
        handle = await Phoenix.options(max_restarts=-1).start()
        with Stopwatch() as watch:
            for _ in range(count):
                await wait_ready(handle)
                pid = await handle.pid()
                async with runtime.events() as events:
                    begun = perf_counter()
                    os.kill(pid, signal.SIGKILL)
                    async for event in events:
                        if isinstance(event, ActorEnded):
                            latencies.append(perf_counter() - begun)
                            break
    return watch.sample(count, latencies)


case = partial(Case, group="understudy")

CASES = (
    case(name="local restart", unit="p50", run=under_trio(restarts), first=1_000),
    case(name="SIGKILL noticed", unit="p50", run=under_trio(deaths), first=10),
)
