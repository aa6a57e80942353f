"""An Executor for any thread: `concurrent.futures` in front, supervised processes behind."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_pools import nap_async, square, triple
from tests.doors import visit
from tests.rehearsal import rehearse, run, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    Executor,
    NoRuntimeError,
    Runtime,
    TaskError,
    Unsendable,
    aio,
    blocking,
    open_runtime,
)
from understudy.crossing.runtime import FarRuntime


def in_a_thread(work: Callable[[Executor], Any], **options: Any) -> Any:
    """What `work` returns in a thread, with an executor of an open runtime."""
    found: list[Any] = []

    async def scene(runtime: Runtime) -> None:
        async with Executor(**options) as executor:
            found.append(await trio.to_thread.run_sync(work, executor))

    rehearse(scene)
    return found[0]


def test_any_thread_may_submit_and_map() -> None:
    def work(executor: Executor) -> None:
        assert isinstance(executor, futures.Executor)
        assert executor.submit(triple, 5).result() == 15
        assert list(executor.map(triple, range(50))) == [3 * n for n in range(50)]
        assert executor.submit(square, 4).result() == 16  # type: ignore[comparison-overlap]
        assert executor.submit(os.getpid).result() != os.getpid()

    in_a_thread(work)


def test_many_threads_may_share_one() -> None:
    def work(executor: Executor) -> None:
        results: dict[int, list[int]] = {}

        def one(number: int) -> None:
            results[number] = [executor.submit(triple, n).result() for n in range(50)]

        threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {number: [3 * n for n in range(50)] for number in range(8)}

    in_a_thread(work)


def test_what_is_raised_is_the_futures_exception() -> None:
    def work(executor: Executor) -> None:
        error = executor.submit(int, "x").exception()
        assert isinstance(error, ValueError)
        assert isinstance(error, TaskError)

    in_a_thread(work)


@pytest.mark.slow
def test_a_process_that_dies_fails_its_call_and_breaks_nothing(tmp_path: Path) -> None:
    def work(executor: Executor) -> None:
        for _ in range(5):
            with pytest.raises(ActorUnavailableError):
                executor.submit(os._exit, 3).result()
        assert executor.submit(triple, 2).result() == 6

    in_a_thread(work, size=2)


def test_a_closure_is_sent_as_it_is_each_time() -> None:
    def work(executor: Executor) -> None:
        factor = 2

        def times(n: int) -> int:
            return factor * n

        assert executor.submit(times, 3).result() == 6
        factor = 5
        assert executor.submit(times, 3).result() == 15
        assert executor.submit(functools.partial(triple, 4)).result() == 12
        assert executor.submit(lambda: 7).result() == 7

    in_a_thread(work)


def test_what_cannot_be_pickled_or_awaited_is_refused_at_once() -> None:
    def work(executor: Executor) -> None:
        lock = threading.Lock()
        with pytest.raises(Unsendable, match="cannot be pickled"):
            executor.submit(lambda: lock)
        with pytest.raises(Unsendable, match=r"an argument of triple\(\)"):
            executor.submit(triple, lock)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="nap_async is an async function"):
            executor.submit(nap_async, 1)

    in_a_thread(work)


# -- cancellation and the end --------------------------------------------------------------------------


def test_a_future_that_is_cancelled_stops_its_function(tmp_path: Path) -> None:
    running = tmp_path / "running"

    def slow(file: str) -> None:
        Path(file).touch()
        time.sleep(30)

    def work(executor: Executor) -> None:
        future = executor.submit(slow, str(running))
        while not running.exists():
            time.sleep(0.005)
        assert future.cancel()
        assert futures.wait([future], timeout=10).done == {future}
        with pytest.raises(futures.CancelledError):
            future.result()
        assert executor.submit(triple, 3).result(timeout=10) == 9
        assert not executor.submit(triple, 3).cancelled()

    in_a_thread(work, size=1)


@pytest.mark.slow
def test_shutdown_waits_for_what_is_under_way_and_takes_nothing_new() -> None:
    def work(executor: Executor) -> None:
        future = executor.submit(time.sleep, 0.2)
        executor.shutdown()
        assert future.done()
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            executor.submit(triple, 1)
        executor.shutdown()

    in_a_thread(work, size=1)


def test_shutdown_may_cancel_what_is_under_way() -> None:
    def work(executor: Executor) -> None:
        under_way = [executor.submit(time.sleep, 30) for _ in range(5)]
        executor.shutdown(cancel_futures=True)
        assert all(future.cancelled() for future in under_way)

    in_a_thread(work, size=1)


def test_in_the_runtimes_own_thread_shutdown_would_wait_for_itself() -> None:
    async def scene(runtime: Runtime) -> None:
        executor = Executor()
        future = executor.submit(triple, 3)
        with pytest.raises(RuntimeError, match=r"write `await executor.aclose\(\)`"):
            executor.shutdown()
        await executor.aclose()
        assert future.result() == 9
        executor.shutdown()

    rehearse(scene)


def test_an_executor_with_a_size_has_processes_of_its_own_that_end_with_it() -> None:
    async def scene(runtime: Runtime) -> None:
        async with Executor(2) as executor:
            pids = {await trio.to_thread.run_sync(executor.submit(os.getpid).result) for _ in range(4)}
            assert pids
            assert "functions  pool of Runner" in runtime.tree()
        assert "functions" not in runtime.tree()

    rehearse(scene)


@pytest.mark.slow
def test_when_the_runtime_closes_no_thread_waits_for_ever() -> None:
    ended: list[BaseException | None] = []

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            async with open_runtime():
                executor = Executor()
                future = executor.submit(time.sleep, 30)

                def wait() -> None:
                    ended.append(future.exception())

                nursery.start_soon(trio.to_thread.run_sync, wait)
                await trio.sleep(0.2)
        with pytest.raises(ActorDiedError):
            await trio.to_thread.run_sync(executor.submit(triple, 1).result)

    run(play)
    assert "the runtime closes" in str(ended[0])


def test_after_the_loop_has_ended_there_is_a_clear_error() -> None:
    kept: list[Executor] = []

    async def play() -> None:
        async with open_runtime():
            kept.append(Executor())

    run(play)
    with pytest.raises(NoRuntimeError, match="the runtime of this executor has ended"):
        kept[0].submit(triple, 1)
    kept[0].shutdown()


def test_it_is_made_where_a_runtime_is_open() -> None:
    with pytest.raises(NoRuntimeError, match="no runtime is open here"):
        Executor()

    async def scene(runtime: Runtime) -> None:
        with pytest.raises(RuntimeError, match="make the Executor in the task"):
            await trio.to_thread.run_sync(Executor)

    rehearse(scene)


def test_asyncio_runs_functions_in_it() -> None:
    def work(executor: Executor) -> list[int]:
        async def main() -> list[int]:
            loop = asyncio.get_running_loop()
            return await asyncio.gather(*[loop.run_in_executor(executor, triple, n) for n in range(10)])

        return asyncio.run(main())

    assert in_a_thread(work) == [3 * n for n in range(10)]


def test_a_member_killed_from_outside_is_replaced() -> None:
    async def scene(runtime: Runtime) -> None:
        async with Executor(1) as executor:
            pid = await trio.to_thread.run_sync(executor.submit(os.getpid).result)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: runtime.house.registry.paths["functions/0"].number == 2)
            assert await trio.to_thread.run_sync(executor.submit(triple, 2).result) == 6

    rehearse(scene)


# -- at the other doors ----------------------------------------------------------------------------------


def test_under_asyncio_it_is_a_block_that_waits_for_what_is_under_way() -> None:
    async def scene(runtime: FarRuntime) -> None:
        loop = asyncio.get_running_loop()
        async with aio.Executor(1) as executor:
            assert await loop.run_in_executor(executor, triple, 2) == 6
            late = executor.submit(nap_a_little, 7)
        assert late.result(0) == 7
        assert "functions" not in runtime.tree()
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.submit(triple, 1)

    visit(scene)


def test_under_asyncio_a_cancelled_close_stops_what_is_under_way() -> None:
    async def scene(runtime: FarRuntime) -> None:
        executor = aio.Executor()
        future = executor.submit(time.sleep, 60)
        await asyncio.wrap_future(executor.submit(triple, 1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await executor.aclose()
        assert future.cancelled()

    visit(scene)


def test_in_plain_code_it_is_a_plain_block() -> None:
    with blocking.open_runtime():
        with blocking.Executor(1) as executor:
            assert list(executor.map(triple, range(10))) == [3 * n for n in range(10)]
        shared = blocking.Executor()
        assert shared.submit(triple, 2).result() == 6
    with pytest.raises((NoRuntimeError, ActorDiedError)):
        shared.submit(triple, 2).result(10)


def nap_a_little(n: int) -> int:
    time.sleep(0.02)
    return n
