"""What holds for `async` methods in guests, under trio and under asyncio, in a thread and in processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast_guest_async import Crew, Hand, request
from tests.engines import Engine, across, loops, plain
from tests.rehearsal import PAGED, held, pending_everywhere, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Ladder,
    ObjectRef,
    Runtime,
    TaskCancelledError,
    TaskError,
    cancel,
    get,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import CallRetried, LadderClimbed

CREW = loops(Crew)
everywhere = across(CREW)
in_processes = across([engine for engine in CREW if engine.in_process])
needs_page = pytest.mark.skipif(not PAGED, reason="without a page nobody knows what had begun")


def said(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


async def unhurt(actor: Any, runtime: Runtime, incarnation: int = 1) -> None:
    assert await actor.add(1) == 2
    assert statistics(actor).incarnation == incarnation
    assert not pending_everywhere(runtime)
    incarnated = actor._life.incarnation
    await until(lambda: not incarnated.sent)
    assert all(lane.out == 0 for lane in incarnated.lanes)
    assert not incarnated.climber.climbs


# -- how many at once --------------------------------------------------------------------------------


@everywhere
def test_an_async_method_runs_under_the_loop_that_was_asked_for(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()

        assert await actor.library() == engine.executor.loop
        assert await actor.plain(1) == 2
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize(("limit", "most"), [(1, 1), (3, 3), (None, 20)])
def test_at_most_max_concurrency_calls_run_at_once_and_begin_in_order(
    engine: Engine, limit: int | None, most: int
) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_concurrency=limit)
        refs = [actor.queue.remote(n) for n in range(20)]

        assert await get(refs) == list(range(20))
        now, reached, order = await actor.report()
        assert (now, reached, order) == (0, most, list(range(20)))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_full_group_holds_up_no_other_however_many_wait(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_concurrency=2)
        ones = [actor.one.remote("one") for _ in range(600)]
        twos = [actor.two.remote("two") for _ in range(600)]

        assert await actor.add(1) == 2
        for _ in range(300):
            assert await actor.plain(2) == 3
        now, most, _ = await actor.report()
        assert (now, most) == (3, 3)
        actor.open.cast("one", "two")
        assert await get(ones) == ["one"] * 600
        assert await get(twos) == ["two"] * 600
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_plain_methods_that_waited_for_a_group_run_one_after_another(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        first = actor.one.remote("gate")
        rest = [actor.one_plain.remote(n) for n in range(800)]
        await actor.add()
        actor.open.cast("gate")

        assert await get(rest) == list(range(800))
        assert await first == "gate"
        assert (await actor.report())[2] == ["gate", *range(800)]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_what_gave_up_waiting_for_a_full_group_does_not_pile_up(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        first = actor.one.remote("gate")
        for _ in range(5):
            refs = [actor.one.remote("gate") for _ in range(400)]
            await actor.add()
            for ref in refs:
                cancel(ref)
            await actor.add()
        incarnated = actor._life.incarnation
        await until(lambda: len(incarnated.sent) < 300)
        actor.open.cast("gate")
        assert await first == "gate"
        await unhurt(actor, runtime)

    rehearse(scene)


# -- the right one -----------------------------------------------------------------------------------


async def by_cancelling_the_caller(actor: Any, path: str) -> None:
    with trio.move_on_after(0.05):
        await actor.rest(path)


async def by_a_timeout(actor: Any, path: str) -> None:
    with pytest.raises(GetTimeoutError):
        await actor.rest.options(timeout=0.05)(path)


async def by_cancelling_a_ref(actor: Any, path: str) -> None:
    ref = actor.rest.remote(path)
    await until(lambda: said(Path(path)))
    assert cancel(ref)
    with pytest.raises(TaskCancelledError):
        await ref


WAYS = [by_cancelling_the_caller, by_a_timeout, by_cancelling_a_ref]


@everywhere
@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_a_call_that_must_end_ends_and_no_other(engine: Engine, way: Any, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        others = [actor.pass_gate.remote(n) for n in range(30)]
        await way(actor, str(path))
        await until(lambda: said(path) in (["begun", "ended"], []))
        now, _, _ = await actor.report()
        assert now == 30
        actor.open.cast(*range(30))
        assert await get(others) == list(range(30))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_call_cancelled_before_its_loop_has_looked_never_runs(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        actor.hold.cast(0.2)
        await trio.sleep(0.05)
        ref = actor.rest.remote(str(path))
        await trio.sleep(0.02)
        cancel(ref)
        await unhurt(actor, runtime)
        assert said(path) == []

    rehearse(scene)


@everywhere
def test_interrupt_ends_all_that_runs_with_an_error_each(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        refs = [actor.rest.remote(str(tmp_path / f"{n}")) for n in range(5)]
        await until(lambda: len(list(tmp_path.iterdir())) == 5)
        assert await interrupt(actor)
        for ref in refs:
            with pytest.raises(CallInterruptedError):
                await ref
        assert all(said(tmp_path / f"{n}") == ["begun", "ended"] for n in range(5))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_an_interrupted_method_may_tidy_up(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        ref = actor.tidy.remote(str(path), 0.2)
        await until(lambda: said(path))
        cancel(ref)
        await until(lambda: said(path) == ["begun", "tidied"])
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_method_that_swallows_its_cancellation_is_cancelled_again(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"
    executor = replace(engine.executor, ladder=Ladder(interrupt=5.0))

    async def scene(runtime: Runtime) -> None:
        actor = await replace(engine, executor=executor).start()
        ref = actor.deaf.remote(str(path), 2)
        await until(lambda: said(path))
        cancel(ref)
        await until(lambda: said(path).count("swallowed") == 2)
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_protected_method_is_not_interrupted(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        with pytest.raises(GetTimeoutError):
            await actor.protected.options(timeout=0.05)(str(path), "gate")
        ref = actor.protected.remote(str(path), "gate")
        await actor.add()
        assert not await interrupt(actor)
        cancel(ref)
        await trio.sleep(0.05)
        actor.open.cast("gate")
        await until(lambda: said(path).count("done") == 2)
        await unhurt(actor, runtime)

    rehearse(scene)


# -- what is stuck -----------------------------------------------------------------------------------


@everywhere
def test_a_loop_of_python_that_is_alone_is_interrupted(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        with pytest.raises(GetTimeoutError):
            await actor.spin.options(timeout=0.1)(str(path))
        await until(lambda: said(path) == ["begun", "ended"])
        await unhurt(actor, runtime)

    rehearse(scene)


@in_processes
def test_a_sleep_that_is_alone_is_interrupted(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        with pytest.raises(GetTimeoutError):
            await actor.block.options(timeout=0.1)(str(path), 1000.0)
        await unhurt(actor, runtime)
        assert said(path) == ["begun"]

    rehearse(scene)


@everywhere
def test_a_loop_of_python_beside_others_is_interrupted_alone(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        others = [actor.pass_gate.remote(n) for n in range(10)]
        await actor.add()
        with pytest.raises(GetTimeoutError):
            await actor.spin.options(timeout=0.1)(str(path))
        await until(lambda: said(path) == ["begun", "ended"])
        actor.open.cast(*range(10))
        assert await get(others) == list(range(10))
        await unhurt(actor, runtime)

    rehearse(scene)


@in_processes
@pytest.mark.slow
@pytest.mark.parametrize("collateral", [False, True])
def test_a_harder_rung_is_taken_beside_others_only_on_demand(
    engine: Engine, collateral: bool, tmp_path: Path
) -> None:
    path = tmp_path / "said"
    executor = replace(engine.executor, ladder=Ladder(0.1, 0.1, collateral=collateral))

    async def scene(runtime: Runtime) -> None:
        actor = await replace(engine, executor=executor).start(max_restarts=-1)
        events = runtime.events()
        other = actor.pass_gate.remote("gate")
        ref = actor.unmoved.remote(str(path))
        await until(lambda: said(path))
        cancel(ref)
        if collateral:
            with pytest.raises(ActorUnavailableError):
                await other
            await unhurt(actor, runtime, 2)
        else:
            await trio.sleep(0.6)
            assert {event.rung for event in held(events, LadderClimbed)} == {"interrupt"}
            actor.open.cast("gate")
            assert await other == "gate"
            await until(lambda: statistics(actor).incarnation == 2)  # alone now
            await unhurt(actor, runtime, 2)

    rehearse(scene)


# -- ends --------------------------------------------------------------------------------------------


@everywhere
def test_an_exception_goes_to_its_caller_and_the_others_go_on(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        other = actor.pass_gate.remote("gate")
        with pytest.raises(ValueError, match="no") as error:
            await actor.fail_by_name("no")
        assert isinstance(error.value, TaskError)
        actor.open.cast("gate")
        assert await other == "gate"
        await unhurt(actor, runtime)

    rehearse(scene)


async def fates(refs: list[ObjectRef[Any]]) -> list[str]:
    found = []
    for ref in refs:
        try:
            await ref
        except (ActorUnavailableError, ActorDiedError) as error:
            found.append(error.fate)
        else:
            found.append("answered")
    return found


@everywhere
@pytest.mark.parametrize("how", ["crash_on", "cast", "exit status"])
def test_a_crash_ends_what_had_begun_and_keeps_what_had_not(engine: Engine, how: str) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(
            max_restarts=-1, crash_on=(LookupError,) if how != "crash_on" else (ValueError,)
        )
        begun = [actor.one.remote("gate"), actor.two.remote("gate"), actor.two.remote("gate")]
        later = [actor.one_plain.remote(n) for n in range(10)]
        await actor.add()
        if how == "crash_on":
            with pytest.raises(ValueError, match="grave"):
                await actor.fail_by_name("grave")
        elif how == "cast":
            actor.fail_by_name.cast("alone")
        else:
            with pytest.raises(ActorUnavailableError):
                await actor.quit(1)
        assert await fates(begun) == (["begun"] * 3 if PAGED or not engine.in_process else ["unknown"] * 3)
        assert await get(later) == list(range(10))
        assert (await actor.report())[2] == list(range(10))
        await unhurt(actor, runtime, 2)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize(("name", "args"), [("leave", ("why",)), ("quit", (0,)), ("leave_from_group", ())])
def test_an_end_on_purpose_is_final_for_all_that_runs_and_waits(engine: Engine, name: str, args: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        begun = actor.one.remote("gate")
        later = [actor.one.remote("gate") for _ in range(300)]
        await actor.add()
        with pytest.raises(ActorDiedError) as error:
            await getattr(actor, name)(*args)
        assert (error.value.reason.kind, error.value.fate) == ("normal", "begun")
        paged = PAGED or not engine.in_process
        assert await fates([begun]) == ["begun" if paged else "unknown"]
        assert set(await fates(later)) <= {"never_sent", "not_begun"}
        assert not pending_everywhere(runtime)

    rehearse(scene)


@everywhere
def test_a_plain_method_that_waited_and_leaves_ends_its_actor_in_order(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        first = actor.one.remote("gate")
        leaving = actor.plain_exit.remote()
        await actor.add()
        actor.open.cast("gate")
        assert await first == "gate"
        with pytest.raises(ActorDiedError, match="plainly"):
            await leaving

    rehearse(scene)


@everywhere
def test_a_kill_tells_each_call_whether_it_had_begun(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=-1)
        begun = [actor.two.remote("gate") for _ in range(2)]
        later = [actor.two.remote("later") for _ in range(500)]
        await actor.add()
        await kill(actor, no_restart=False)
        assert await fates(begun) == ["begun" if PAGED or not engine.in_process else "unknown"] * 2
        actor.open.cast("later")
        assert await get(later) == ["later"] * 500
        await unhurt(actor, runtime, 2)

    rehearse(scene)


@everywhere
def test_a_runtime_that_closes_cancels_what_runs(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> list[Any]:
        actor = await engine.start(shutdown=2.0)
        refs = [actor.rest.remote(str(path)) for _ in range(3)]
        await until(lambda: len(said(path)) == 3)
        return refs

    for ref in rehearse(scene):
        assert isinstance(ref.call.error, TaskCancelledError)
    assert said(path).count("ended") == 3


# -- again -------------------------------------------------------------------------------------------


@in_processes
def test_a_call_under_which_the_actor_died_is_tried_again_with_its_id(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=-1)
        events = runtime.events()
        assert await actor.die.options(max_task_retries=3)(str(tmp_path / "tries"), 2) == 3
        assert len({event.call_id for event in held(events, CallRetried)}) == 1
        await unhurt(actor, runtime, 3)

    rehearse(scene)


@everywhere
def test_a_call_that_raised_is_tried_again_as_often_as_told(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        again = actor.fail_first.options(max_task_retries=2, retry_exceptions=True)
        assert await again(str(tmp_path / "two"), 2) == 3
        with pytest.raises(ValueError, match="not yet"):
            await again(str(tmp_path / "three"), 3)
        await unhurt(actor, runtime)

    rehearse(scene)


# -- what a method knows -----------------------------------------------------------------------------


@everywhere
def test_each_of_many_calls_knows_itself_and_so_do_its_child_tasks(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        path = statistics(actor).path
        refs = [actor.who.remote(0.02) for _ in range(20)] + [actor.who_in_child.remote() for _ in range(20)]
        waits = actor.one.remote("gate")
        refs += [actor.plain_who.remote() for _ in range(5)]
        await actor.add()
        actor.open.cast("gate")
        assert await waits == "gate"
        for ref in refs:
            assert await ref == [ref.id, ref.call.method.name, path] or await ref == (
                ref.id,
                ref.call.method.name,
                path,
            )

    rehearse(scene)


@across([*CREW, *plain(Hand)])
def test_a_context_variable_set_in_one_call_is_seen_in_no_other(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        for _ in range(3):
            if engine.awaits:
                assert await get([actor.swap.remote(f"{n}") for n in range(20)]) == ["nothing"] * 20
            async for _ in actor.stream_carried():
                pass
            assert await get([actor.plain_swap.remote(f"{n}") for n in range(20)]) == ["nothing"] * 20

    rehearse(scene)


@across([*CREW, *plain(Hand)])
def test_a_carried_context_variable_travels_with_calls_and_streams(engine: Engine) -> None:
    values = [None, "text", 7, {"a": [1]}] + ([(1, 2), {3}] if engine.trusted else [])

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        names = ["plain_carried"] + (["carried"] if engine.awaits else [])
        for value in values:
            token = request.set(value)
            for name in names:
                assert await getattr(actor, name)() == value
            assert [item async for item in actor.stream_carried()] == [value] * 2
            request.reset(token)
            assert await actor.plain_carried() is None

    rehearse(scene)


@across([*CREW, *plain(Hand)])
def test_a_method_knows_how_long_its_caller_will_wait(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        assert await actor.remaining() is None
        assert 4.0 < await actor.remaining.options(timeout=5.0)() < 4.96

    rehearse(scene)


def test_two_variables_of_one_name_cannot_both_be_carried() -> None:
    from contextvars import ContextVar

    from understudy import carry

    assert carry(request) is request
    with pytest.raises(ValueError, match="is carried already; rename one"):
        carry(ContextVar(request.name))
