"""Promise 4: interrupt, terminate, kill, the supervisor decides; a deadline ends the wait and climbs behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.cast import Endless
from tests.rehearsal import QUIET, held, rehearse, until
from understudy import (
    ActorDiedError,
    ActorError,
    CallError,
    GetTimeoutError,
    Ladder,
    Runtime,
    interrupt,
    statistics,
)
from understudy.actors.events import ActorEnded, LadderClimbed
from understudy.actors.verbs import life_of

HASTY = replace(QUIET, ladder=Ladder(interrupt=0.05, terminate=0.05))

ENDINGS = {"spin": 1, "nap": 1, "read": 1, "tidy_up": 1, "swallow": 2, "swallow_deaf": 3}


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("way", ["interrupt", "timeout", "cancel"])
def test_whatever_runs_can_be_ended_every_way_and_the_next_call_works(name: str, way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        endless = await Endless.options(executor=HASTY).start()
        method = getattr(endless, name)
        if way == "timeout":
            with pytest.raises(GetTimeoutError):
                await method.options(timeout=0.05)()
        elif way == "cancel":
            with trio.move_on_after(0.05):
                await method()
        else:
            ref = method.remote()
            await until(lambda: life_of(endless).incarnation.running())  # type: ignore[union-attr]
            await trio.sleep(0.02)
            await interrupt(endless)
            with pytest.raises(CallError):
                await ref
        assert await endless.add() == 1
        assert len(held(events, LadderClimbed)) == ENDINGS[name]
        assert statistics(endless).incarnation == (1 if ENDINGS[name] == 1 else 2)

    rehearse(scene)


def test_the_supervisor_decides_what_follows_a_kill() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(executor=HASTY, max_restarts=0).start()
        with pytest.raises(GetTimeoutError):
            await endless.swallow.options(timeout=0.05)()
        await until(lambda: statistics(endless).state == "dead")
        with pytest.raises(ActorDiedError, match="did not end when it was interrupted"):
            await endless.add()

    rehearse(scene)


def test_neighbours_in_the_queue_survive_the_ladder() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        endless = await Endless.options(executor=HASTY).start()
        doomed = endless.swallow.options(timeout=0.05).remote()
        neighbours = [endless.add.remote() for _ in range(10)]
        with pytest.raises(GetTimeoutError):
            await doomed
        assert [await ref for ref in neighbours] == list(range(1, 11))
        assert [event.reason.ordered for event in held(events, ActorEnded)] == [True]
        assert not runtime.dead_letters

    rehearse(scene)


def test_the_wait_ends_at_the_deadline_not_at_the_end_of_the_ladder() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(executor=replace(QUIET, ladder=Ladder(0.3, 0.1))).start()
        seen: list[Any] = []
        with pytest.raises(GetTimeoutError):
            await endless.swallow.options(timeout=0.05)()
        seen.append(statistics(endless).incarnation)
        assert seen == [1]
        with pytest.raises((ActorError, GetTimeoutError)):
            await endless.add.options(timeout=0.01)()

    rehearse(scene)


def test_a_ladder_that_is_climbed_for_one_call_spares_the_next() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        endless = await Endless.options(executor=replace(QUIET, ladder=Ladder(0.2, 0.2))).start()
        for _ in range(5):
            with trio.move_on_after(0.01):
                await endless.swallow_some(2)
            assert await endless.sleep(0.03) == "rested"
        await trio.sleep(0.3)
        assert statistics(endless).incarnation == 1
        assert {event.rung for event in held(events, LadderClimbed)} == {"interrupt"}

    rehearse(scene)
