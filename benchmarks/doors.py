"""The doors: calls from asyncio and from plain threads to an actor in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from benchmarks.actors import Echo
from benchmarks.case import Case, Sample
from benchmarks.stopwatch import Stopwatch
from understudy import aio, blocking

CALLERS = 100


async def call(handle: type[Echo], count: int) -> None:
    """One caller."""
    for _ in range(count):
        await handle.echo(1)


async def concurrently(handle: type[Echo], callers: int, count: int) -> int:
    """Share `count` calls among `callers` tasks; returns how many were made."""
    each = max(1, count // callers)
    await asyncio.gather(*(call(handle, each) for _ in range(callers)))
    return callers * each


async def from_asyncio(callers: int, count: int) -> Sample:
    """Calls from tasks of asyncio."""
    async with aio.open_runtime():
        handle = await Echo.start()
        await concurrently(handle, callers, count // 10 + callers)
        with Stopwatch([await handle.pid()]) as watch:
            done = await concurrently(handle, callers, count)
    return watch.sample(done)


def under_asyncio(callers: int, count: int) -> Sample:
    """A case of asyncio as the harness runs it."""
    return asyncio.run(from_asyncio(callers, count))


def by_get(handle: type[Echo], count: int) -> None:
    """Ray's way."""
    for _ in range(count):
        blocking.get(handle.echo.remote(1))


def by_call(handle: type[Echo], count: int) -> None:
    """Without a ref."""
    for _ in range(count):
        blocking.call(handle.echo, 1)


def from_a_thread(calls: Callable[[type[Echo], int], None], count: int) -> Sample:
    """Calls that a plain thread waits for."""
    with blocking.open_runtime():
        handle = Echo.remote()
        calls(handle, count // 10 + 1)
        with Stopwatch([blocking.call(handle.pid)]) as watch:
            calls(handle, count)
    return watch.sample(count)


case = partial(Case, group="understudy")

CASES = (
    case(name="asyncio call, one core", unit="wall", run=partial(under_asyncio, 1), pinned=True),
    case(name="asyncio call", unit="wall", run=partial(under_asyncio, 1)),
    case(name="asyncio call 100", unit="rate", run=partial(under_asyncio, CALLERS), first=5000),
    case(name="blocking get, one core", unit="wall", run=partial(from_a_thread, by_get), pinned=True),
    case(name="blocking get", unit="wall", run=partial(from_a_thread, by_get)),
    case(name="blocking call", unit="wall", run=partial(from_a_thread, by_call)),
)
