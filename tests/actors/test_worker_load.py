"""Workers under load: what Malt.jl says of its workers and proves by no test, and what its code contradicts."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import mul
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast import QUIET
from tests.cast_worker import HalfWay, add, fail, wait_for
from tests.rehearsal import pending_everywhere, rehearse, until
from tests.workers import ASYNC, WARY, WORKERS, Backend, in_process, over
from understudy import (
    ActorError,
    ActorUnavailableError,
    Bounds,
    CallError,
    Runtime,
    TaskError,
    Unsendable,
    Worker,
    blocking,
    get,
    interrupt,
    statistics,
)

PROCESSES = in_process(WORKERS)
BIG = Bounds(max_bytes=128 * 1024 * 1024)
MIXED = 200


@over(in_process(WORKERS | ASYNC))
def test_the_table_of_pending_calls_is_empty_after_every_kind_of_end(
    backend: Backend, tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.call(add, 1)
        calls: list[Callable[[], Any]] = [
            lambda: worker.call(fail, "no"),
            lambda: worker.eval("it()", given={"it": HalfWay}),
            lambda: worker.eval("1 +"),
            lambda: worker.call(add, threading.Lock()),
        ]
        for call in calls:
            with pytest.raises(Exception):  # noqa: B017  each has its own
                await call()
        worker.call.cast(fail, "no")
        with trio.move_on_after(0.05):
            await worker.call(backend.waits, str(tmp_path / "never"))
        assert await worker.eval("1") == 1
        assert pending_everywhere(runtime) == []
        assert statistics(worker).pending == 0

    rehearse(scene)


@over(PROCESSES)
def test_replies_in_any_order_find_their_calls(backend: Backend, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker(max_concurrency=6).start()
        gates = [tmp_path / f"gate {n}" for n in range(5)]
        ended: list[int] = []

        async def wait(n: int) -> None:
            assert await worker.call(lambda path, n: (wait_for(path), n)[1], str(gates[n]), n) == n
            ended.append(n)

        async with trio.open_nursery() as nursery:
            for n in range(5):
                nursery.start_soon(wait, n)
            for n in (4, 2, 0, 3, 1):
                gates[n].touch()
                await until(partial(ended.__contains__, n))
                assert await worker.call(add, n, 1) == n + 1
        assert ended == [4, 2, 0, 3, 1]

    rehearse(scene)


@over(PROCESSES)
def test_a_worker_that_is_killed_from_outside_fails_what_had_begun_and_comes_back_with_the_rest(
    backend: Backend, tmp_path: Path
) -> None:
    never = tmp_path / "never"

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        pid = statistics(worker).pid
        begun = worker.call.remote(wait_for, str(never))
        rest = [worker.call.remote(add, n) for n in range(20)]
        await until(Path(f"{never}.begun").exists)
        os.kill(pid, signal.SIGKILL)

        with pytest.raises(ActorUnavailableError, match="SIGKILL") as error:
            await begun
        assert error.value.reason.status == -signal.SIGKILL
        found = [await outcome(ref) for ref in rest]
        assert all(value in (n, "lost") for n, value in enumerate(found))
        assert await worker.eval("1 + 1") == 2
        assert statistics(worker).incarnation == 2
        assert pending_everywhere(runtime) == []

    rehearse(scene)


async def outcome(ref: Any) -> Any:
    """A ref's value, or *lost* if a death without a page leaves its fate unknown."""
    try:
        return await ref
    except ActorError:
        return "lost"


@over(PROCESSES)
@pytest.mark.slow
def test_fifty_megabytes_arrive_whole_both_ways(backend: Backend) -> None:
    data = os.urandom(1024 * 1024) * 50
    digest = hashlib.blake2b(data).hexdigest()

    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=replace(backend.executor, bounds=BIG)).start()
        await worker.exec("import hashlib", given={"data": data})
        assert await worker.eval("hashlib.blake2b(data).hexdigest()") == digest
        assert await worker.eval("data") == data
        assert await worker.call(mul, data[:1024], 3) == data[:1024] * 3
        assert await get([worker.eval.remote("data[:5_000_000]") for _ in range(4)]) == [data[:5_000_000]] * 4

    rehearse(scene, seconds=50)


def test_a_worker_is_called_from_many_threads_at_once() -> None:
    """The ids and the table of pending calls are one thread's business, whoever calls."""
    found: dict[int, list[int]] = {}

    with blocking.open_runtime():
        worker = Worker.options(executor=WARY).remote()
        refs_seen: set[int] = set()

        def use(n: int) -> None:
            refs = [worker.call.remote(add, n * 1000, k) for k in range(100)]
            refs_seen.update(ref.call.id for ref in refs)
            for _ in range(5):
                worker.call.cast(fail, "unheard")
                with pytest.raises(ZeroDivisionError):
                    blocking.call(worker.eval, "1 / 0")
            found[n] = blocking.get(refs)

        threads = [threading.Thread(target=use, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert found == {n: [n * 1000 + k for k in range(100)] for n in range(8)}
        assert len(refs_seen) == 800
        assert blocking.call(worker.eval, "1 + 1") == 2
        assert blocking.statistics(worker).pending == 0


@over(PROCESSES)
@pytest.mark.slow
def test_errors_among_much_traffic_harm_no_other_call(backend: Backend) -> None:
    """What cannot be sent, cannot be read and is no Python comes between calls that are right, from many tasks."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker(max_concurrency=4).start()
        right: list[int] = []
        wrong: list[type] = []

        async def good(n: int) -> None:
            assert await worker.call(add, n, 1) == n + 1
            right.append(n)

        async def bad(n: int) -> None:
            sources = ("it()", "1 / 0", "1 +", "(x for x in [])")
            try:
                await worker.eval(sources[n % 4], given={"it": HalfWay})
            except (TaskError, Unsendable) as error:
                wrong.append(type(error))

        async with trio.open_nursery() as nursery:
            for n in range(MIXED):
                nursery.start_soon(good, n)
                nursery.start_soon(bad, n)
        assert sorted(right) == list(range(MIXED))
        assert len(wrong) == MIXED
        assert statistics(worker).incarnation == 1
        assert pending_everywhere(runtime) == []

    rehearse(scene, seconds=50)


@over(PROCESSES)
def test_of_several_calls_one_is_cancelled_and_the_others_go_on(backend: Backend, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker(max_concurrency=4).start()
        gate = tmp_path / "gate"
        others = [worker.call.remote(wait_for, str(gate)) for _ in range(2)]
        with trio.move_on_after(0.1):
            await worker.call(wait_for, str(tmp_path / "never"))
        await until(Path(f"{gate}.begun").exists)
        gate.touch()
        assert await get(others) == ["it came", "it came"]
        assert statistics(worker).incarnation == 1

    rehearse(scene)


def test_an_interrupt_of_a_worker_that_does_nothing_or_is_dead_changes_nothing() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=QUIET, restart="temporary").start()
        assert not await interrupt(worker)
        assert await worker.eval("1") == 1
        with pytest.raises(CallError):
            await worker.exec("import os; os._exit(0)")
        await until(lambda: statistics(worker).state == "dead")
        assert not await interrupt(worker)

    rehearse(scene)
