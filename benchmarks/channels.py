"""Items through channels: from the host to an actor, back, and from actor to actor; beside a queue of the standard library."""

from __future__ import annotations

import multiprocessing
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from benchmarks.actors import Belt
from benchmarks.case import Case, Sample
from benchmarks.ours import under_trio
from benchmarks.stopwatch import Stopwatch
from understudy import open_channel, open_runtime

CAPACITY = 1000
WARM_UP = 20_000

Way = Callable[[Any, Any, int], Awaitable[None]]


async def out(belt: Any, _: Any, count: int) -> None:
    """From the host to an actor."""
    send, receive = open_channel[int](CAPACITY)
    ref = belt.count.remote(receive)
    receive.close()
    async with send:
        for number in range(count):
            await send.send(number)
    check(await ref, count)


async def back(belt: Any, _: Any, count: int) -> None:
    """From an actor to the host."""
    send, receive = open_channel[int](CAPACITY)
    belt.send.cast(send, count)
    send.close()
    got = 0
    async for _number in receive:
        got += 1
    check(got, count)


async def across(belt: Any, other: Any, count: int) -> None:
    """From one actor to another."""
    send, receive = open_channel[int](CAPACITY)
    ref = other.count.remote(receive)
    belt.send.cast(send, count)
    send.close()
    receive.close()
    check(await ref, count)


def check(got: int, count: int) -> None:
    if got != count:
        raise RuntimeError(f"{got} items came of {count}")


async def measured(way: Way, count: int) -> Sample:
    """One way, warmed up."""
    async with open_runtime():
        belt, other = await Belt.start(), await Belt.start()
        await way(belt, other, WARM_UP)
        with Stopwatch([await belt.pid(), await other.pid()]) as watch:
            await way(belt, other, count)
    return watch.sample(count)


def put_all(queue: Any, stop: Any, count: int) -> None:
    """The child: it stays until its time was taken."""
    for number in range(count):
        queue.put(number)
    stop.get()


def queue_items(count: int) -> Sample:
    """The standard library's queue between processes, from a child to us."""
    context = multiprocessing.get_context("fork")
    queue, stop = context.Queue(CAPACITY), context.SimpleQueue()
    child = context.Process(target=put_all, args=(queue, stop, count + 1))
    child.start()
    queue.get()
    assert child.pid is not None
    with Stopwatch([child.pid]) as watch:
        for _ in range(count):
            queue.get()
    stop.put(None)
    child.join()
    return watch.sample(count)


case = partial(Case, group="channels", unit="rate")

CASES = (
    case(name="channel to an actor", run=under_trio(partial(measured, out)), first=50_000),
    case(name="channel from an actor", run=under_trio(partial(measured, back)), first=50_000),
    case(name="channel between actors", run=under_trio(partial(measured, across)), first=50_000),
    case(name="multiprocessing.Queue", run=queue_items, first=5_000),
)
