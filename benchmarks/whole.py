"""What the whole actor adds to a plain call: maps, streams, async methods, threads."""

from __future__ import annotations

from functools import partial

import trio

from benchmarks.actors import Awaiting, Echo
from benchmarks.callers import concurrently
from benchmarks.case import Case, Sample
from benchmarks.ours import call, under_trio
from benchmarks.stopwatch import Stopwatch
from understudy import Process, Thread, open_runtime


async def mapped(count: int) -> Sample:
    """A map of a small call over one actor in a process."""
    async with open_runtime():
        handle = await Echo.start()
        await drain(handle, count // 10)
        with Stopwatch([await handle.pid()]) as watch:
            await drain(handle, count)
    return watch.sample(count)


async def drain(handle: type[Echo], count: int) -> None:
    """Take every result of a map."""
    async with handle.echo.map(range(count)) as results:
        async for _ in results:
            pass


async def streamed(count: int) -> Sample:
    """The items of one stream from a process."""
    async with open_runtime():
        handle = await Echo.start()
        await read(handle, count // 10)
        with Stopwatch([await handle.pid()]) as watch:
            await read(handle, count)
    return watch.sample(count)


async def read(handle: type[Echo], count: int) -> None:
    """Take every item of a stream."""
    async with handle.count_up(count) as items:
        async for _ in items:
            pass


async def awaited(loop: str, count: int) -> Sample:
    """One caller of an async method in a process."""
    async with open_runtime():
        executor = Process(loop="trio") if loop == "trio" else Process(loop="asyncio")
        handle = await Awaiting.options(executor=executor).start()
        await call_async(handle, count // 10 + 10)
        with Stopwatch([await handle.pid()]) as watch:
            await call_async(handle, count)
    return watch.sample(count)


async def call_async(handle: type[Awaiting], count: int) -> None:
    """One caller."""
    for _ in range(count):
        await handle.echo(1)


async def threaded(count: int) -> Sample:
    """One caller of an actor in a thread of this process."""
    async with open_runtime():
        handle = await Echo.options(executor=Thread()).start()
        calls = partial(call, handle)
        await calls(count // 10 + 10)
        with Stopwatch() as watch:
            done = await concurrently(1, count, calls)
    return watch.sample(done)


async def to_thread(count: int) -> Sample:
    """Trio's own way into a thread, for comparison."""
    for _ in range(count // 10 + 10):
        await trio.to_thread.run_sync(echo, 1)
    with Stopwatch() as watch:
        for _ in range(count):
            await trio.to_thread.run_sync(echo, 1)
    return watch.sample(count)


def echo(x: int) -> int:
    """What the thread calls."""
    return x


case = partial(Case, group="understudy")

CASES = (
    case(name="map, one core", unit="rate", run=under_trio(mapped), pinned=True, first=50_000),
    case(name="map", unit="rate", run=under_trio(mapped), first=50_000),
    case(name="stream, one core", unit="rate", run=under_trio(streamed), pinned=True, first=50_000),
    case(name="stream", unit="rate", run=under_trio(streamed), first=50_000),
    case(name="async method, one core", unit="wall", run=under_trio(partial(awaited, "trio")), pinned=True),
    case(name="async method", unit="wall", run=under_trio(partial(awaited, "trio"))),
    case(name="async method, asyncio", unit="wall", run=under_trio(partial(awaited, "asyncio"))),
    case(name="thread call", unit="wall", run=under_trio(threaded)),
    Case(name="trio.to_thread", group="peers", unit="wall", run=under_trio(to_thread)),
)
