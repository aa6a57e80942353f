"""`runtime.processes()` is the system's own list of what is below us, and says what each is for."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Literal

import pytest

from tests.cast import Endless
from tests.cast_nested import Leaf
from tests.rehearsal import LOCAL, QUIET, rehearse, until
from understudy import Process, Runtime, kill, statistics
from understudy.transports.system.means import has
from understudy.transports.system.processes import below, listed, told

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.mark.slow
def test_it_equals_what_the_system_lists_below_us() -> None:
    async def scene(runtime: Runtime) -> None:
        leaves = [await Leaf.start() for _ in range(2)]
        spawned = await Leaf.options(executor=Process(stderr="keep", launch="spawn")).start()
        await Leaf.options(executor=LOCAL).start()
        child = await spawned.beget()
        shown = {status.pid: status for status in runtime.processes()}

        assert set(shown) == {process.pid for _, process in below(os.getpid(), listed())}
        for handle in (*leaves, spawned):
            status = shown[statistics(handle).pid]
            assert (status.kind, status.actor) == ("guest", statistics(handle).path)
            assert status.rss >= status.pss > 0
            assert status.uptime >= 0
        assert (shown[child].kind, shown[child].actor) == ("other", statistics(spawned).path)
        assert {shown[status.parent].kind for status in shown.values() if status.kind == "guest"} <= {
            "keeper",
            "zygote",
        }
        with pytest.raises(FrozenInstanceError):
            shown[child].pid = 1  # type: ignore[misc]

    rehearse(scene)


@pytest.mark.parametrize("launch", ["zygote", "spawn"])
def test_a_guest_is_shown_by_its_label_however_it_was_launched(launch: Literal["zygote", "spawn"]) -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.options(executor=Process(stderr="keep", launch=launch), name="leaf").start()
        (status,) = [status for status in runtime.processes() if status.pid == statistics(leaf).pid]
        assert status.label == f"understudy: {statistics(leaf).path} (Leaf)"

    rehearse(scene)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("python -I /a b/guests/bootstrap.py greeting 3 understudy: x (X)", "understudy: x (X)"),
        ("understudy: the walls of x python /guests/bootstrap.py greeting 3 understudy: x (X)", None),
        ("echo understudy: x", None),
    ],
)
def test_only_the_command_of_a_guest_is_read_for_its_label(command: str, shown: str | None) -> None:
    assert told(command) == (shown or command)


@pytest.mark.slow
@pytest.mark.skipif(not has("zygote"), reason="standbys are forks")
def test_a_standby_is_told_from_a_guest() -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.options(executor=Process(stderr="keep", standby=1)).start()
        path = statistics(leaf).path
        await until(
            lambda: (
                sorted(status.kind for status in runtime.processes() if status.actor == path)
                == ["guest", "standby"]
            )
        )

    rehearse(scene)


def test_a_process_that_is_gone_is_not_listed() -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.start()
        pid = statistics(leaf).pid
        await kill(leaf)

        assert pid not in {status.pid for status in runtime.processes()}

    rehearse(scene)


def test_what_is_not_of_this_runtime_is_other() -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)  # noqa: ASYNC220
        try:
            (status,) = [status for status in runtime.processes() if status.pid == stranger.pid]
            assert (status.kind, status.actor, status.parent) == ("other", "", os.getpid())
        finally:
            stranger.communicate()

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.skipif(not has("page"), reason="the page tells")
def test_statistics_tell_what_a_process_has_done_and_used() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(executor=QUIET).start()
        for _ in range(3):
            await endless.add()
        idle = statistics(endless)
        assert (idle.calls, idle.busy_since) == (3, None)
        assert idle.uptime is not None
        assert idle.uptime >= 0
        assert idle.rss >= idle.pss > 0

        endless.spin.cast()
        await until(lambda: statistics(endless).busy_since)
        busy, spent = statistics(endless), statistics(endless).cpu
        await until(lambda: statistics(endless).cpu > spent + 0.05)
        assert busy.calls == 3
        assert statistics(endless).busy_since == busy.busy_since
        assert statistics(endless).uptime > busy.uptime  # type: ignore[operator]
        await kill(endless)
        assert (statistics(endless).rss, statistics(endless).uptime) == (0, None)

    rehearse(scene)
