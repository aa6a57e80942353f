"""Queues in the hands of actors: given as arguments, used wherever the actor runs."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast_queues import AsyncClerk, Clerk
from tests.rehearsal import LOCAL, QUIET, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    Empty,
    Process,
    Queue,
    Runtime,
    TaskCancelledError,
    TaskError,
    Thread,
    UnderstudyError,
    Unsendable,
    cancel,
    statistics,
)
from understudy.actors.queue import queue_at

PLAIN: dict[str, Any] = {
    "process": Clerk.options(executor=QUIET),
    "process with threads": Clerk.options(executor=QUIET, max_concurrency=4),
    "thread": Clerk.options(executor=Thread()),
    "thread with threads": Clerk.options(executor=Thread(), max_concurrency=4),
}
ASYNC: dict[str, Any] = {
    "async local": AsyncClerk.options(executor=LOCAL),
    "async thread": AsyncClerk.options(executor=Thread()),
    "async process": AsyncClerk.options(executor=QUIET),
    "async process, asyncio": AsyncClerk.options(executor=Process(loop="asyncio", stderr="keep")),
}

plain = pytest.mark.parametrize("clerks", PLAIN.values(), ids=PLAIN)
concurrent = pytest.mark.parametrize("clerks", ASYNC.values(), ids=ASYNC)
everywhere = pytest.mark.parametrize("clerks", (PLAIN | ASYNC).values(), ids=PLAIN | ASYNC)


@everywhere
def test_an_actor_puts_in_and_takes_out_and_so_does_who_made_it(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        orders: Queue[Any] = Queue()
        clerk = await clerks.start()

        assert await clerk.fill(orders, [1, "two", (3, {4})]) == 3
        assert [await orders.get() for _ in range(3)] == [1, "two", (3, {4})]
        orders.put_nowait_batch([5, 6])
        assert await clerk.take(orders, 2) == [5, 6]
        assert orders.empty()

    rehearse(scene)


@everywhere
def test_a_queue_inside_an_argument_is_the_same_queue(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        orders: Queue[Any] = Queue()
        orders.put_nowait_batch([1, 2])

        assert await (await clerks.start()).take_deep({"queues": [orders]}, 2) == [1, 2]

    rehearse(scene)


@everywhere
def test_who_waits_gets_what_another_puts_in(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        orders: Queue[int] = Queue(maxsize=2)
        giver, taker = await clerks.start(), await clerks.start()
        taken = taker.take.remote(orders, 50)

        await giver.fill(orders, list(range(50)))
        assert await taken == list(range(50))

    rehearse(scene)


@everywhere
def test_time_and_shutdown_are_told_with_the_same_errors(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        orders: Queue[int] = Queue()
        clerk = await clerks.start()

        with pytest.raises(Empty, match="1 were asked for and 0 are there"):
            await clerk.take(orders, 1, timeout=0.01)
        waiting = (await clerks.start()).take.remote(orders, 1)
        await clerk.close(orders)
        with pytest.raises(TaskError, match="the queue was shut down"):
            await waiting
        assert await clerk.last(orders) == "the queue was shut down"
        with pytest.raises(ActorDiedError):
            orders.get_nowait()

    rehearse(scene)


@everywhere
def test_a_cancelled_get_takes_nothing(clerks: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        orders: Queue[int] = Queue()
        clerk = await clerks.start()
        waiting = clerk.wait_for_one.remote(orders, str(tmp_path / "there"))
        await until((tmp_path / "there").exists)
        await until(lambda: orders.store is not None and len(orders.store.getters))

        assert cancel(waiting)
        with pytest.raises(TaskCancelledError):
            await waiting
        await until(lambda: orders.store is not None and not len(orders.store.getters))
        orders.put_nowait(7)
        assert await clerk.take(orders, 1) == [7]

    rehearse(scene)


@plain
def test_methods_that_are_not_async_have_all_of_it_and_wait(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        said = await (await clerks.start()).at_once(Queue(2))

        assert said[:5] == [0, True, 0, True, False]
        assert said[5:9] == [2, False, True, 2]
        assert said[9:13] == ["Full"] * 4
        assert said[13:15] == [1, [2]]
        assert said[15:] == ["Empty"] * 4

    rehearse(scene)


@concurrent
def test_in_an_event_loop_put_and_get_can_do_without_waiting(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        assert await (await clerks.start()).at_once(Queue(2)) == ["Empty", "Full"]

    rehearse(scene)


@concurrent
def test_and_what_cannot_be_awaited_is_refused_where_it_would_hold_up_the_loop(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        clerk = await clerks.start()
        if clerks is ASYNC["async local"]:
            assert await clerk.size(Queue()) == 0
        else:
            with pytest.raises(RuntimeError, match=r"qsize\(\) of a Queue would hold up the event loop"):
                await clerk.size(Queue())

    rehearse(scene)


@plain
def test_it_comes_back_as_itself_and_is_an_argument_of_a_class_too(clerks: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        orders: Queue[int] = Queue()
        clerk = await clerks.start(orders)
        orders.put_nowait_batch([1, 2])

        assert await clerk.give_back(orders) is orders
        assert await clerk.take_own(2) == [1, 2]
        with pytest.raises(ValueError, match="timeout must be a number of seconds, 0 or more, not -1"):
            await clerk.wrong(orders)

    rehearse(scene)


def test_an_item_that_cannot_travel_stays_for_who_can_take_it() -> None:
    async def scene(runtime: Runtime) -> None:
        lock = trio.Lock()
        things: Queue[Any] = Queue()
        things.put_nowait_batch([(item for item in "ab"), lock])
        clerk = await Clerk.start()

        with pytest.raises(Exception, match="cannot be pickled"):
            await clerk.take(things, 1)
        assert list(await things.get()) == ["a", "b"]
        assert await things.get() is lock

    rehearse(scene)


@pytest.mark.slow
def test_who_dies_while_it_waits_takes_nothing_along(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        orders: Queue[int] = Queue()
        clerk = await Clerk.start()
        waiting = clerk.wait_for_one.remote(orders, str(tmp_path / "there"))
        await until(lambda: orders.store is not None and len(orders.store.getters))
        os.kill(statistics(clerk).pid or 0, signal.SIGKILL)
        with pytest.raises(ActorUnavailableError):
            await waiting
        orders.put_nowait(1)

        assert await clerk.take(orders, 1) == [1]

    rehearse(scene)


def test_a_queue_that_was_given_away_is_kept_as_long_as_the_runtime() -> None:
    numbers: list[int] = []

    async def scene(runtime: Runtime) -> None:
        orders: Queue[int] = Queue()
        numbers.append(orders.number)
        clerk = await Clerk.start(orders)
        del orders
        gc.collect()

        assert await clerk.fill(queue_at(numbers[0]), [1, 2]) == 2
        assert await clerk.take_own(2) == [1, 2]

    rehearse(scene)
    gc.collect()
    with pytest.raises(UnderstudyError, match=f"there is no queue {numbers[0]}: the runtime it was used in"):
        queue_at(numbers[0])


def test_one_that_was_made_in_an_actor_stays_there() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(Unsendable, match="a Queue that was made in an actor stays there"):
            await (await Clerk.start()).made_here()

    rehearse(scene)


def test_to_an_untrusted_actor_only_data_travels() -> None:
    async def scene(runtime: Runtime) -> None:
        clerk = await Clerk.options(executor=Process(trusted=False, stderr="keep")).start()
        with pytest.raises(Unsendable, match="only data travels"):
            await clerk.take(Queue(), 1)

    rehearse(scene)
