"""Whatever a method does: it is interrupted, or the ladder ends it; what is idle, starting, dying or dead does not mind."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.cast import Endless
from tests.cast_ends import HASTY, Blocker
from tests.rehearsal import QUIET, held, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    Ladder,
    Runtime,
    get,
    interrupt,
    kill,
    statistics,
    wait_ready,
)
from understudy.actors.events import LadderClimbed
from understudy.actors.verbs import life_of

WAYS = [
    "spin", "allocate", "sleep", "receive", "read_pipe", "wait_for_child", "acquire", "take", "wait_event", "select_nothing",
    "match", "run_trio", "run_asyncio",
]  # fmt: skip
DEAF = ["add_up", "compress"]  # the interpreter looks for signals only when they have ended


async def running(handle: Any, ref: Any = None) -> None:
    """Wait until it runs a call, or this one has ended without being seen to run."""

    def runs() -> object:
        incarnation: Any = life_of(handle).incarnation
        return incarnation is not None and incarnation.running()

    await until(lambda: runs() or (ref is not None and ref.done))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_what_blocks_is_interrupted_again_and_again_and_the_actor_lives(way: str) -> None:
    """Malt I1 and M9: what comes after the interrupt is never reached, so it was no later than the interrupt."""

    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.start()
        for _ in range(2):
            ref = blocker.block.remote(way)
            await running(blocker, ref)
            assert not ref.done
            assert await interrupt(blocker)
            with pytest.raises(CallInterruptedError):
                await ref
            assert not await blocker.has_passed()
        assert statistics(blocker).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("way", DEAF)
def test_a_call_in_c_that_hears_nothing_is_ended_by_the_ladder(way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.options(executor=HASTY).start()
        async with runtime.events() as events:
            ref = blocker.block.remote(way)
            await running(blocker)
            assert await interrupt(blocker)
            with pytest.raises((ActorUnavailableError, CallInterruptedError)):
                await ref
            rungs = [event.rung for event in held(events, LadderClimbed)]
        assert rungs[0] == "interrupt"
        assert not await blocker.has_passed()

    rehearse(scene)


@pytest.mark.slow
def test_a_probe_behind_an_endless_loop_is_answered_after_the_interrupt() -> None:
    """Malt I2."""

    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.start()
        looped = blocker.block.remote("spin")
        probe = blocker.has_passed.remote()
        await running(blocker)

        assert await interrupt(blocker)
        assert await probe is False
        with pytest.raises(CallInterruptedError):
            await looped
        assert statistics(blocker).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
def test_a_thousand_interrupts_in_a_row_hit_a_thousand_calls() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        refs = [endless.spin.remote() for _ in range(1000)]
        for ref in refs:
            await running(endless)
            await interrupt(endless)
            assert ref.done
        for ref in refs:
            with pytest.raises(CallInterruptedError):
                await ref
        assert await endless.add() == 1
        assert statistics(endless).incarnation == 1

    rehearse(scene, seconds=50)


@pytest.mark.slow
def test_two_interrupts_at_once_end_one_call_and_spare_the_next() -> None:
    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.start()
        first, second = blocker.block.remote("spin"), blocker.has_passed.remote()
        await running(blocker)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt, blocker)
            nursery.start_soon(interrupt, blocker)
        with pytest.raises(CallInterruptedError):
            await first
        assert await second is False

    rehearse(scene)


@pytest.mark.slow
def test_a_method_that_swallows_interrupts_hears_one_after_another() -> None:
    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.options(executor=replace(QUIET, ladder=Ladder(interrupt=20.0))).start()
        ref = blocker.swallow.remote(5)
        await running(blocker)
        await interrupt(blocker)

        assert await ref == 5
        assert statistics(blocker).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "args", "last"),
    [
        ("swallow", (10**9,), "terminate"),
        ("ignore", (signal.SIGINT,), "terminate"),
        ("ignore", (signal.SIGINT, signal.SIGTERM), "kill"),
        ("mask", (), "kill"),
    ],
)
def test_a_method_that_does_not_hear_is_ended_rung_by_rung(
    name: str, args: tuple[Any, ...], last: str
) -> None:
    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.options(executor=HASTY).start()
        async with runtime.events() as events:
            ref = getattr(blocker, name).remote(*args)
            await running(blocker)
            assert await interrupt(blocker)
            with pytest.raises(ActorUnavailableError) as error:
                await ref
            rungs = [event.rung for event in held(events, LadderClimbed)]
        assert error.value.reason.ordered
        assert rungs == ["interrupt", "terminate", "kill"][: len(rungs)]
        assert rungs[-1] == last
        assert await blocker.has_passed() is False
        assert statistics(blocker).incarnation == 2

    rehearse(scene)


@pytest.mark.slow
def test_a_handler_of_the_users_own_costs_the_process_but_never_hangs() -> None:
    async def scene(runtime: Runtime) -> None:
        blocker = await Blocker.options(executor=HASTY).start()
        assert await blocker.take_over(signal.SIGINT) == "taken over"
        ref = blocker.block.remote("spin")
        await running(blocker)
        await interrupt(blocker)
        with pytest.raises(ActorUnavailableError):
            await ref
        ref = blocker.block.remote("spin")  # the next incarnation has ours again
        await running(blocker)
        await interrupt(blocker)
        with pytest.raises(CallInterruptedError):
            await ref

    rehearse(scene)


@pytest.mark.slow
def test_the_idle_the_starting_the_dying_and_the_dead_do_not_mind() -> None:
    async def scene(runtime: Runtime) -> None:
        blocker = Blocker.remote()
        for _ in range(20):
            assert not await interrupt(blocker)  # it is starting
        await wait_ready(blocker)
        pid = statistics(blocker).pid
        for _ in range(20):
            assert not await interrupt(blocker)
            assert await blocker.has_passed() is False
        assert statistics(blocker).pid == pid

        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill, blocker)
            for _ in range(20):
                assert not await interrupt(blocker)
        assert statistics(blocker).state == "dead"
        assert not await interrupt(blocker)
        with pytest.raises(ActorDiedError):
            await blocker.has_passed()

    rehearse(scene)


@pytest.mark.slow
def test_signals_from_anywhere_do_not_disturb_what_is_not_meant() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        process = life_of(endless).incarnation.process  # type: ignore[union-attr]
        for n in range(200):
            process.signal(signal.SIGINT)
            assert await endless.add() == n + 1
        assert statistics(endless).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
def test_several_interrupted_at_once_are_all_told() -> None:
    async def scene(runtime: Runtime) -> None:
        many = [await Endless.start() for _ in range(3)]
        refs = [one.spin.remote() for one in many]
        for one in many:
            await running(one)
        async with trio.open_nursery() as nursery:
            for one in many:
                nursery.start_soon(interrupt, one)
        for ref in refs:
            with pytest.raises(CallInterruptedError):
                await ref
        assert await get([one.add.remote() for one in many]) == [1, 1, 1]

    rehearse(scene)
