"""Workers by every door: from asyncio, from plain threads, from the methods of other actors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.cast_worker import add, fail, fetch
from tests.cast_worker_guests import AsyncBoss, Boss
from tests.doors import visit
from tests.rehearsal import rehearse
from tests.workers import WARY
from understudy import AsyncWorker, Local, Pool, Process, Runtime, TaskError, Thread, Worker, blocking, get
from understudy.crossing.runtime import FarRuntime

EXECUTORS = pytest.mark.parametrize(
    "executor",
    [WARY, Process(stderr="keep"), Thread(), Local()],
    ids=["untrusted", "trusted", "thread", "local"],
)


@EXECUTORS
def test_a_worker_is_used_from_asyncio(executor: Any) -> None:
    async def scene(runtime: FarRuntime) -> None:
        worker = await Worker.options(executor=executor).start()
        assert await worker.call(add, 1, 2, c=3) == 6
        assert await worker.call.remote(add, 1) == 1
        worker.call.cast(fail, "unheard")
        await worker.exec("x = 5")
        assert await worker.eval("x + y", given={"y": 1}) == 6
        assert await worker.run.remote(add, 1) is None  # type: ignore[func-returns-value]
        with pytest.raises(ValueError, match="there") as error:
            await worker.call(fail, "there")
        assert isinstance(error.value, TaskError)
        assert await asyncio.gather(*(worker.call(add, n) for n in range(20))) == list(range(20))

        awaiting = await AsyncWorker.options(executor=executor).start()
        assert await awaiting.call(fetch, 1) == 2

    visit(scene)


@EXECUTORS
def test_a_worker_is_used_from_a_plain_thread(executor: Any) -> None:
    with blocking.open_runtime():
        worker = Worker.options(executor=executor).remote()
        assert blocking.call(worker.call, add, 1, 2, c=3) == 6
        assert blocking.get(worker.call.remote(add, 1)) == 1
        worker.call.cast(fail, "unheard")
        blocking.call(worker.exec, "x = 5")
        assert blocking.call(worker.eval, "x + y", given={"y": 1}) == 6
        assert blocking.call(worker.run, add, 1) is None
        with pytest.raises(ValueError, match="there"):
            blocking.call(worker.call, fail, "there")
        with worker.call.starmap([(add, n, 1) for n in range(20)]) as values:
            assert list(values) == list(range(1, 21))

        awaiting = AsyncWorker.options(executor=executor).remote()
        assert blocking.call(awaiting.call, fetch, 1) == 2


def test_a_pool_of_workers_is_used_from_a_plain_thread() -> None:
    with blocking.open_runtime():
        pool = Pool(Worker.options(executor=WARY), 2).remote()
        assert blocking.get([pool.call.remote(add, n) for n in range(10)]) == list(range(10))
        assert blocking.call(pool.call.broadcast, add, 1) == [1, 1]


@pytest.mark.parametrize("executor", [Process(stderr="keep"), Thread()], ids=["process", "thread"])
def test_the_methods_of_an_actor_start_workers_and_use_them(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        boss = await Boss.options(executor=executor).start()
        worker = await boss.hire()
        assert await boss.work() == [6, 1, 8, 6, None]
        assert await boss.fall() == "there"
        assert await worker.eval("x") == 5  # the runtime's own handle of the same worker
        assert await worker.call(add, 2) == 2

        other = await AsyncBoss.options(executor=executor).start()
        assert await other.work() == [2, 2, 5, 5]

    rehearse(scene)


def test_a_worker_that_was_found_by_its_name_is_the_same() -> None:
    async def scene(runtime: Runtime) -> None:
        await Worker.options(executor=WARY, name="hand").start()
        worker = runtime.get_actor("hand", Worker)
        assert await worker.call(add, 1) == 1
        assert await get([runtime.get_actor("hand").call.remote(add, n) for n in (1, 2)]) == [1, 2]

    rehearse(scene)
