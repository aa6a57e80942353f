"""Code that treats its process badly, two hosts at once, clocks that jump, and a thousand starts and stops."""

from __future__ import annotations

import ast
import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_ends import HASTY, Rude
from tests.rehearsal import QUIET, rehearse, run, until
from tests.transports.hosts import ROOT
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Runtime,
    interrupt,
    open_runtime,
    statistics,
    stop,
)
from understudy.actors.verbs import life_of
from understudy.transports.system.processes import ENDED, below, listed

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
pytestmark = pytest.mark.slow


async def running(handle: Any) -> None:
    await until(lambda: life_of(handle).incarnation and life_of(handle).incarnation.running())  # type: ignore[union-attr]


def alive() -> list[int]:
    return [process.pid for _, process in below(os.getpid(), listed()) if process.state != ENDED]


@linux
def test_code_that_forks_and_returns_in_both_processes_is_answered_once() -> None:
    async def scene(runtime: Runtime) -> None:
        rude = await Rude.start()
        child = await rude.fork_and_return()
        assert child > 0
        # The fork has no host: nothing that it says is heard, and it is gone with its actor at the latest.
        for n in range(20):
            assert await rude.echo(n) == n
        assert statistics(rude).incarnation == 1
        await stop(rude)
        await until(lambda: child not in alive())

    rehearse(scene)


def test_code_that_closes_all_descriptors_ends_its_process_and_no_other() -> None:
    async def scene(runtime: Runtime) -> None:
        rude, neighbour = await Rude.start(), await Rude.start()
        with pytest.raises(ActorUnavailableError):
            await rude.close_everything()
        assert await rude.echo(1) == 1
        assert statistics(rude).incarnation == 2
        assert await neighbour.echo(2) == 2
        assert statistics(neighbour).incarnation == 1

    rehearse(scene)


def test_code_that_leaves_without_a_word_is_told_by_its_status() -> None:
    async def scene(runtime: Runtime) -> None:
        rude = await Rude.start()
        with pytest.raises(ActorUnavailableError, match="status 7"):
            await rude.leave()
        assert await rude.echo(1) == 1

    rehearse(scene)


@linux
def test_threads_that_code_leaves_behind_neither_answer_nor_hold_up_the_end() -> None:
    async def scene(runtime: Runtime) -> None:
        rude = await Rude.start()
        assert await rude.start_threads(5) >= 6
        assert await rude.echo(1) == 1
        ref = rude.nap.remote(600)
        await running(rude)
        assert await interrupt(rude)
        with pytest.raises(CallInterruptedError):
            await ref
        pid = statistics(rude).pid
        assert await stop(rude)
        assert pid not in alive()

    rehearse(scene)


@linux
def test_a_process_that_renames_itself_is_known_all_the_same() -> None:
    async def scene(runtime: Runtime) -> None:
        rude = await Rude.start()
        await rude.rename()
        (status,) = [status for status in runtime.processes() if status.pid == statistics(rude).pid]
        assert (status.kind, status.actor) == ("guest", statistics(rude).path)
        assert await stop(rude)
        assert status.pid not in alive()

    rehearse(scene)


def test_code_that_ignores_all_signals_is_ended_all_the_same() -> None:
    async def scene(runtime: Runtime) -> None:
        rude = await Rude.options(executor=HASTY, shutdown=0.1).start()
        await rude.set_handlers()
        assert await rude.echo(1) == 1
        ref = rude.nap.remote(600)
        await running(rude)
        assert await interrupt(rude)
        with pytest.raises(ActorUnavailableError):
            await ref
        assert await stop(rude)
        with pytest.raises(ActorDiedError):
            await rude.echo(1)

    rehearse(scene)


@linux
def test_two_hosts_at_once_do_not_know_of_each_other() -> None:
    script = (
        "import trio\n"
        "from tests.cast_ends import Rude\n"
        "from understudy import open_runtime, statistics\n"
        "async def main():\n"
        "    async with open_runtime() as runtime:\n"
        "        rude = await Rude.options(name='same').start()\n"
        "        print(statistics(rude).pid, flush=True)\n"
        "        await trio.to_thread.run_sync(input)\n"
        "        print(await rude.echo(7), flush=True)\n"
        "trio.run(main)\n"
    )
    hosts = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        pids = [int(host.stdout.readline()) for host in hosts if host.stdout]
        hosts[0].kill()
        hosts[0].wait(10)
        while os.path.exists(f"/proc/{pids[0]}"):
            time.sleep(0.01)
        told, _ = hosts[1].communicate("\n", timeout=30)
        assert told == "7\n"
        assert hosts[1].returncode == 0
    finally:
        for host in hosts:
            host.kill()
            host.communicate()


def test_a_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, jump = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + jump[0])

    async def scene(runtime: Runtime) -> None:
        rude = await Rude.options(executor=QUIET, call_timeout=30.0).start()
        for jumped in (10.0**6, -(10.0**6)):
            ref = rude.nap.remote(0.2)
            jump[0] = jumped
            assert await ref == 0.2
        with pytest.raises(GetTimeoutError):
            await rude.nap.options(timeout=0.1)(600)
        assert await rude.echo(1) == 1

    rehearse(scene)


CALENDAR = {"understudy/recording/", "understudy/demo/"}  # what people read may tell the time of day


def test_nothing_is_timed_by_the_clock_of_the_calendar() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ("transports", "actors", "supervisors", "understudy")
        for path in (ROOT / room).rglob("*.py")
        if path.resolve() == path
        if not any(str(path.relative_to(ROOT)).startswith(part) for part in CALENDAR)
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("time.time", "datetime.now", "time.time_ns")
    ]
    assert not found


def footprint() -> dict[str, int]:
    gc.collect()
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "processes": len(alive()),
        "files": len(list(Path("/dev/shm").iterdir())) if os.path.isdir("/dev/shm") else 0,
    }


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@linux
@pytest.mark.timeout(300)
def test_two_hundred_starts_and_stops_leave_nothing_behind() -> None:
    async def cycle() -> None:
        rude = await Rude.options(executor=QUIET).start()
        assert await rude.echo(1) == 1
        assert await stop(rude)

    async def cycles(count: int) -> None:
        for _ in range(count):
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(cycle)

    async def play() -> None:
        async with open_runtime():
            await cycles(4)
            before, memory = footprint(), resident()
            await cycles(40)
            assert footprint() == before
            assert resident() < memory + 8 * 1024 * 1024

    run(play, seconds=280)


@linux
def test_runtimes_that_come_and_go_leave_nothing_behind() -> None:
    async def cycle() -> None:
        async with open_runtime():
            assert await (await Rude.options(executor=QUIET).start()).echo(1) == 1

    async def play() -> None:
        await cycle()
        await cycle()
        before = footprint()
        for _ in range(8):
            await cycle()
        assert footprint() == before

    run(play, seconds=55)
