"""understudy's own cases, written as a user would write them."""

from __future__ import annotations

import gc
import logging
import os
import tempfile
import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import trio
from trio.testing import wait_all_tasks_blocked

from benchmarks.actors import Crasher, Echo, Idle, Loop
from benchmarks.callers import concurrently
from benchmarks.case import Case, Sample
from benchmarks.stopwatch import Stopwatch
from understudy import Local, Process, interrupt, open_runtime

CALLERS = 100
BURST = 500  # casts, after which one call waits until the mailbox is empty
IDLE = 20_000  # actors: enough for the memory of one to show behind that of everything else


async def call(handle: type[Echo], count: int) -> None:
    """One caller."""
    for _ in range(count):
        await handle.echo(1)


async def cast(handle: type[Echo], count: int) -> None:
    """Casts in bursts, each handled before the next one begins."""
    for _ in range(count // BURST):
        for _ in range(BURST):
            handle.echo.cast(1)
        await handle.echo(1)


async def process_calls(callers: int, count: int, spin: bool = False) -> Sample:
    """Calls to an actor in a process of its own."""
    async with open_runtime():
        handle = await Echo.options(executor=Process(spin=spin)).start()
        calls = partial(call, handle)
        await concurrently(callers, count // 10 + callers, calls)
        with Stopwatch([await handle.pid()]) as watch:
            done = await concurrently(callers, count, calls)
    return watch.sample(done)


async def local_calls(count: int) -> Sample:
    """A hundred callers of an actor in this process."""
    async with open_runtime():
        handle = await Echo.options(executor=Local()).start()
        calls = partial(call, handle)
        await concurrently(CALLERS, count // 10 + CALLERS, calls)
        with Stopwatch() as watch:
            done = await concurrently(CALLERS, count, calls)
    return watch.sample(done)


async def local_casts(count: int) -> Sample:
    """Casts to an actor in this process."""
    count = max(BURST, count // BURST * BURST)
    async with open_runtime():
        handle = await Echo.options(executor=Local()).start()
        await cast(handle, BURST)
        with Stopwatch() as watch:
            await cast(handle, count)
    return watch.sample(count)


class Curtain:
    """Opens whenever an incarnation is ready; closed again before each fall."""

    def __init__(self) -> None:
        self.opened = trio.Event()

    def open(self) -> None:
        """What each incarnation calls."""
        self.opened.set()

    async def falls(self, handle: type[Crasher], count: int) -> None:
        """Make the actor fall and wait for its next incarnation, again and again."""
        for _ in range(count):
            self.opened = trio.Event()
            handle.fall.cast()
            await self.opened.wait()


async def crashes(count: int) -> Sample:
    """Crashes of a local actor, each to the next ready incarnation."""
    logging.disable()  # crashes are reported, as they should be; thousands of reports would hide the table
    curtain = Curtain()
    async with open_runtime():
        handle = await Crasher.options(executor=Local(), max_restarts=-1).start(curtain.open)
        await curtain.falls(handle, count // 10 + 10)
        with Stopwatch() as watch:
            await curtain.falls(handle, count)
    return watch.sample(count)


async def interrupts(count: int) -> Sample:
    """Interrupts of a loop that would never end."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_runtime():
            handle = await Loop.start()
            await one_interrupt(handle, Path(folder, "warm-up"))
            with Stopwatch() as watch:
                latencies = [
                    await one_interrupt(handle, Path(folder, str(number))) for number in range(count)
                ]
    return watch.sample(count, latencies)


async def one_interrupt(handle: type[Loop], started: Path) -> float:
    """Seconds from `interrupt` to the error at the caller."""
    ended = 0.0

    async def caller() -> None:
        nonlocal ended
        try:
            await handle.spin(os.fspath(started))
        except Exception:  # which one it has to be is for the tests to say
            ended = perf_counter()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(caller)
        await until_exists(started)
        begun = perf_counter()
        await interrupt(handle)
    if not ended:
        raise RuntimeError("the endless loop returned without an error")
    return ended - begun


async def until_exists(path: Path) -> None:
    """Wait for another process to make a file."""
    while not os.path.lexists(path):  # noqa: ASYNC110, ASYNC240 - only the file system tells, and it does not block
        await trio.sleep(0.0005)


async def idle(memory: Callable[[], int], count: int) -> Sample:
    """Actors that have started and wait: task, record, mailbox and handle together."""
    async with open_runtime():
        waiting = Idle.options(executor=Local())
        handles = [await waiting.start()]  # the first one pays for what comes only once
        gc.collect()
        before = memory()
        with Stopwatch() as watch:
            handles += [await waiting.start() for _ in range(count)]
        await wait_all_tasks_blocked()
        gc.collect()
        return watch.sample(count, memory=memory() - before)


def resident() -> int:
    """Bytes of memory that this process occupies."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def traced() -> int:
    """Bytes that Python objects occupy, from the first call on."""
    if not tracemalloc.is_tracing():
        tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def under_trio(measure: Callable[[int], Awaitable[Sample]]) -> Callable[[int], Sample]:
    """A measuring coroutine function as a case runs it."""

    def run(count: int) -> Sample:
        return trio.run(measure, count)

    return run


sequentially = under_trio(partial(process_calls, 1))
by_a_hundred = under_trio(partial(process_calls, CALLERS))
case = partial(Case, group="understudy")

CASES = (
    case(name="process call, one core", unit="wall", run=sequentially, pinned=True),
    case(name="process call", unit="wall", run=sequentially),
    case(name="process call, spinning", unit="wall", run=under_trio(partial(process_calls, 1, spin=True))),
    case(name="process call 100, one core", unit="rate", run=by_a_hundred, pinned=True, first=5000),
    case(name="process call 100", unit="rate", run=by_a_hundred, first=5000),
    case(name="local call 100", unit="cpu", run=under_trio(local_calls), first=10_000),
    case(name="local cast", unit="cpu", run=under_trio(local_casts), first=20_000),
    case(name="local crash", unit="cpu", run=under_trio(crashes)),
    case(name="interrupt", unit="p50", run=under_trio(interrupts), first=20),
    case(
        name="idle actor",
        unit="memory",
        run=under_trio(partial(idle, traced)),
        first=IDLE,
        fixed=True,
        repeats=1,  # it never varies
    ),
    case(
        name="idle actor, resident",
        unit="memory",
        run=under_trio(partial(idle, resident)),
        first=IDLE,
        fixed=True,
        repeats=2,
    ),
)
