"""A spare: forked ahead, it becomes the next guest and no other; one that cannot is done without."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import Any

import pytest

from tests.cast_zygote import Looker
from tests.rehearsal import QUIET, keeper_of, rehearse, until
from tests.transports.hosts import alive, children, gone
from understudy import Runtime, wait_ready
from understudy.transports.system.means import has

pytestmark = pytest.mark.skipif(not has("zygote"), reason="each guest starts an interpreter of its own here")


async def start(**options: Any) -> Any:
    return await Looker.options(executor=replace(QUIET, **options)).start()


def spares(runtime: Runtime) -> list[int]:
    """Of this runtime's zygote; keepers that wait for the next runtime may have some too."""
    keeper = keeper_of(runtime).pid
    return [status.pid for status in runtime.processes() if (status.kind, status.parent) == ("spare", keeper)]


async def spare_of(runtime: Runtime) -> int:
    """The spare, after two launches."""
    await start()
    await start()
    await until(lambda: spares(runtime))
    (pid,) = spares(runtime)
    return pid


@pytest.mark.cold
def test_the_first_launch_has_none_behind_it() -> None:
    async def scene(runtime: Runtime) -> None:
        looker = await start()
        assert await looker.pids() == (children(keeper_of(runtime).pid)[0], keeper_of(runtime).pid)
        assert children(keeper_of(runtime).pid) == [(await looker.pids())[0]]

    rehearse(scene)


def test_it_becomes_the_next_guest_and_another_takes_its_place() -> None:
    async def scene(runtime: Runtime) -> None:
        spare = await spare_of(runtime)
        assert await (await start()).pids() == (spare, keeper_of(runtime).pid)
        await until(lambda: spares(runtime) not in ([], [spare]))

    rehearse(scene)


def test_what_a_guest_is_given_comes_when_it_is_told_whom_to_become(tmp_path: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spare = await spare_of(runtime)
        guest = await start(environ={"ROLE": "ghost"}, folder=str(tmp_path))
        assert (await guest.pids())[0] == spare
        assert (await guest.environments("ROLE"))[0] == "ghost"
        assert os.readlink(f"/proc/{spare}/cwd") == str(tmp_path)
        plain = await start()
        assert (await plain.environments("ROLE"))[0] is None

    rehearse(scene)


def test_two_that_were_forked_ahead_have_chances_of_their_own() -> None:
    async def scene(runtime: Runtime) -> None:
        await spare_of(runtime)
        drawn: set[float] = set()
        for _ in range(3):
            await until(lambda: spares(runtime))
            drawn.add((await (await start()).chance())[0])
        assert len(drawn) == 3

    rehearse(scene)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_is_dead_or_stopped_is_not_used(number: int) -> None:
    async def scene(runtime: Runtime) -> None:
        spare = await spare_of(runtime)
        os.kill(spare, number)
        await until(lambda: not alive(spare))
        guest = await start()
        assert (await guest.pids())[0] != spare

    rehearse(scene)


def test_one_that_cannot_live_is_forked_once_for_each_launch() -> None:
    async def scene(runtime: Runtime) -> None:
        spare = await spare_of(runtime)
        os.kill(spare, signal.SIGKILL)
        await until(lambda: not alive(spare))
        assert not spares(runtime)
        await start()
        await until(lambda: spares(runtime))

    rehearse(scene)


def test_a_restart_finds_it_ready() -> None:
    async def scene(runtime: Runtime) -> None:
        looker = await Looker.options(executor=QUIET, max_restarts=-1).start()
        await start()
        await until(lambda: spares(runtime))
        (spare,) = spares(runtime)
        os.kill((await looker.pids())[0], signal.SIGKILL)
        await until(lambda: not spares(runtime) or spares(runtime) != [spare])
        await wait_ready(looker)
        assert (await looker.pids())[0] == spare

    rehearse(scene)


@pytest.mark.cold
def test_it_goes_with_its_zygote_and_with_the_runtime() -> None:
    seen: list[int] = []

    async def scene(runtime: Runtime) -> None:
        seen.append(await spare_of(runtime))
        os.kill(keeper_of(runtime).pid, signal.SIGKILL)
        await until(lambda: not alive(seen[0]))
        await (await start()).pids()
        seen.append(await spare_of(runtime))

    rehearse(scene)
    assert gone(*seen)
