"""Promise 5, however the host's interpreter is left with a runtime open: all is stopped, nothing hangs, no storm."""

from __future__ import annotations

import signal
import subprocess
import sys
from subprocess import DEVNULL
from uuid import uuid4

import pytest

from tests.transports.hosts import MARK, ROOT, environ_of, gone
from understudy.transports.system.means import has

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    pytest.mark.slow,
]

SCRIPT = """
import gc, os, signal, sys, threading, time, trio
from tests.transports.company import Tester
from understudy import Local, Process, Supervisor, get, open_runtime

OPTIONS = dict(executor=Process(stderr="keep", environ={{{mark!r}: os.environ[{mark!r}]}}), shutdown=0.1)

async def busy(runtime):
    testers = [await Tester.options(**OPTIONS).start() for _ in range(3)]
    testers[0].spin.cast()
    testers[1].sleep.cast(1000.0)
    await testers[2].spawn({kind!r})
    refs = [tester.echo.remote(1) for tester in testers]
    return testers

async def leave(way):
    await trio.sleep(0.05)
    exec(way)

async def main():
    {main}

{run}
"""

IN_THE_BODY = """async with open_runtime() as runtime:
        testers = await busy(runtime)
        {way}
        await trio.sleep_forever()"""
IN_A_TASK = """async with open_runtime() as runtime, trio.open_nursery() as nursery:
        testers = await busy(runtime)
        nursery.start_soon(leave, {way!r})
        await trio.sleep_forever()"""
BESIDE = """async with trio.open_nursery() as nursery:
        nursery.start_soon(leave, {way!r})
        async with open_runtime() as runtime:
            testers = await busy(runtime)
            await trio.sleep_forever()"""
AS_IT_STARTS = """async with trio.open_nursery() as nursery:
        nursery.start_soon(leave, {way!r})
        tree = Supervisor(*(Tester.options(id=f"t{{n}}", **OPTIONS).child() for n in range(20)))
        async with open_runtime(tree) as runtime:
            await busy(runtime)
            await trio.sleep_forever()"""

RUN = "trio.run(main)"
IN_A_DAEMON = """
threading.Thread(target=trio.run, args=(main,), daemon=True).start()
time.sleep(0.5)
"""
ABANDONED = """
import asyncio

async def host():
    trio.lowlevel.start_guest_run(
        main, run_sync_soon_threadsafe=asyncio.get_running_loop().call_soon_threadsafe, done_callback=print
    )
    await asyncio.sleep(0.7)

asyncio.run(host())
"""

KIND = "session" if has("subreaper") else "child"  # what is found when its guest is gone

WAYS = {
    "sys.exit": ("sys.exit(3)", 3),
    "an exception": ("raise ValueError('out')", 1),
    "os._exit": ("os._exit(4)", 4),
    "a signal": ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    "Ctrl-C": ("os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
    "an abort": ("os.abort()", -signal.SIGABRT),
}
PLACES = {
    "in the body": IN_THE_BODY,
    "in a task": IN_A_TASK,
    "beside it": BESIDE,
    "as it starts": AS_IT_STARTS,
}


def left(main: str, run: str = RUN) -> tuple[int, str]:
    """Run a script to its end; returns its status and what it said, once nothing of it is left."""
    mark = uuid4().hex
    script = SCRIPT.format(mark=MARK, kind=KIND, main=main, run=run)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environ_of(mark),
        stdin=DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert gone(mark=mark)
    return done.returncode, done.stderr


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES)
def test_a_script_may_be_left_in_any_way(way: str, place: str) -> None:
    line, expected = WAYS[way]
    if way == "sys.exit" and place != "in the body":
        expected = 1  # a nursery of the script's own wraps it in a group, and Python prints that
    status, said = left(PLACES[place].format(way=line))

    assert status == expected, said
    assert said.count("Traceback") <= 2, said
    assert not any(word in said for word in ("Exception ignored", "was destroyed", "never awaited")), said


def test_an_interpreter_that_exits_under_a_daemon_thread() -> None:
    status, said = left(IN_THE_BODY.format(way="pass"), IN_A_DAEMON)

    assert status == 0, said
    assert "Traceback" not in said


def test_an_event_loop_that_is_closed_under_the_runtime() -> None:
    """The runtime's coroutine is dropped as it stands; what trio says of that is not ours."""
    status, said = left(IN_THE_BODY.format(way="pass"), ABANDONED)

    assert status == 0, said
    assert said.count("Traceback") <= 1, said
