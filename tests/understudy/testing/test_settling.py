"""`quiet(runtime)` returns when nothing goes on, not before and not much later."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast import Player
from tests.rehearsal import BOTH, NAMES, rehearse
from understudy import (
    Actor,
    ActorUnavailableError,
    Backoff,
    Local,
    Runtime,
    Supervisor,
    get_actor,
    method,
    statistics,
)
from understudy.testing import Crash, FakeExecutor, Hang, NotQuietError, SlowStart, inject, quiet


class Sleepy(Actor, executor=Local()):
    def __init__(self) -> None:
        self.done = 0

    @method
    async def work(self, seconds: float) -> None:
        await trio.sleep(seconds)
        self.done += 1

    @method
    def seen(self) -> int:
        return self.done


def test_an_idle_runtime_is_quiet_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        await Sleepy.start()
        began = trio.current_time()
        await quiet(runtime)
        assert trio.current_time() == began

    rehearse(scene, virtual=True)


def test_casts_are_waited_for_however_long_they_take() -> None:
    async def scene(runtime: Runtime) -> None:
        sleepy = await Sleepy.start()
        began = trio.current_time()
        for seconds in (1.0, 3600.0, 60.0):
            sleepy.work.cast(seconds)
        await quiet(runtime, within=7200.0)
        assert trio.current_time() - began == pytest.approx(3600.0)
        assert await sleepy.seen() == 3

    rehearse(scene, virtual=True, seconds=10_000)


def test_a_restart_that_is_delayed_is_waited_for() -> None:
    async def scene(runtime: Runtime) -> None:
        sleepy = get_actor("sleepy", Sleepy)
        inject(sleepy, Crash())
        await quiet(runtime, within=600.0)
        assert trio.current_time() >= 300.0
        assert (statistics(sleepy).state, statistics(sleepy).incarnation) == ("ready", 2)

    backoff = Backoff(300.0, 300.0, jitter=0.0)
    tree = Supervisor(Sleepy.options(id="sleepy", backoff=backoff).child())
    rehearse(scene, tree, virtual=True, seconds=1000)


def test_a_slow_start_is_waited_for() -> None:
    async def scene(runtime: Runtime) -> None:
        sleepy = Sleepy.options(executor=FakeExecutor((SlowStart(20.0),))).remote()
        await quiet(runtime)
        assert statistics(sleepy).state == "ready"

    rehearse(scene, virtual=True, seconds=60)


def test_what_is_never_quiet_is_named() -> None:
    async def scene(runtime: Runtime) -> None:
        sleepy = await Sleepy.options(name="sleepy", executor=FakeExecutor((Hang(call=1),))).start()
        sleepy.work.cast(1.0)
        with pytest.raises(NotQuietError, match="not quiet after 5 s: sleepy has 1 pending"):
            await quiet(runtime, within=5.0)
        inject(sleepy, Crash())

    rehearse(scene, virtual=True)


@pytest.mark.slow
@pytest.mark.parametrize("executor", BOTH, ids=NAMES)
def test_quiet_comes_on_a_real_clock_too(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor, max_restarts=-1).start()
        for _ in range(100):
            player.add.cast(1)
        await quiet(runtime)
        assert statistics(player).pending == 0
        assert await player.add(0) == 100
        inject(player, Crash())
        await quiet(runtime)
        assert (statistics(player).state, statistics(player).incarnation) == ("ready", 2)

    rehearse(scene)


def test_a_call_that_failed_leaves_quiet_behind() -> None:
    async def scene(runtime: Runtime) -> None:
        sleepy = await Sleepy.options(executor=FakeExecutor((Crash(call=1, incarnation=1),))).start()
        with pytest.raises(ActorUnavailableError):
            await sleepy.work(1.0)
        await quiet(runtime)
        assert statistics(sleepy).incarnation == 2

    rehearse(scene, virtual=True)
