"""Promise 5 and the keeper itself: stopped, it delays no death; killed, it takes no tree along."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from tests.cast import QUIET, Faller, Player, fresh
from tests.rehearsal import held, keeper_of, rehearse, run, until
from tests.transports.hosts import gone, host
from understudy import (
    Actor,
    ActorStartError,
    Runtime,
    Supervisor,
    get_actor,
    kill,
    method,
    open_runtime,
    statistics,
)
from understudy.actors.events import ActorEnded
from understudy.supervisors.events import KeeperLost
from understudy.transports.places import keeper as keepers
from understudy.transports.places.keeper import Keeper
from understudy.transports.system.means import has

needs_pidfd = pytest.mark.skipif(not has("pidfd"), reason="without a pidfd only the keeper knows of a death")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a guest's parent is its keeper")


class Undertaker(Actor, executor=QUIET):
    """Kills its keeper as it starts, the first times."""

    def __init__(self, path: str, times: int = 1) -> None:
        for number in range(times):
            if fresh(f"{path}.{number}"):
                os.kill(os.getppid(), signal.SIGKILL)
                signal.pause()

    @method
    def ping(self) -> str:
        return "pong"


@needs_pidfd
def test_a_kill_returns_although_the_keeper_is_stopped() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.start()
        os.kill(keeper_of(runtime).pid, signal.SIGSTOP)
        await until(lambda: keeper_of(runtime).stopped)
        await kill(player)
        assert keeper_of(runtime).stopped
        assert statistics(player).last_reason == "signal: killed by kill()"

    rehearse(scene)


@needs_pidfd
def test_a_death_nobody_ordered_is_proved_although_the_keeper_is_stopped() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(max_restarts=0).start()
        os.kill(keeper_of(runtime).pid, signal.SIGSTOP)
        await until(lambda: keeper_of(runtime).stopped)
        faller.vanish.cast()
        await until(lambda: statistics(faller).state == "dead")
        assert "nobody knows how" in statistics(faller).last_reason

    rehearse(scene)


def test_a_stopped_keeper_does_its_last_work_when_the_runtime_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is woken for it: else closing would wait for its patience to end."""
    monkeypatch.setattr(keepers, "PATIENCE", 3600.0)
    pids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        player = await Player.start()
        pids.extend((statistics(player).pid, keeper_of(runtime).pid))
        await kill(player)
        os.kill(keeper_of(runtime).pid, signal.SIGSTOP)
        await until(lambda: keeper_of(runtime).stopped)

    rehearse(scene)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_the_exit_status_comes_from_a_keeper_that_runs() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(max_restarts=0).start()
        faller.vanish.cast(7)
        await until(lambda: statistics(faller).state == "dead")
        assert "exited with status 7" in statistics(faller).last_reason

    rehearse(scene)


@pytest.mark.slow
def test_a_keeper_that_dies_during_the_first_start_of_a_tree_does_not_fail_it(tmp_path: Path) -> None:
    children = [Player.options(id=f"p{n}").child() for n in range(6)]
    tree = Supervisor(
        *children[:5],
        Undertaker.options(id="undertaker").child(str(tmp_path / "fell")),
        children[5],
        intensity=1,
    )

    async def scene(runtime: Runtime) -> None:
        assert (tmp_path / "fell.0").exists()
        assert await get_actor("undertaker", Undertaker).ping() == "pong"
        for n in range(6):
            assert await get_actor(f"p{n}", Player).echo(n) == n

    rehearse(scene, tree)


@pytest.mark.slow
def test_keepers_that_die_again_and_again_fail_it(tmp_path: Path) -> None:
    tree = Supervisor(Undertaker.options(id="undertaker").child(str(tmp_path / "fell"), times=9))

    async def play() -> None:
        with pytest.raises(Exception, match="undertaker did not start"):
            async with open_runtime(tree):
                await trio.sleep_forever()

    run(play)


