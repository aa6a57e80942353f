"""A queue between tasks, with the methods and exceptions of Ray's."""

from __future__ import annotations

import pickle
import queue
from typing import Any

import pytest
import trio
import trio.testing

from tests.rehearsal import run
from understudy import ActorDiedError, Empty, Full, NoRuntimeError, Queue

blocked = trio.testing.wait_all_tasks_blocked


def test_first_in_is_first_out() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue()
        await numbers.put(1)
        numbers.put_nowait(2)
        numbers.put_nowait_batch([3, 4])
        assert (numbers.qsize(), numbers.size(), len(numbers)) == (4, 4, 4)
        assert await numbers.get() == 1
        assert numbers.get_nowait() == 2
        assert numbers.get_nowait_batch(2) == [3, 4]
        assert numbers.empty()

    run(play, virtual=True)


def test_a_full_queue_lets_put_wait_and_refuses_put_nowait() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue(maxsize=2)
        numbers.put_nowait_batch([1, 2])
        assert numbers.full()
        with pytest.raises(Full, match="1 more do not go into a queue of 2 that holds 2"):
            numbers.put_nowait(3)
        with pytest.raises(queue.Full):
            await numbers.put(3, block=False)
        with pytest.raises(Full):
            await numbers.put(3, timeout=1)
        assert trio.current_time() >= 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(numbers.put, 3)
            await blocked()
            assert await numbers.get() == 1
        assert numbers.get_nowait_batch(2) == [2, 3]

    run(play, virtual=True)


def test_an_empty_queue_lets_get_wait_and_refuses_get_nowait() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue()
        with pytest.raises(queue.Empty):
            numbers.get_nowait()
        with pytest.raises(Empty):
            await numbers.get(block=False)
        with pytest.raises(Empty):
            await numbers.get(timeout=0.5)
        found: list[int] = []

        async def take() -> None:
            found.append(await numbers.get())

        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(take)
            await blocked()
            numbers.put_nowait_batch([7, 8])
        assert sorted(found) == [7, 8]

    run(play, virtual=True)


def test_a_batch_goes_in_or_out_whole_or_not_at_all() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue(maxsize=3)
        numbers.put_nowait(1)
        with pytest.raises(Full):
            numbers.put_nowait_batch([2, 3, 4])
        with pytest.raises(Empty, match="2 were asked for and 1 are there"):
            numbers.get_nowait_batch(2)
        assert numbers.qsize() == 1
        assert numbers.get_nowait_batch(0) == []

    run(play, virtual=True)


def test_a_cancelled_put_is_not_in_and_a_cancelled_get_loses_nothing() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue(maxsize=1)
        with trio.move_on_after(1):
            await numbers.get()
        await numbers.put(1)
        with trio.move_on_after(1):
            await numbers.put(2)
        assert await numbers.get() == 1
        assert numbers.empty()
        with trio.CancelScope() as scope:
            scope.cancel()
            await numbers.put(3)
        assert numbers.empty()

    run(play, virtual=True)


def test_a_queue_that_is_shut_down_takes_nothing_and_gives_what_is_left() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue()
        numbers.put_nowait_batch([1, 2])
        await numbers.shutdown()
        with pytest.raises(ActorDiedError, match="the queue was shut down"):
            await numbers.put(3)
        assert await numbers.get() == 1
        await numbers.shutdown(force=True)
        with pytest.raises(ActorDiedError):
            numbers.get_nowait()

    run(play, virtual=True)


def test_those_who_wait_are_told_of_a_shutdown() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue()

        async def wait() -> None:
            with pytest.raises(ActorDiedError):
                await numbers.get()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await blocked()
            await numbers.shutdown()

    run(play, virtual=True)


def test_a_queue_is_the_same_after_a_pickle_and_says_what_it_is() -> None:
    numbers: Queue[int] = Queue(3)

    assert repr(numbers) == "<Queue, 0 of 3 items>"
    assert bool(numbers)
    assert pickle.loads(pickle.dumps(numbers)) is numbers


@pytest.mark.parametrize("call", [lambda q: q.get(timeout=-1), lambda q: q.put(1, timeout=-1)])
def test_a_bad_timeout_is_refused(call: Any) -> None:
    async def play() -> None:
        with pytest.raises(ValueError, match="timeout must be a number of seconds, 0 or more, not -1"):
            await call(Queue())

    run(play)


def test_a_queue_belongs_to_the_thread_where_it_was_made() -> None:
    async def play() -> None:
        numbers: Queue[int] = Queue()
        with pytest.raises(NoRuntimeError):
            await trio.to_thread.run_sync(numbers.qsize)

    run(play)
