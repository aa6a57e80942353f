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

from tests.cast_async import Juggler
from tests.cast_pools import Member, nap_async, square, triple
from tests.doors import visit
from tests.rehearsal import LOCAL, pending_everywhere, rehearse, run, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    Executor,
    NoRuntimeError,
    Pool,
    Process,
    Runtime,
    TaskError,
    Unsendable,
    aio,
    blocking,
    kill,
    open_runtime,
    statistics,
)
from understudy.crossing.runtime import FarRuntime
from understudy.future import PoolFuture


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
        assert executor.submit(square, 4).result() == 16
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
            executor.submit(triple, lock)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="nap_async is an async function"):
            executor.submit(nap_async, 1)

    in_a_thread(work)


@pytest.mark.slow
def test_where_no_process_starts_each_future_says_so() -> None:
    def work(executor: Executor) -> None:
        for future in [executor.submit(triple, n) for n in range(3)]:
            with pytest.raises(ActorDiedError, match=r"did not start: .*(No such file|status 127)"):
                future.result()

    in_a_thread(work, size=(0, 2), executor=Process(python="/no/such/python"))


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


# -- a pool of actors as an executor ---------------------------------------------------------------------


def with_pool(work: Callable[[Executor, Any], None], **options: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member.child(10), 2, id="crew", **options).start()
        async with Executor(members) as executor:
            await trio.to_thread.run_sync(work, executor, members)
        assert statistics(members).state == "ready"
        assert pending_everywhere(runtime) == []

    rehearse(scene)


def test_a_pool_runs_functions_in_the_processes_of_its_members() -> None:
    def work(executor: Executor, members: Any) -> None:
        pids = {executor.submit(os.getpid).result() for _ in range(10)}
        own = {executor.submit(members.pid).result() for _ in range(10)}
        factor = 7

        assert pids <= own or own <= pids
        assert list(executor.map(triple, range(100))) == [3 * n for n in range(100)]
        assert executor.submit(lambda n: factor * n, 3).result() == 21
        assert executor.submit(square, 4).result() == 16
        with pytest.raises(ZeroDivisionError):
            executor.submit(divmod, 1, 0).result()

    with_pool(work)


def test_and_its_methods() -> None:
    def work(executor: Executor, members: Any) -> None:
        assert executor.submit(members.double, 4).result() == 8
        assert list(executor.map(members.both, [1, 2], ["a", "b"])) == ["a", "bb"]
        assert executor.submit(members.double.options(timeout=5), n=4).result() == 8
        with pytest.raises(ValueError, match="-1 is below 0"):
            executor.submit(members.double, -1).result()
        with pytest.raises(TypeError, match="double"):
            executor.submit(members.double)
        with pytest.raises(TypeError, match=r"numbers\(\) gives a stream"):
            executor.submit(members.numbers, 3)

    with_pool(work)


@pytest.mark.slow
def test_a_member_that_dies_takes_one_function_with_it_and_comes_back() -> None:
    def work(executor: Executor, members: Any) -> None:
        fatal = executor.submit(os._exit, 3)
        others = [executor.submit(triple, n) for n in range(50)]
        with pytest.raises(ActorUnavailableError):
            fatal.result()
        assert [future.result() for future in others] == [3 * n for n in range(50)]

    with_pool(work, intensity=10)


def test_a_method_of_another_pool_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        members, others = await Pool(Member, 1).start(), await Pool(Member, 1).start()
        with pytest.raises(TypeError, match="is not of this executor's pool"):
            Executor(members).submit(others.double, 1)
        with pytest.raises(TypeError, match="was given an ObjectRef"):
            Executor(members).submit(members.double, members.double.remote(1))  # type: ignore[call-overload]

    rehearse(scene)


def test_once_its_pool_is_dead_futures_say_so() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 1, id="crew").start()
        executor = Executor(members)
        await kill(members)
        with pytest.raises(ActorDiedError, match="crew is dead"):
            await trio.to_thread.run_sync(executor.submit(triple, 1).result)

    rehearse(scene)


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (Member.options(id="alone").child(), "an Executor wraps a pool, and alone is one actor"),
        (Pool(Member.options(executor=LOCAL, id="crew"), 1), "the members of crew are none"),
        (Pool(Member.options(executor=Process(trusted=False), id="crew"), 1), "the members of crew are none"),
        (
            Pool(Juggler.options(id="crew"), 1),
            "a function would hold up the event loop of the members of crew",
        ),
        (Pool(Member.options(id="crew"), 1, key=len), "crew has key=, and functions have none"),
    ],
)
def test_members_that_cannot_run_functions_are_refused(plan: Any, text: str) -> None:
    async def scene(runtime: Runtime) -> None:
        handle: Any = runtime.spawn(plan)
        with pytest.raises(TypeError, match=text):
            Executor(handle)
        await kill(handle)

    rehearse(scene)


