"""Ctrl-C and SIGTERM: heeded where a runtime was asked to, restored afterwards, and never a guest's business."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import trio

from tests.cast import Endless
from tests.cast_nested import Here
from tests.rehearsal import QUIET, until
from tests.transports.hosts import ROOT
from understudy import CallInterruptedError, NoRuntimeError, Runtime, get, open_runtime, statistics
from understudy.actors.verbs import life_of
from understudy.supervisors.signals import SignalHeard

slow = pytest.mark.slow


def press(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def play(scene: Callable[[Runtime], Any], **options: Any) -> None:
    async def main() -> None:
        with trio.fail_after(20):
            async with open_runtime(handle_signals=True, **options) as runtime:
                await scene(runtime)

    trio.run(main)


async def running(handle: Any) -> None:
    await until(lambda: life_of(handle).incarnation and life_of(handle).incarnation.running())  # type: ignore[union-attr]


@slow
def test_the_first_ctrl_c_interrupts_what_runs_and_all_live_on() -> None:
    async def scene(runtime: Runtime) -> None:
        ones = [await Endless.start() for _ in range(2)]
        refs = [one.spin.remote() for one in ones]
        for one in ones:
            await running(one)
        async with runtime.events() as events:
            press()
            for ref in refs:
                with pytest.raises(CallInterruptedError):
                    await ref
            heard = [event for event in events.held if isinstance(event, SignalHeard)]
        assert [(event.number, event.stops) for event in heard] == [(signal.SIGINT, False)]
        assert await get([one.add.remote() for one in ones]) == [1, 1]
        assert [statistics(one).incarnation for one in ones] == [1, 1]

    play(scene)


@slow
def test_the_second_ctrl_c_stops_all_in_order() -> None:
    ends: list[str] = []

    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        ends.append(str(statistics(endless).pid))
        press()
        await trio.sleep(0.01)
        press()
        try:
            await trio.sleep_forever()
        finally:
            ends.append("the block was left")

    with pytest.raises(KeyboardInterrupt):
        play(scene)
    assert ends[1:] == ["the block was left"]
    assert not os.path.exists(f"/proc/{ends[0]}")


def test_sigterm_stops_all_in_order_with_the_status_that_shells_expect() -> None:
    async def scene(runtime: Runtime) -> None:
        press(signal.SIGTERM)
        await trio.sleep_forever()

    with pytest.raises(SystemExit) as ended:
        play(scene)
    assert ended.value.code == 128 + signal.SIGTERM


@slow
def test_a_third_ctrl_c_kills_what_does_not_stop() -> None:
    async def scene(runtime: Runtime) -> None:
        deaf = await Endless.options(executor=QUIET, shutdown=600).start()
        deaf.protected.cast(600)
        await running(deaf)
        press()
        press()
        runtime.house.stage.timers.after(0.2, press)
        await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        play(scene)


@slow
def test_where_the_loop_does_not_run_a_ctrl_c_is_raised_there_in_the_end() -> None:
    started: list[subprocess.Popen[bytes]] = []

    async def scene(runtime: Runtime) -> None:
        here = Here.remote()
        await here.add(1, 1)
        started.append(press_later())
        await here.spin()

    with pytest.raises(KeyboardInterrupt):
        play(scene)
    assert started[0].wait(20) == 0


def press_later() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-S", "-c", REPEAT, str(os.getpid())])


REPEAT = """
import os, signal, sys, time
for _ in range(3):
    time.sleep(0.2)
    os.kill(int(sys.argv[1]), signal.SIGINT)
"""


def test_handlers_are_those_from_before_when_the_runtime_has_closed() -> None:
    def mine(number: int, frame: object) -> None: ...

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, mine)
    inside: list[Any] = []

    async def scene(runtime: Runtime) -> None:
        inside.append(signal.getsignal(signal.SIGTERM))

    try:
        play(scene)
        assert inside != [mine]
        assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGINT) is before[signal.SIGINT]
    finally:
        signal.signal(signal.SIGTERM, before[signal.SIGTERM])


def test_nothing_is_handled_unless_it_is_asked_for() -> None:
    async def main() -> None:
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        async with open_runtime():
            assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

    trio.run(main)


def test_outside_the_main_thread_it_is_refused() -> None:
    async def scene(runtime: Runtime) -> None: ...

    def elsewhere() -> None:
        with pytest.raises(NoRuntimeError, match="main thread"):
            play(scene)

    async def main() -> None:
        await trio.to_thread.run_sync(elsewhere)

    trio.run(main)


@slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a terminal of its own")
def test_ctrl_c_at_the_terminal_reaches_no_guest() -> None:
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL],
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    os.close(theirs)
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        os.write(ours, b"\x03")
        assert program.stdout.read() == "Ctrl-C\nslept\nincarnation 1\n"
        assert program.wait(20) == 0
    finally:
        program.kill()
        program.communicate()
        os.close(ours)


AT_A_TERMINAL = """
import fcntl, signal, termios
import trio
from tests.cast_nested import Leaf
from understudy import open_runtime, statistics

fcntl.ioctl(0, termios.TIOCSCTTY, 0)

async def main():
    async with open_runtime():
        leaf = await Leaf.start()
        ref = leaf.nap.remote(1.0)
        with trio.open_signal_receiver(signal.SIGINT) as signals:
            print("ready", flush=True)
            async for number in signals:
                print("Ctrl-C", flush=True)
                break
        print(await ref, flush=True)
        print("incarnation", statistics(leaf).incarnation, flush=True)

trio.run(main)
"""
