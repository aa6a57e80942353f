"""Standbys: a restart takes a guest that waits, with the actor's code loaded, and orders the next."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.cast import Player
from tests.cast_standby import Late
from tests.rehearsal import QUIET, keeper_of, rehearse, until
from understudy import Process, Runtime, Supervisor, get_actor, kill, statistics
from understudy.actors.standby import Reserve
from understudy.transports.system.means import has

WARM = replace(QUIET, standby=1)


def reserve_of(runtime: Runtime, path: str) -> Reserve:
    reserve: Reserve = runtime.house.stage.reserves[path]
    return reserve


async def prepared(runtime: Runtime, path: str, count: int = 1) -> list[int]:
    """Wait until so many standbys are ready to go on; returns their processes."""
    await until(lambda: path in runtime.house.stage.reserves)
    reserve = reserve_of(runtime, path)
    await until(lambda: sum(one.is_prepared for one in reserve.waiting) == count)
    return reserve.pids


async def killed(actor: Any, number: int = 2) -> None:
    os.kill(statistics(actor).pid, signal.SIGKILL)
    await until(lambda: (statistics(actor).incarnation, statistics(actor).state) == (number, "ready"))


@pytest.mark.parametrize("launch", ["zygote", "spawn"])
def test_a_restart_takes_the_standby_and_orders_the_next(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=replace(WARM, launch=launch), id="p", max_restarts=-1).start(3)
        (first,) = await prepared(runtime, "p")
        await killed(player)
        assert statistics(player).pid == first
        assert await player.add(4) == 7
        assert (await player.who())[4] == 2  # which incarnation it is, by its own account
        (second,) = await prepared(runtime, "p")
        assert second != first

    rehearse(scene)


def test_a_standby_has_loaded_the_class_and_has_not_made_the_actor(tmp_path: Any) -> None:
    log = tmp_path / "log"

    async def scene(runtime: Runtime) -> None:
        actor = await Late.options(executor=WARM, id="s", max_restarts=-1).start(str(log))
        (standby,) = await prepared(runtime, "s")
        assert [line.split()[0] for line in log.read_text().splitlines()] == [str(statistics(actor).pid)]
        between = time.monotonic()
        await killed(actor)
        pid, loaded, made = log.read_text().splitlines()[1].split()
        assert int(pid) == standby
        assert float(loaded) < between < float(made)

    rehearse(scene)


def test_a_class_that_travels_by_value_is_loaded_once() -> None:
    async def scene(runtime: Runtime) -> None:
        executor = replace(WARM, packages="none")
        player = await Player.options(executor=executor, id="p", max_restarts=-1).start(1)
        await prepared(runtime, "p")
        await killed(player)
        assert await player.add(1) == 2

    rehearse(scene)


def test_a_standby_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.actors.standby.AGAIN", 0.01)

    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=WARM, id="p", max_restarts=-1).start()
        (first,) = await prepared(runtime, "p")
        os.kill(first, signal.SIGKILL)
        await until(lambda: first not in reserve_of(runtime, "p").pids)
        (second,) = await prepared(runtime, "p")
        assert second != first
        assert statistics(player).incarnation == 1

    rehearse(scene)


def test_a_standby_that_is_stopped_is_not_used() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=WARM, id="p", max_restarts=-1).start()
        (stopped,) = await prepared(runtime, "p")
        os.kill(stopped, signal.SIGSTOP)
        process = reserve_of(runtime, "p").waiting[0].process
        assert process is not None
        await until(lambda: process.stopped)
        await killed(player)
        assert statistics(player).pid != stopped
        await until(lambda: not os.path.exists(f"/proc/{stopped}"))

    rehearse(scene)


def test_as_many_wait_as_are_wanted_and_all_are_in_the_tree() -> None:
    async def scene(runtime: Runtime) -> None:
        await Player.options(executor=replace(WARM, standby=3), id="p").start()
        pids = await prepared(runtime, "p", 3)
        tree = runtime.tree(all=True)
        assert all(f"    standby  process {pid}\n" in tree for pid in pids)
        assert tree.count("process") - tree.count("understudy: spare") == 5
        assert "standby" not in runtime.tree()

    rehearse(scene)


@pytest.mark.skipif(not has("zygote"), reason="one keeper starts all guests here")
def test_a_standby_of_a_zygote_that_died_is_not_taken() -> None:
    async def scene(runtime: Runtime) -> None:
        await Player.options(executor=WARM, id="p").start()
        (pid,) = await prepared(runtime, "p")
        reserve = runtime.house.stage.reserves["p"]
        keeper_of(runtime).lost()
        assert reserve.take() is None
        assert pid not in reserve.pids

    rehearse(scene)


@pytest.mark.cold
def test_standbys_go_with_their_actor_and_with_the_runtime() -> None:
    pids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        one = await Player.options(executor=WARM, id="one").start()
        await Player.options(executor=WARM, id="two").start()
        pids.extend(await prepared(runtime, "one") + await prepared(runtime, "two"))
        await kill(one)
        await until(lambda: not os.path.exists(f"/proc/{pids[0]}"))
        assert list(runtime.house.stage.reserves) == ["two"]

    before = len(os.listdir("/proc/self/fd"))
    rehearse(scene)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(not has("zygote"), reason="there is one keeper for all here")
def test_standbys_that_fall_with_their_zygote_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.actors.standby.AGAIN", 0.01)
    tree = Supervisor(Player.options(executor=WARM, id="p").child())

    async def scene(runtime: Runtime) -> None:
        (first,) = await prepared(runtime, "p")
        os.kill(keeper_of(runtime).pid, signal.SIGKILL)
        player = get_actor("p", Player)
        await until(lambda: statistics(player).incarnation > 1 and statistics(player).state == "ready")
        (second,) = await prepared(runtime, "p")
        assert first not in (second, statistics(player).pid)

    rehearse(scene, tree)


def test_how_many_is_checked() -> None:
    with pytest.raises(ValueError, match="standby must be a count of 0 or more, not -1"):
        Process(standby=-1)
