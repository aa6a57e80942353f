"""Code in a worker has a runtime of its own: workers below it, verbs for both sides, interrupts that reach all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_nested import Async, Both, Leaf, OnAsyncio, Plain, Tower
from tests.rehearsal import QUIET, rehearse, until
from understudy import CallInterruptedError, Runtime, TaskError, Unsendable, get, interrupt, statistics

WAYS: list[tuple[Any, str]] = [
    (Plain, "add_by_trio"),
    (Plain, "add_by_blocking"),
    (Async, "add"),
    (OnAsyncio, "add"),
]
STUCK: list[tuple[Any, str, list[str]]] = [
    (Plain, "spin_by_trio", ["ended", "left"]),
    (Plain, "spin_by_blocking", ["ended", "left"]),
    (Async, "spin", ["ended", "left"]),
    (OnAsyncio, "spin", ["ended", "left"]),
    (Plain, "cast_by_trio", ["ended"]),
    (Plain, "stuck_by_trio", []),
    (Plain, "local_by_trio", []),
    (Plain, "only_trio", ["left"]),
    (Plain, "only_asyncio", ["left"]),
]


def lines(mark: Path) -> list[str]:
    return mark.read_text().split() if mark.exists() else []


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "name"), WAYS, ids=lambda value: getattr(value, "__name__", value))
def test_code_in_a_worker_has_workers_of_its_own(cls: Any, name: str) -> None:
    """Malt N1."""

    async def scene(runtime: Runtime) -> None:
        worker = await cls.start()
        assert await getattr(worker, name)(1, 1) == 2
        assert await getattr(worker, name)(2, 3) == 5
        assert statistics(worker).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["trio", "blocking"])
def test_workers_have_workers_to_any_depth(way: str) -> None:
    """Malt N2, one deeper."""

    async def scene(runtime: Runtime) -> None:
        tower = await Tower.start()
        pids = await tower.pids(3, way)

        assert len(set(pids)) == 4
        assert pids[0] == statistics(tower).pid
        assert os.getpid() not in pids

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "name", "told"), STUCK, ids=lambda value: getattr(value, "__name__", None))
def test_an_interrupt_reaches_what_runs_below_a_worker_leaves_first(
    cls: Any, name: str, told: list[str], tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        mark = tmp_path / "mark"
        worker = await cls.start()
        ref = getattr(worker, name).remote(str(mark))
        await until(lambda: "begun" in lines(mark))

        assert await interrupt(worker)
        with pytest.raises(CallInterruptedError):
            await ref
        assert lines(mark) == ["begun", *told]
        assert statistics(worker).incarnation == 1
        assert await worker.idle() == "idle"

    rehearse(scene)


@pytest.mark.slow
def test_an_interrupt_reaches_the_leaves_of_a_tower(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        mark = tmp_path / "mark"
        tower = await Tower.start()
        ref = tower.spin.remote(2, str(mark))
        await until(lambda: "begun" in lines(mark))

        assert await interrupt(tower)
        with pytest.raises(CallInterruptedError):
            await ref
        assert lines(mark) == ["begun", "ended", "left-1", "left-2"]
        assert await tower.pids(1, "trio")

    rehearse(scene)


@pytest.mark.slow
def test_verbs_in_a_nested_runtime_are_its_own_and_those_of_the_host_go_by_way_of_it() -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.options(name="theirs", executor=QUIET).start()
        both = await Both.start()
        told = await both.look(leaf)

        assert told == {
            "own call": 3, "own ref": 7, "own wait": [1, 0], "own put": 5, "own name": 11, "own statistics": "ready",
            "own interrupt": False, "own kill": "dead", "own downs": ["own"], "own local actor": "here-1",
            "their call": 30, "their ref": 70, "their wait": [1, 0], "their interrupt": False, "their name, before": 12,
            "their actor": "both-1", "their call here": "look", "a scope": 13,
            "tree": True,
        }  # fmt: skip
        assert await leaf.add(1, 1) == 2

    rehearse(scene)


@pytest.mark.slow
def test_verbs_of_blocking_are_for_both_sides_as_well() -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.options(executor=QUIET).start()
        plain = await Plain.start()

        assert await plain.both_by_blocking(leaf) == [3, 30, 7, 70, "ready", "idle"]

    rehearse(scene)


@pytest.mark.slow
def test_a_runtime_kept_between_the_calls_of_a_worker_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        plain = await Plain.start()
        await plain.keep()

        assert [await plain.use(n) for n in range(3)] == [0, 1, 2]
        assert await plain.give_up() == 0

    rehearse(scene)


@pytest.mark.slow
def test_a_handle_of_the_one_runtime_is_refused_in_the_other() -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.options(executor=QUIET).start()
        both = await Both.start()

        with pytest.raises(TaskError, match="another runtime"):
            await both.hand_down(leaf)
        with pytest.raises(Unsendable, match="another runtime"):
            await both.hand_up()
        assert await get(both.idle.remote()) == "idle"

    rehearse(scene)


def test_where_no_runtime_is_open_the_error_says_so() -> None:
    async def scene(runtime: Runtime) -> None:
        with trio.fail_after(10):
            plain = await Plain.start()
            with pytest.raises(TaskError, match="NoRuntimeError"):
                await plain.thread_asks()

    rehearse(scene)
