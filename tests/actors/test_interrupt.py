"""Interrupts reach what runs, and nothing else; what does not yield is ended by the ladder."""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast import Endless, Faller, Player
from tests.rehearsal import LOCAL, PAGED, QUIET, held, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Ladder,
    Runtime,
    TaskCancelledError,
    cancel,
    interrupt,
    statistics,
)
from understudy.actors.events import ActorEnded, LadderClimbed
from understudy.actors.verbs import life_of

HASTY = replace(QUIET, ladder=Ladder(interrupt=0.1, terminate=0.1))


async def running(handle: Any) -> None:
    """Wait until an actor runs a call."""
    await until(lambda: life_of(handle).incarnation and life_of(handle).incarnation.running())  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["spin", "nap", "read", "tidy_up"])
def test_an_interrupt_ends_what_runs_and_the_actor_lives(name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        await endless.add(5)
        ref = getattr(endless, name).remote()
        await running(endless)

        assert await interrupt(endless)
        with pytest.raises(CallInterruptedError) as error:
            await ref
        assert error.value.fate == "begun"
        assert await endless.add() == 6
        assert await endless.notes() == (["tidied"] if name == "tidy_up" else [])

    rehearse(scene)


def test_an_idle_actor_is_not_interrupted() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()

        assert not await interrupt(endless)
        assert await endless.add() == 1
        assert not await interrupt(endless)

    rehearse(scene)


def test_a_local_actor_cannot_be_interrupted_and_says_so() -> None:
    async def scene(runtime: Runtime) -> None:
        assert not await interrupt(await Player.options(executor=LOCAL).start())

    rehearse(scene)


def test_an_actor_can_be_interrupted_again_and_again() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        for _ in range(20):
            ref = endless.spin.remote()
            await running(endless)
            await interrupt(endless)
            with pytest.raises(CallInterruptedError):
                await ref
        assert statistics(endless).incarnation == 1

    rehearse(scene)


def test_many_may_interrupt_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        ref = endless.spin.remote()
        await running(endless)
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(interrupt, endless)
        with pytest.raises(CallInterruptedError):
            await ref
        assert await endless.add() == 1

    rehearse(scene)


def test_a_protected_method_is_not_interrupted() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        ref = endless.protected.remote(0.2)
        await running(endless)
        with trio.move_on_after(0.05):
            await interrupt(endless)

        assert await ref == "whole"

    rehearse(scene)


def test_a_protected_method_outlives_its_caller_and_its_timeout() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        with trio.move_on_after(0.05):
            await endless.protected(0.2)
        with pytest.raises(GetTimeoutError):
            await endless.protected.options(timeout=0.3)(0.5)

        assert (await endless.notes())[0] == "protected"
        assert statistics(endless).incarnation == 1

    rehearse(scene)


def test_an_interrupt_swallowed_a_few_times_is_repeated() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        endless = await Endless.start()
        ref = endless.swallow_some.remote(5)
        await running(endless)

        assert await interrupt(endless)
        assert await ref == "gave in"
        assert [event.rung for event in held(events, LadderClimbed)] == ["interrupt"]

    rehearse(scene)


@pytest.mark.parametrize(("name", "rungs"), [("swallow", 2), ("swallow_deaf", 3)])
def test_who_swallows_everything_makes_the_ladder_climb(name: str, rungs: int) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        endless = await Endless.options(executor=HASTY).start()
        ref = getattr(endless, name).remote()
        await running(endless)

        assert await interrupt(endless)
        with pytest.raises(ActorUnavailableError) as error:
            await ref
        assert (error.value.reason.kind, error.value.reason.ordered) == ("interrupted", True)
        climbed = held(events, LadderClimbed)
        assert [event.rung for event in climbed] == ["interrupt", "terminate", "kill"][:rungs]
        assert {event.call_id for event in climbed} == {ref.id}
        assert await endless.add() == 1

    rehearse(scene)


def test_a_timeout_climbs_the_ladder_behind_its_caller() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        endless = await Endless.options(executor=HASTY).start()
        with pytest.raises(GetTimeoutError):
            await endless.swallow.options(timeout=0.05)()
        assert await endless.add() == 1
        (end,) = held(events, ActorEnded)
        assert end.reason.kind == "timeout"

    rehearse(scene)


def test_after_interrupt_restart_discards_the_state() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        endless = await Endless.options(executor=QUIET, after_interrupt="restart").start()
        await endless.add(5)
        ref = endless.nap.remote()
        await running(endless)
        await interrupt(endless)
        with pytest.raises(CallInterruptedError):
            await ref

        assert await endless.add() == 1
        (end,) = held(events, ActorEnded)
        assert (end.reason.kind, end.reason.ordered) == ("interrupted", True)

    rehearse(scene)


@pytest.mark.slow
def test_an_actor_may_be_interrupted_to_death_as_often_as_its_user_likes() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(executor=HASTY).start()
        for _ in range(5):  # the intensity is 3 in 5 s
            ref = endless.swallow.remote()
            await running(endless)
            await interrupt(endless)
            with pytest.raises(ActorUnavailableError):
                await ref
        assert await endless.add() == 1
        assert statistics(endless).incarnation == 6

    rehearse(scene)


@pytest.mark.slow
def test_an_actor_that_is_killed_for_its_call_timeout_again_and_again_is_given_up() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(executor=HASTY).start()

        async def without_end() -> None:
            while True:
                with suppress(GetTimeoutError):
                    await endless.swallow.options(timeout=0.1)()

        with pytest.raises(ActorDiedError):
            await without_end()

    rehearse(scene)


def test_leaving_the_runtime_ends_what_swallows_a_few_interrupts_without_violence() -> None:
    seen: list[Any] = []

    async def scene(runtime: Runtime) -> None:
        runtime.house.stream.listeners.append(seen.append)
        endless = await Endless.start()
        endless.swallow_some.remote(3)
        await running(endless)

    rehearse(scene)
    assert [event.rung for event in seen if isinstance(event, LadderClimbed)] == ["interrupt"]
    assert [event.reason.kind for event in seen if isinstance(event, ActorEnded)] == ["shutdown"]


def test_while_interrupts_rain_only_the_calls_that_were_named_are_hit() -> None:
    random_number = random.Random(7)

    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        named, spared, hit = 0, 0, []

        async def caller(doomed: bool) -> None:
            nonlocal named, spared
            ref = player.sleep.remote(0.002)
            if doomed:
                await trio.sleep(random_number.random() * 0.05)
                named += cancel(ref)
            try:
                await ref
                spared += 1
            except TaskCancelledError as error:
                hit.append((doomed, error))

        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon(caller, n % 3 == 0)
        assert all(doomed for doomed, _ in hit)
        assert len(hit) == named
        assert spared == 100 - named
        assert statistics(player).incarnation == 1

    rehearse(scene)


def test_an_interrupt_never_lands_in_the_next_call() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        for n in range(60):
            with trio.move_on_after(0.001):
                await player.sleep(0.001)
            assert await player.echo(n) == n
        assert statistics(player).incarnation == 1

    rehearse(scene)


def test_a_cancelled_queue_is_skipped() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Faller.options(executor=QUIET).start()
        first = player.sleep.remote(0.05)
        refs = [player.note.remote(n) for n in range(10)]
        for ref in refs[::2]:
            cancel(ref)
        await first
        assert await player.notes() == [1, 3, 5, 7, 9]

    rehearse(scene)


def test_a_loop_that_waits_for_a_file_can_be_ended_too(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        with trio.move_on_after(0.05):
            await endless.spin_until_file(str(tmp_path / "never"))
        assert await endless.add() == 1
        assert PAGED or statistics(endless).incarnation == 1

    rehearse(scene)


@pytest.mark.parametrize("name", ["idle", "protected"] + (["sleep"] if PAGED else []))
def test_a_stray_signal_from_anybody_harms_nothing(name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        ref = getattr(endless, "add" if name == "idle" else name).remote(0.1)
        if name == "idle":
            await ref
        else:
            await running(endless)
        for _ in range(5):
            os.kill(statistics(endless).pid, signal.SIGINT)
            await trio.sleep(0.005)
        assert await ref == {"idle": 0.1, "protected": "whole", "sleep": "rested"}[name]
        assert await endless.add() == (1.1 if name == "idle" else 1)
        assert statistics(endless).incarnation == 1

    rehearse(scene)
