"""Several calls at once in the threads of one guest."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_threads import Gang
from tests.engines import UNTRUSTED, Engine, across
from tests.rehearsal import PAGED, QUIET, held, pending_everywhere, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Ladder,
    Runtime,
    Thread,
    cancel,
    get,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import LadderClimbed

ENGINES = [
    Engine("thread", Gang, Thread()),
    Engine("process", Gang, QUIET),
    Engine("untrusted", Gang, UNTRUSTED),
]
everywhere = across(ENGINES)
in_processes = across(ENGINES[1:])


def said(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


async def unhurt(actor: Any, runtime: Runtime, incarnation: int = 1) -> None:
    assert await actor.add(1) == 2
    assert statistics(actor).incarnation == incarnation
    assert not pending_everywhere(runtime)
    incarnated = actor._life.incarnation
    await until(lambda: not incarnated.sent)
    assert all(lane.out == 0 for lane in incarnated.lanes)


@everywhere
def test_several_calls_run_at_once(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        assert sorted(await get([actor.meet.remote() for _ in range(3)])) == [0, 1, 2]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_full_group_holds_up_no_other(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        refs = [actor.one.remote(str(path), "go") for _ in range(400)]
        for _ in range(50):
            assert await actor.add(1) == 2
        path.write_text("go ")
        assert await get(refs) == ["go"] * 400
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_loop_of_python_is_interrupted_and_the_others_go_on(engine: Engine, tmp_path: Path) -> None:
    path, words = tmp_path / "said", tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        other = actor.wait_for.remote(str(words), "go")
        with pytest.raises(GetTimeoutError):
            await actor.spin.options(timeout=0.1)(str(path))
        await until(lambda: said(path) == ["begun", "ended"])
        words.write_text("go ")
        assert await other == "go"
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_call_cancelled_before_it_began_never_runs(engine: Engine, tmp_path: Path) -> None:
    path, words = tmp_path / "said", tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        busy = [actor.wait_for.remote(str(words), "go") for _ in range(4)]
        ref = actor.block.remote(str(path), 0.0)
        await trio.sleep(0.02)
        cancel(ref)
        incarnation = actor._life.incarnation
        if incarnation.guest.page is not None:  # else it never left
            await until(lambda: len(incarnation.sent) == 4)  # the guest has heard of it
        words.write_text("go ")
        assert await get(busy) == ["go"] * 4
        await unhurt(actor, runtime)
        assert said(path) == []

    rehearse(scene)


@in_processes
def test_a_sleep_that_is_alone_costs_the_incarnation(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"
    executor = replace(engine.executor, ladder=Ladder(0.1, 0.1))

    async def scene(runtime: Runtime) -> None:
        actor = await replace(engine, executor=executor).start(max_restarts=-1)
        with pytest.raises(GetTimeoutError):
            await actor.block.options(timeout=0.1)(str(path), 1000.0)
        await until(lambda: statistics(actor).incarnation == 2)
        await unhurt(actor, runtime, 2)
        assert said(path) == ["begun"]

    rehearse(scene)


@in_processes
@pytest.mark.slow
@pytest.mark.parametrize("collateral", [False, True])
def test_a_sleep_beside_others_ends_with_them_only_on_demand(
    engine: Engine, collateral: bool, tmp_path: Path
) -> None:
    path, words = tmp_path / "said", tmp_path / "words"
    executor = replace(engine.executor, ladder=Ladder(0.1, 0.1, collateral=collateral))

    async def scene(runtime: Runtime) -> None:
        actor = await replace(engine, executor=executor).start(max_restarts=-1)
        events = runtime.events()
        other = actor.wait_for.remote(str(words), "go")
        with pytest.raises(GetTimeoutError):
            await actor.block.options(timeout=0.1)(str(path), 1000.0)
        if collateral:
            with pytest.raises(ActorUnavailableError):
                await other
        else:
            await trio.sleep(0.5)
            assert {event.rung for event in held(events, LadderClimbed)} == {"interrupt"}
            words.write_text("go ")
            assert await other == "go"
        await until(lambda: statistics(actor).incarnation == 2)
        await unhurt(actor, runtime, 2)

    rehearse(scene)


@everywhere
def test_interrupt_ends_all_loops_but_what_is_protected(engine: Engine, tmp_path: Path) -> None:
    words = tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        kept = actor.protected.remote(str(words), "go")
        refs = [actor.spin.remote(str(tmp_path / f"{n}")) for n in range(2)]
        await until(lambda: all(said(tmp_path / f"{n}") for n in range(2)))
        assert await interrupt(actor)
        for ref in refs:
            with pytest.raises(CallInterruptedError):
                await ref
        words.write_text("go ")
        assert await kept == "go"
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_each_of_several_calls_knows_itself(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        path = statistics(actor).path
        for ref in [actor.who.remote() for _ in range(20)]:
            assert await ref == [ref.id, "who", path]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_an_end_on_purpose_ends_all_that_runs(engine: Engine, tmp_path: Path) -> None:
    words = tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(shutdown=0.3)
        other = actor.wait_for.remote(str(words), "go")
        await actor.add()
        with pytest.raises(ActorDiedError, match="for good"):
            await actor.leave()
        with pytest.raises(ActorDiedError) as error:
            await other
        assert error.value.fate == ("begun" if PAGED or not engine.in_process else "unknown")
        words.write_text("go ")

    rehearse(scene)


@everywhere
def test_a_crash_keeps_what_had_not_begun(engine: Engine, tmp_path: Path) -> None:
    words = tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=-1, crash_on=(ValueError,), shutdown=0.3)
        begun = actor.one.remote(str(words), "go")
        later = [actor.one.remote(str(words), "go") for _ in range(5)]
        await actor.add()
        with pytest.raises(ValueError, match="grave"):
            await actor.fail("grave")
        with pytest.raises(ActorUnavailableError) as error:
            await begun
        assert error.value.fate == ("begun" if PAGED or not engine.in_process else "unknown")
        words.write_text("go ")
        assert await get(later) == ["go"] * 5
        await unhurt(actor, runtime, 2)

    rehearse(scene)


@everywhere
def test_a_kill_in_the_midst_of_it_is_told_to_each(engine: Engine, tmp_path: Path) -> None:
    words = tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=-1)
        refs = [actor.wait_for.remote(str(words), "go") for _ in range(3)]
        await actor.add()
        await kill(actor, no_restart=False)
        for ref in refs:
            with pytest.raises(ActorUnavailableError):
                await ref
        words.write_text("go ")
        await unhurt(actor, runtime, 2)

    rehearse(scene)


def test_no_thread_outlives_a_guest_in_this_process() -> None:
    before = set(threading.enumerate())

    async def scene(runtime: Runtime) -> None:
        actor = await ENGINES[0].start()
        await get([actor.meet.remote() for _ in range(3)])

    rehearse(scene)

    def left() -> list[str]:
        return [
            thread.name
            for thread in set(threading.enumerate()) - before
            if thread.name.startswith("understudy")
        ]

    async def wait() -> None:
        with trio.fail_after(5):
            await until(lambda: not left())

    trio.run(wait)
