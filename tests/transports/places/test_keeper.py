"""The keeper starts guests with the descriptors in their places, reaps them, and tells of every change."""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from understudy.transports.hub import Hub, make_hub
from understudy.transports.places.keeper import Keeper
from understudy.transports.places.process import Command, GuestProcess, describe_status
from understudy.transports.ticks import EndOfTick
from understudy.transports.timers import Timers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes as POSIX has them")


class Stage:
    """A keeper, and pipes for what its guests say."""

    def __init__(self, hub: Hub, timers: Timers) -> None:
        self.keeper = Keeper(hub, timers)

    async def launch(
        self, script: str, *places: int, environ: dict[str, str] | None = None
    ) -> tuple[GuestProcess, list[int]]:
        """Start a script that finds the writing end of a pipe at each place; returns the reading ends."""
        pipes = [os.pipe() for _ in places]
        command = Command((sys.executable, "-IS", "-c", script), environ or {})
        try:
            guest = await self.keeper.launch(command, [end for _, end in pipes], places)
        finally:
            for _, end in pipes:
                os.close(end)
        return guest, [end for end, _ in pipes]


def play(scene: Callable[[Stage], Awaitable[Any]]) -> None:
    async def main() -> None:
        hub = make_hub()
        ticks = EndOfTick(hub.arrived)
        async with trio.open_nursery() as nursery:
            await nursery.start(hub.run)
            await nursery.start(ticks.run)
            timers = Timers()
            await nursery.start(timers.run)
            stage = Stage(hub, timers)
            try:
                with trio.fail_after(20):
                    await scene(stage)
            finally:
                await stage.keeper.close()
            nursery.cancel_scope.cancel()

    trio.run(main)


async def ended(guest: GuestProcess) -> int | None:
    over = trio.Event()
    guest.on_end = over.set
    if not guest.ended:
        await over.wait()
    return guest.status


async def told(end: int) -> bytes:
    async with trio.lowlevel.FdStream(end) as stream:
        return b"".join([part async for part in stream])


async def until(condition: Callable[[], Any]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await trio.sleep(0.005)


@pytest.mark.parametrize(
    ("script", "status"),
    [("pass", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)],
)
def test_the_exit_status_is_told(script: str, status: int) -> None:
    async def scene(stage: Stage) -> None:
        guest, _ = await stage.launch(script)

        assert await ended(guest) == status

    play(scene)


def test_descriptors_are_found_in_their_places_whatever_their_numbers_were() -> None:
    async def scene(stage: Stage) -> None:
        script = "import os\nfor n in (3, 9, 4): os.write(n, b'at %d' % n)"
        guest, ends = await stage.launch(script, 3, 9, 4)
        words = [await told(end) for end in ends]

        assert (words, await ended(guest)) == ([b"at 3", b"at 9", b"at 4"], 0)

    play(scene)


def test_guests_launched_at_once_get_each_its_own_descriptors() -> None:
    async def scene(stage: Stage) -> None:
        got: dict[int, bytes] = {}

        async def one(n: int) -> None:
            guest, (end,) = await stage.launch(f"import os; os.write(3, b'{n}')", 3)
            got[n] = await told(end)
            await ended(guest)

        async with trio.open_nursery() as nursery:
            for n in range(10):
                nursery.start_soon(one, n)

        assert got == {n: b"%d" % n for n in range(10)}

    play(scene)


def test_a_guest_has_the_environment_it_is_given_and_no_other() -> None:
    async def scene(stage: Stage) -> None:
        script = "import os; os.write(3, repr(sorted(set(os.environ) - {'LC_CTYPE'})).encode())"
        _, (end,) = await stage.launch(script, 3, environ={"A": "1"})

        assert await told(end) == b"['A']"

    play(scene)


def test_a_long_request_arrives_whole() -> None:
    async def scene(stage: Stage) -> None:
        environ = {f"X{n}": "x" * 100_000 for n in range(8)}
        _, (end,) = await stage.launch(
            "import os; os.write(3, b'%d' % len(os.environ['X7']))", 3, environ=environ
        )

        assert await told(end) == b"100000"

    play(scene)


def test_a_stop_and_a_continue_are_told() -> None:
    async def scene(stage: Stage) -> None:
        guest, _ = await stage.launch("import time; time.sleep(100)")
        stops: list[int] = []
        guest.on_stop = stops.append
        guest.signal(signal.SIGSTOP)
        await until(lambda: stops)
        stopped = guest.stopped
        guest.signal(signal.SIGCONT)
        await until(lambda: not guest.stopped)

        assert (stops, stopped) == ([signal.SIGSTOP], True)

    play(scene)


def test_a_signal_to_a_guest_that_has_ended_reaches_nobody() -> None:
    async def scene(stage: Stage) -> None:
        guest, _ = await stage.launch("pass")
        await ended(guest)
        guest.signal(signal.SIGKILL)
        await trio.sleep(0.02)

        assert (guest.status, guest.pidfd) == (0, -1)

    play(scene)


def test_a_cancelled_launch_leaves_no_guest() -> None:
    async def scene(stage: Stage) -> None:
        keeper = stage.keeper
        (await stage.launch("pass"))[0].signal(0)
        for delay in (0, 0.0005, 0.002):
            with trio.move_on_after(delay):
                guest, _ = await stage.launch("import time; time.sleep(100)")
                guest.signal(signal.SIGKILL)
        await until(lambda: not keeper.guests and not keeper.launching)

    play(scene)


def test_closing_the_keeper_ends_what_it_keeps() -> None:
    pids: list[int] = []

    async def scene(stage: Stage) -> None:
        for _ in range(3):
            guest, _ = await stage.launch("import time; time.sleep(100)")
            pids.append(guest.pid)
        pids.append(stage.keeper.pid)

    play(scene)

    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}")] == []


@pytest.mark.cold
def test_a_closed_keeper_starts_again_with_the_next_launch() -> None:
    async def scene(stage: Stage) -> None:
        await ended((await stage.launch("pass"))[0])
        first = stage.keeper.pid
        await stage.keeper.close()

        assert stage.keeper.pid == 0
        assert await ended((await stage.launch("pass"))[0]) == 0
        assert stage.keeper.pid not in (0, first)

    play(scene)


def test_a_launch_that_the_keeper_dies_under_is_made_by_another() -> None:
    async def scene(stage: Stage) -> None:
        await ended((await stage.launch("pass"))[0])
        first = stage.keeper.pid
        os.kill(first, signal.SIGSTOP)
        async with trio.open_nursery() as nursery:

            async def launch() -> None:
                guest, _ = await stage.launch("pass", environ={f"X{n}": "x" * 100_000 for n in range(10)})
                assert await ended(guest) == 0

            nursery.start_soon(launch)
            await until(lambda: stage.keeper.launching)
            await trio.sleep(0.02)
            os.kill(first, signal.SIGKILL)

        assert await ended((await stage.launch("pass"))[0]) == 0

    play(scene)


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exited with status 0"), (127, "exited with status 127"), (-9, "killed by SIGKILL"), (-11, "killed by SIGSEGV"),
     (-40, "killed by signal 40"), (None, "ended, nobody knows how")],
)  # fmt: skip
def test_an_exit_status_is_told_in_words(status: int | None, words: str) -> None:
    assert describe_status(status) == words
