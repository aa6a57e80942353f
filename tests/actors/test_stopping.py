"""Stopping: politely, then by SIGTERM, then by SIGKILL; side by side; what waits is done, or by option not."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.cast import Player
from tests.cast_ends import Blocker, Rude
from tests.rehearsal import LOCAL, QUIET, held, rehearse, until
from understudy import (
    ActorDiedError,
    ActorError,
    CallError,
    Ladder,
    Pool,
    Runtime,
    TaskCancelledError,
    get,
    statistics,
    stop,
)
from understudy.actors.events import ActorEnded, LadderClimbed
from understudy.actors.verbs import life_of
from understudy.transports.system.processes import listed

STEEP = replace(QUIET, ladder=Ladder(interrupt=0.1, terminate=0.2))
BOTH = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])


async def running(handle: Any) -> None:
    await until(lambda: life_of(handle).incarnation and life_of(handle).incarnation.running())  # type: ignore[union-attr]


@BOTH
def test_it_tells_whether_there_was_anything_to_stop_and_twice_is_harmless(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        pid = statistics(player).pid

        assert await stop(player) is True
        assert statistics(player).state == "dead"
        assert pid == 0 or pid not in listed()
        assert await stop(player) is False
        assert await stop(player, drain=False) is False
        with pytest.raises(ActorDiedError):
            await player.add()

    rehearse(scene)


@BOTH
def test_what_waits_is_done_first(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        refs = [player.add.remote() for _ in range(50)]
        assert await stop(player)

        assert await get(refs) == list(range(1, 51))

    rehearse(scene)


@pytest.mark.slow
def test_without_drain_only_what_has_begun_is_finished() -> None:
    async def scene(runtime: Runtime) -> None:
        rude = await Rude.options(executor=QUIET).start()
        begun = rude.nap.remote(0.3)
        await running(rude)
        waiting = [rude.echo.remote(n) for n in range(3)]
        rude.echo.cast(7)

        assert await stop(rude, drain=False)
        assert await begun == 0.3
        for ref in waiting:
            with pytest.raises(TaskCancelledError):
                await ref
        assert [letter.method for letter in runtime.dead_letters] == ["echo"]

    rehearse(scene)


def test_a_pool_is_stopped_as_well() -> None:
    async def scene(runtime: Runtime) -> None:
        pool: Any = await runtime.start(Pool(Player.options(executor=LOCAL).child(), 2))
        refs = [pool.add.remote() for _ in range(10)]

        assert await stop(pool)
        assert len(await get(refs)) == 10
        assert not await stop(pool)

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ignored", "last", "status"),
    [
        ((), "terminate", "SIGTERM"),
        ((signal.SIGINT,), "terminate", "SIGTERM"),
        ((signal.SIGINT, signal.SIGTERM), "kill", "SIGKILL"),
    ],
)
def test_who_ignores_a_rung_meets_the_next(ignored: tuple[int, ...], last: str, status: str) -> None:
    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.options(executor=STEEP, shutdown=0.2).start()
        ref = blocker.ignore.remote(*ignored)
        await running(blocker)
        await until(lambda: statistics(blocker).busy_since)
        async with runtime.events() as events:
            assert await stop(blocker)
            rungs = [event.rung for event in held(events, LadderClimbed)]
            (end,) = held(events, ActorEnded)
        assert rungs[-1] == last
        assert "interrupt" not in rungs  # it is asked, not interrupted
        assert end.reason.ordered
        with pytest.raises(CallError):
            await ref

    rehearse(scene)


@pytest.mark.slow
def test_many_are_stopped_side_by_side() -> None:
    """One after the other they would take ten times their `shutdown`."""

    async def scene(runtime: Runtime) -> None:
        many = [await Rude.options(executor=STEEP, shutdown=1.0).start() for _ in range(5)]
        for one in many:
            one.nap.cast(600)
            await running(one)
        begun: list[float] = []
        ended: list[float] = []

        async def end(one: Any) -> None:
            begun.append(trio.current_time())
            assert await stop(one)
            ended.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            for one in many:
                nursery.start_soon(end, one)
        assert max(begun) < min(ended)  # none waited for another

    rehearse(scene)


@pytest.mark.slow
def test_the_calls_of_a_worker_that_is_stopped_meanwhile_are_told() -> None:
    """Malt M2."""

    async def scene(runtime: Runtime) -> None:
        rude = await Rude.options(executor=STEEP, shutdown=0).start()
        ref = rude.nap.remote(600)
        await running(rude)
        assert await stop(rude)
        with pytest.raises(ActorError) as error:
            await ref
        assert error.value.reason.ordered

    rehearse(scene)


def test_a_stop_whose_caller_gives_up_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        with trio.CancelScope() as scope:
            scope.cancel()
            await stop(player)
        await until(lambda: statistics(player).state == "dead")

    rehearse(scene)


def test_what_is_no_handle_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(TypeError, match="the handle of an actor"):
            await stop(7)  # type: ignore[arg-type]

    rehearse(scene)