@pytest.mark.slow
def test_a_dead_keeper_is_one_failure_and_not_one_for_each_child() -> None:
    tree = Supervisor(*(Player.options(id=f"p{n}").child() for n in range(6)), intensity=1)

    async def scene(runtime: Runtime) -> None:
        os.kill(keeper_of(runtime).pid, signal.SIGKILL)
        for n in range(6):
            player = get_actor(f"p{n}", Player)
            await until(lambda player=player: statistics(player).incarnation == 2)  # type: ignore[misc]
            assert await player.echo(n) == n

    rehearse(scene, tree)


# -- of several, each falls alone ---------------------------------------------------------------------

needs_zygotes = pytest.mark.skipif(not has("zygote"), reason="one keeper starts all guests here")


def keeper_for(runtime: Runtime, trusted: bool) -> Keeper:
    return next(keeper for keeper in runtime.house.stage.keepers if keeper.zygote.trusted is trusted)


@needs_zygotes
def test_a_zygote_that_dies_takes_its_own_guests_along_and_no_others() -> None:
    strange = Player.options(executor=replace(QUIET, trusted=False), max_restarts=-1)

    async def scene(runtime: Runtime) -> None:
        others = [await Player.start() for _ in range(2)]
        guests = [await strange.start() for _ in range(3)]
        async with runtime.events() as events:
            first = keeper_for(runtime, trusted=False).pid
            os.kill(first, signal.SIGKILL)
            for guest in guests:
                await until(lambda guest=guest: statistics(guest).incarnation == 2)  # type: ignore[misc]
                assert await guest.echo(1) == 1
            ends = held(events, ActorEnded)
            assert {event.actor for event in ends} == {statistics(guest).path for guest in guests}
            assert all(event.reason.uprooted for event in ends)
            assert {event.reason.text for event in ends} == {
                f"its zygote, process {first}, was killed by SIGKILL"
            }
            (lost,) = held(events, KeeperLost)
            assert (lost.pid, lost.status, lost.guests) == (first, -signal.SIGKILL, 3)
            assert lost.label.startswith("zygote, untrusted")
        assert [statistics(other).incarnation for other in others] == [1, 1]
        assert keeper_for(runtime, trusted=False).pid != first

    rehearse(scene)


@pytest.mark.slow
def test_a_keeper_that_is_stopped_holds_up_no_launch_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "LOOK", 0.05)

    async def scene(runtime: Runtime) -> None:
        player = await Player.options(max_restarts=-1).start()
        first = keeper_of(runtime).pid
        os.kill(first, signal.SIGSTOP)
        assert await (await Player.start()).echo(1) == 1  # by another
        assert keeper_of(runtime).pid != first
        await until(lambda: not os.path.exists(f"/proc/{first}"))
        await until(lambda: statistics(player).incarnation == 2)  # it fell with the one that was stopped
        assert await player.echo(2) == 2

    rehearse(scene)


@pytest.mark.slow
@needs_zygotes
def test_a_zygote_that_is_busy_with_something_else_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "LOOK", 0.02)
    monkeypatch.setattr(keepers, "LOADING", 3)

    async def scene(runtime: Runtime) -> None:
        endless = Player.options(
            executor=replace(QUIET, preload=["tests.preloads.endless"]), restart="temporary"
        )
        with pytest.raises(ActorStartError, match="died, and so did the next ones"):
            await endless.start()

    rehearse(scene)


@needs_zygotes
def test_a_zygote_that_cannot_fork_says_so_and_lives_on() -> None:
    async def scene(runtime: Runtime) -> None:
        full = Player.options(executor=replace(QUIET, preload=["tests.preloads.full"]), restart="temporary")
        for _ in range(2):
            with pytest.raises(
                ActorStartError, match="refused a new process: Resource temporarily unavailable"
            ):
                await full.start()
        assert await (await Player.start()).echo(1) == 1
        assert len({keeper.pid for keeper in runtime.house.stage.keepers}) == 2

    rehearse(scene)


@pytest.mark.slow
@needs_zygotes
def test_a_host_that_dies_while_a_zygote_loads_leaves_no_zygote() -> None:
    with host(preload="tests.preloads.endless") as (process, told, _):
        process.kill()
        assert gone(told["keeper"])
