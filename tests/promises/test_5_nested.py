"""Promise 5 below a worker: when any level of workers of workers dies, all below it is gone, busy or not."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Literal

import pytest
import trio

from tests.cast_nested import Stack
from tests.rehearsal import rehearse, until
from understudy import Process, Runtime
from understudy.transports.system.means import has
from understudy.transports.system.processes import ENDED, below, listed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    pytest.mark.skipif(not has("parent_death"), reason="guests die with the keeper only there"),
]
LAUNCHES: list[Literal["zygote", "spawn"]] = ["zygote", "spawn"]
DEPTH = 2  # levels below the first


def alive(pid: int) -> bool:
    found = listed().get(pid)
    return found is not None and found.state != ENDED


async def standing(launch: Literal["zygote", "spawn"], busy: bool, mark: Path) -> list[int]:
    """The processes of a stack of workers, from the top."""
    Stack.options(executor=Process(stderr="keep", launch=launch)).remote().stand.cast(
        DEPTH, str(mark), busy, launch
    )
    await until(lambda: len(pids_in(mark)) == DEPTH + 1)
    return pids_in(mark)


def pids_in(mark: Path) -> list[int]:
    return [int(pid) for pid in mark.read_text().split()] if mark.exists() else []


@pytest.mark.parametrize("level", range(DEPTH + 1))
@pytest.mark.parametrize("busy", [False, True], ids=["asleep", "busy"])
@pytest.mark.parametrize("launch", LAUNCHES)
def test_when_a_level_is_killed_all_below_is_gone(
    launch: Literal["zygote", "spawn"], busy: bool, level: int, tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        pids = await standing(launch, busy, tmp_path / "mark")
        doomed = {pid for _, found in below(pids[level], listed()) for pid in [found.pid]} | {pids[level]}
        assert doomed >= set(pids[level:])
        if level < DEPTH:
            assert len(doomed) > len(pids[level:])  # the keepers between the levels

        os.kill(pids[level], signal.SIGKILL)
        with trio.fail_after(5):
            await until(lambda: not any(map(alive, doomed)))

    rehearse(scene, seconds=40)


def test_stopped_levels_are_gone_all_the_same(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        pids = await standing("zygote", False, tmp_path / "mark")
        for pid in pids[1:]:
            os.kill(pid, signal.SIGSTOP)
        os.kill(pids[0], signal.SIGKILL)
        with trio.fail_after(5):
            await until(lambda: not any(map(alive, pids)))

    rehearse(scene, seconds=40)


def test_when_the_runtime_closes_all_levels_are_gone(tmp_path: Path) -> None:
    pids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        executor = Process(stderr="keep")
        Stack.options(executor=executor, shutdown=0).remote().stand.cast(
            DEPTH, str(tmp_path / "mark"), True, "zygote"
        )
        await until(lambda: len(pids_in(tmp_path / "mark")) == DEPTH + 1)
        pids.extend(pids_in(tmp_path / "mark"))

    rehearse(scene, seconds=40)
    assert len(pids) == DEPTH + 1
    assert not any(map(alive, pids))