def test_the_members_of_a_pool_have_their_executor_already() -> None:
    async def scene(runtime: Runtime) -> None:
        members = Pool(Member, 1).remote()
        with pytest.raises(TypeError, match="leave out executor="):
            Executor(members, executor=Process())  # type: ignore[call-overload]

    rehearse(scene)


# -- what whoever takes an executor relies on --------------------------------------------------------------


def test_map_gives_results_in_order_whatever_the_chunks_and_takes_several_iterables() -> None:
    def work(executor: Executor) -> None:
        assert list(executor.map(pow, [2, 3, 4], [5, 2], chunksize=2)) == [32, 9]
        assert list(executor.map(triple, [])) == []
        with pytest.raises(ValueError, match="chunksize must be a count above 0, not 0"):
            executor.map(triple, [1], chunksize=0)

    in_a_thread(work)


def test_an_error_in_a_map_comes_at_its_place_and_ends_it() -> None:
    def work(executor: Executor) -> None:
        results = executor.map(divmod, [6, 1, 6], [2, 0, 3])
        assert next(results) == (3, 0)
        with pytest.raises(ZeroDivisionError):
            next(results)
        with pytest.raises(StopIteration):
            next(results)

    in_a_thread(work)


def test_a_map_has_one_timeout_for_all_and_cancels_what_is_left() -> None:
    def work(executor: Executor) -> None:
        results = executor.map(time.sleep, [30, 30], timeout=0.05)
        with pytest.raises(TimeoutError):
            next(results)
        assert executor.submit(triple, 2).result(timeout=10) == 6

    in_a_thread(work, size=1)


def test_as_completed_and_wait_tell_who_is_done_first() -> None:
    def work(executor: Executor) -> None:
        slow: futures.Future[Any] = executor.submit(time.sleep, 30)
        quick: futures.Future[Any] = executor.submit(triple, 1)
        assert next(futures.as_completed([slow, quick])) is quick
        done, rest = futures.wait([slow, quick], return_when=futures.FIRST_COMPLETED)
        assert (done, rest) == ({quick}, {slow})
        with pytest.raises(TimeoutError):
            list(futures.as_completed([slow], timeout=0.01))
        with pytest.raises(TimeoutError):
            slow.result(timeout=0.01)
        failed: futures.Future[Any] = executor.submit(divmod, 1, 0)
        done, rest = futures.wait([failed, slow], return_when=futures.FIRST_EXCEPTION)
        assert done == {failed}
        slow.cancel()

    in_a_thread(work, size=2)


def test_a_future_says_whether_it_runs_and_calls_back_when_it_is_done(tmp_path: Path) -> None:
    there = tmp_path / "there"

    def slow(file: str) -> None:
        Path(file).touch()
        time.sleep(30)

    def work(executor: Executor) -> None:
        told: list[futures.Future[Any]] = []
        future = executor.submit(slow, str(there))
        behind = executor.submit(triple, 1)
        behind.add_done_callback(told.append)
        while not there.exists():
            time.sleep(0.005)
        assert future.running()
        assert not behind.running()
        assert behind.cancel()
        assert behind.cancel()
        assert told == [behind]
        assert future.cancel()
        assert not future.running()
        done = executor.submit(triple, 1)
        assert done.result() == 3
        assert not done.cancel()
        assert not done.running()

    in_a_thread(work, size=1)


def test_a_with_block_in_a_thread_waits_for_what_is_under_way() -> None:
    def work(executor: Executor) -> None:
        with executor:
            future = executor.submit(triple, 3)
        assert future.done()
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.map(triple, [1])

    in_a_thread(work)


def test_shutdown_without_wait_returns_at_once_and_lets_all_end() -> None:
    def work(executor: Executor) -> None:
        under_way = [executor.submit(triple, n) for n in range(20)]
        executor.shutdown(wait=False)
        assert [future.result(timeout=10) for future in under_way] == [3 * n for n in range(20)]

    in_a_thread(work, size=1)


def test_what_another_thread_left_when_the_loop_ended_is_told() -> None:
    kept: list[tuple[Executor, Any]] = []

    async def play() -> None:
        async with open_runtime():
            executor = Executor()
            kept.append((executor, PoolFuture(executor, executor.call_of(triple, (1,), {}))))

    run(play)
    executor, future = kept[0]
    executor.steps.append(future.put)  # it saw that somebody was about to cross
    with pytest.raises(NoRuntimeError):
        executor.submit(triple, 1)
    with pytest.raises(ActorDiedError):
        future.result(timeout=1)


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


def test_in_plain_code_it_wraps_a_pool_too() -> None:
    with blocking.open_runtime():
        members = Pool(Member.child(10), 1).remote()
        with blocking.Executor(members) as executor:
            assert executor.submit(triple, 2).result() == 6
            assert executor.submit(members.double, 2).result() == 4
