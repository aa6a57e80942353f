"""Promise 5, seen from a program that lives on: a closed runtime leaves no process, descriptor or task behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cast import Endless, Faller, Starter
from tests.rehearsal import LOCAL, QUIET, keeper_of, rehearse, until
from understudy import ActorStartError, Runtime, get, kill, statistics

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@linux
@pytest.mark.cold
def test_a_closed_runtime_leaves_no_guest_whatever_it_did() -> None:
    pids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        for name in ("spin", "nap", "swallow_deaf"):
            endless = await Endless.options(shutdown=0).start()
            getattr(endless, name).cast()
            pids.append(statistics(endless).pid)
        pids.append(keeper_of(runtime).pid)

    rehearse(scene)
    assert len(set(pids)) == 4
    assert not any(alive(pid) for pid in pids)


@linux
@pytest.mark.cold
def test_a_body_that_raises_leaves_no_guest_either() -> None:
    pids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(shutdown=0).start()
        endless.spin.cast()
        pids.extend((statistics(endless).pid, keeper_of(runtime).pid))
        raise ValueError("out")

    with pytest.raises(ValueError, match="out"):
        rehearse(scene)
    assert not any(alive(pid) for pid in pids)


@linux
def test_a_killed_actor_is_gone_when_kill_returns() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        endless.swallow_deaf.cast()
        pid = statistics(endless).pid
        await kill(endless)
        await until(lambda: not alive(pid))

    rehearse(scene)


@linux
def test_lives_deaths_and_failed_starts_leak_no_descriptor() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET, max_restarts=-1).start()
        before = descriptors()
        for _ in range(5):
            await kill(faller, no_restart=False)
            assert await faller.add() == 1
            with pytest.raises(ActorStartError):
                await Starter.start("raise")
        await until(lambda: descriptors() <= before)

    before = descriptors()
    rehearse(scene)
    assert descriptors() == before


def test_a_thousand_dead_actors_leave_no_task_and_no_name() -> None:
    async def scene(runtime: Runtime) -> None:
        handles = [await Faller.options(executor=LOCAL).start() for _ in range(1000)]
        await get([handle.add.remote() for handle in handles])
        for handle in handles:
            await kill(handle)
        await until(lambda: len(runtime.house.nursery.child_tasks) < 20)
        assert runtime.house.registry.paths == {}
        assert runtime.dynamic.children == {}
        assert runtime.dynamic.core.children == {}

    rehearse(scene)
