"""A runtime used where it is not: another thread, another event loop, a forked child."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio

from tests.cast import Endless, Player
from tests.rehearsal import LOCAL, QUIET, rehearse, run
from understudy import (
    ActorDiedError,
    NoRuntimeError,
    Runtime,
    cancel,
    get,
    get_actor,
    interrupt,
    kill,
    open_runtime,
    statistics,
    wait,
    wait_ready,
)

BOTH = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
WORDS = r"understudy\.aio or understudy\.blocking"


def told(use: Callable[[], Any]) -> BaseException | None:
    """What a use raises, if it does."""
    try:
        use()
    except BaseException as error:
        return error
    return None


async def awaited(function: Callable[..., Any], *args: Any) -> Any:
    return await function(*args)


@BOTH
def test_another_thread_is_told_which_door_to_take(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        ref = player.add.remote(1)
        uses: list[Callable[[], Any]] = [
            lambda: asyncio.run(awaited(player.add, 1)),
            lambda: trio.run(awaited, player.add, 1),
            lambda: player.add.remote(1),
            lambda: player.add.cast(1),
            lambda: statistics(player),
            lambda: cancel(ref),
            lambda: trio.run(awaited, get, ref),
            lambda: asyncio.run(awaited(get, ref)),
            lambda: asyncio.run(awaited(wait, [ref])),
            *(lambda verb=verb: trio.run(awaited, verb, player) for verb in (kill, interrupt, wait_ready)),
            lambda: Player.remote(),
        ]
        errors = [await trio.to_thread.run_sync(told, use) for use in uses]
        for error in errors:
            assert isinstance(error, NoRuntimeError)
            assert "understudy.aio or understudy.blocking" in str(error)
        assert await player.add(1) == 2

    rehearse(scene)


def test_a_thread_that_knows_of_no_runtime_is_told_how_to_open_one() -> None:
    async def scene(runtime: Runtime) -> None:
        errors: list[BaseException | None] = []
        thread = threading.Thread(target=lambda: errors.append(told(lambda: get_actor("x"))))
        thread.start()
        await trio.to_thread.run_sync(thread.join)
        assert isinstance(errors[0], NoRuntimeError)
        assert "blocking.open_runtime" in str(errors[0])

    rehearse(scene)


def test_a_cast_from_another_thread_harms_nobody() -> None:
    async def scene(runtime: Runtime) -> int:
        player = await Player.options(executor=LOCAL).start()
        await player.add(1)
        for _ in range(20):
            assert isinstance(
                await trio.to_thread.run_sync(told, lambda: player.note.cast(1)), NoRuntimeError
            )
        return await player.add(1)

    assert rehearse(scene) == 2


def test_runtimes_may_be_nested() -> None:
    async def play() -> list[int]:
        async with open_runtime():
            outer = await Player.start(10)
            async with open_runtime():
                inner = await Player.options(name="inner").start(20)
                assert get_actor("inner", Player) is not None
                found = [await inner.add(1), await outer.add(1)]
            return [*found, await outer.add(1)]

    assert run(play) == [21, 11, 12]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@BOTH
def test_a_forked_child_is_refused_and_its_parent_goes_on(executor: Any) -> None:
    async def scene(runtime: Runtime) -> int:
        player = await Player.options(executor=executor).start()
        await player.add(1)
        assert status_of_child(lambda: refused(player, runtime)) == 0
        return await player.add(1)

    assert rehearse(scene) == 2


def refused(player: type[Player], runtime: Runtime) -> bool:
    errors = [
        told(lambda: player.add.remote(1)),
        told(lambda: player.add.cast(1)),
        told(lambda: player.add(1).send(None)),
        told(lambda: Player.remote()),
    ]
    kinds = (NoRuntimeError, ActorDiedError)
    return all(isinstance(error, kinds) and "forked" in str(error) for error in errors)


def status_of_child(holds: Callable[[], bool]) -> int:
    """Fork, and tell how the child ended: 0 if it found what it should."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if holds() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_may_open_a_runtime_of_its_own() -> None:
    async def scene(runtime: Runtime) -> int:
        endless = await Endless.start()
        assert await trio.to_thread.run_sync(status_of_child, child) == 0
        return await endless.add(1)

    def child() -> bool:
        signal.set_wakeup_fd(-1)  # the parent's event loop left it set
        return rehearse(anew) == 6

    async def anew(runtime: Runtime) -> int:
        return await (await Player.start(5)).add(1)

    assert rehearse(scene) == 1


if sys.version_info >= (3, 12):
    # Python warns of threads that a forked child does not have; that there are none in it is the point here.
    pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
