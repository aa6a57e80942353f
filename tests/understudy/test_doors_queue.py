"""A Queue at the doors: between threads, tasks of any loop, and both; nothing is lost, whoever leaves early."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trio

from tests.doors import loop_run, sleep_until
from understudy import ActorDiedError, Empty, Full, NoRuntimeError, aio, blocking

WAYS: list[Callable[[], Any]] = [aio.Queue, blocking.Queue]


def waits(numbers: Any) -> int:
    return len(numbers.getters.wakes) + len(numbers.putters.wakes)


@pytest.mark.parametrize("make", WAYS)
def test_what_needs_no_waiting_is_as_everywhere(make: Any) -> None:
    numbers = make(3)
    numbers.put_nowait_batch([1, 2])
    with pytest.raises(Full):
        numbers.put_nowait_batch([3, 4])
    numbers.put_nowait(3)
    assert (numbers.full(), len(numbers), repr(numbers)) == (True, 3, "<Queue, 3 of 3 items>")
    with pytest.raises(Full):
        numbers.put_nowait(4)
    assert numbers.get_nowait_batch(2) == [1, 2]
    with pytest.raises(queue.Empty):
        numbers.get_nowait_batch(2)
    assert numbers.get_nowait() == 3
    assert numbers.empty()
    assert numbers


# -- under asyncio ---------------------------------------------------------------------------------------


def test_a_task_that_waits_is_woken_by_an_item_and_by_room() -> None:
    async def play() -> None:
        numbers: aio.Queue[int] = aio.Queue(1)
        got = asyncio.create_task(numbers.get())
        await asyncio.sleep(0)
        await numbers.put(1)
        assert await got == 1
        await numbers.put(2)
        put = asyncio.create_task(numbers.put(3))
        await asyncio.sleep(0)
        assert not put.done()
        assert (await numbers.get(), await numbers.get_async()) == (2, 3)
        await put

    loop_run(play)


def test_nobody_waits_longer_than_they_say() -> None:
    async def play() -> None:
        numbers: aio.Queue[int] = aio.Queue(1)
        with pytest.raises(Empty):
            await numbers.get(timeout=0.001)
        with pytest.raises(Empty):
            await numbers.get(block=False)
        await numbers.put(1)
        with pytest.raises(Full):
            await numbers.put(2, timeout=0.001)
        with pytest.raises(ValueError, match="timeout"):
            await numbers.put(2, timeout=-1)
        assert waits(numbers) == 0

    loop_run(play)


def test_a_task_cancelled_when_it_was_woken_hands_that_on() -> None:
    async def play() -> None:
        numbers: aio.Queue[int] = aio.Queue()
        first, second = asyncio.create_task(numbers.get()), asyncio.create_task(numbers.get())
        await asyncio.sleep(0)
        numbers.put_nowait(1)  # wakes the first
        first.cancel()
        assert await second == 1
        assert first.cancelled()

    loop_run(play)


def test_cancelled_at_any_moment_no_item_is_lost() -> None:
    async def play() -> None:
        numbers: aio.Queue[int] = aio.Queue(2)
        found: list[int] = []
        writer = asyncio.create_task(write(numbers, 200))
        dice = random.Random(1)
        while len(found) < 200:
            tasks = [asyncio.create_task(numbers.get()) for _ in range(3)]
            for _ in range(dice.randrange(4)):
                await asyncio.sleep(0)
            tasks[dice.randrange(3)].cancel()
            await asyncio.wait(tasks, timeout=0.05)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            found += [n for n in ended if isinstance(n, int)]
        await writer
        assert sorted(found) == list(range(200))

    loop_run(play)


async def write(numbers: aio.Queue[int], count: int) -> None:
    for n in range(count):
        await numbers.put(n)


def test_those_who_wait_are_told_of_a_shutdown() -> None:
    async def play() -> None:
        numbers: aio.Queue[int] = aio.Queue()
        got = asyncio.create_task(numbers.get())
        await asyncio.sleep(0)
        await numbers.shutdown()
        with pytest.raises(ActorDiedError, match="shut down"):
            await got
        with pytest.raises(ActorDiedError):
            numbers.put_nowait(1)

    loop_run(play)


# -- in threads, and between them and loops ----------------------------------------------------------------


def test_threads_wait_for_each_other() -> None:
    numbers: blocking.Queue[int] = blocking.Queue(2)

    def make() -> None:
        for n in range(500):
            numbers.put(n)

    with ThreadPoolExecutor(8) as pool:
        makers = [pool.submit(make) for _ in range(4)]
        takers = [pool.submit(lambda: [numbers.get() for _ in range(500)]) for _ in range(4)]
        found = [n for taker in takers for n in taker.result(30)]
    assert all(maker.result() is None for maker in makers)
    assert sorted(found) == sorted(list(range(500)) * 4)
    assert numbers.empty()


def test_a_thread_waits_no_longer_than_it_says() -> None:
    numbers: blocking.Queue[int] = blocking.Queue(1)
    with pytest.raises(Empty):
        numbers.get(timeout=0.001)
    with pytest.raises(Empty):
        numbers.get(block=False)
    numbers.put(1)
    with pytest.raises(Full):
        numbers.put(2, timeout=0.001)
    assert waits(numbers) == 0
    numbers.shutdown(force=True)
    numbers.shutdown()
    with pytest.raises(ActorDiedError):
        numbers.get()


def test_a_thread_that_waits_is_told_of_a_shutdown() -> None:
    numbers: blocking.Queue[int] = blocking.Queue()
    with ThreadPoolExecutor(1) as pool:
        got = pool.submit(numbers.get)
        sleep_until(lambda: waits(numbers))
        numbers.shutdown()
        assert isinstance(got.exception(10), ActorDiedError)


@pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)
def test_a_task_of_any_loop_and_a_thread_share_one(run: Any) -> None:
    there: blocking.Queue[int] = blocking.Queue(1)
    back: blocking.Queue[int] = blocking.Queue(1)

    async def double() -> None:
        for _ in range(50):
            await back.put_async(2 * await there.get_async())

    thread = threading.Thread(target=run, args=(double(),))
    thread.start()
    for n in range(50):
        there.put(n)
        assert back.get(timeout=10) == 2 * n
    thread.join()


def test_a_loop_that_was_closed_under_a_waiter_takes_no_item_with_it() -> None:
    numbers: blocking.Queue[int] = blocking.Queue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(numbers.get_async())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    with ThreadPoolExecutor(1) as pool:
        got = pool.submit(numbers.get)
        sleep_until(lambda: waits(numbers) == 2)
        numbers.put(1)
        assert got.result(10) == 1
    task.get_coro().close()


def test_outside_any_loop_it_says_what_to_write() -> None:
    numbers: aio.Queue[int] = aio.Queue()
    with pytest.raises(NoRuntimeError, match=r"blocking\.Queue"):
        numbers.get().send(None)
