"""What the methods of guests ask of other actors: from processes and threads, in all the ways they run methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_calls import Asker, AsyncAsker, EarlyAsker, Target
from tests.engines import Engine, across, loops, plain
from tests.rehearsal import BOTH, LOCAL, QUIET, held, pending_everywhere, until
from tests.rehearsal import rehearse as play
from understudy import (
    ActorDiedError,
    ActorNotFoundError,
    CallInterruptedError,
    DeadlockError,
    GetTimeoutError,
    Runtime,
    TaskError,
    Thread,
    cancel,
    get,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import FailureUnseen, RequestRefused
from understudy.actors.guest_handle import GuestHandle
from understudy.actors.guest_ref import ask
from understudy.actors.questions import PATIENCE
from understudy.transports.guests import protocol as p

ALL = plain(Asker) + loops(AsyncAsker)
TRUSTED = [engine for engine in ALL if engine.trusted]
UNTRUSTED = [engine for engine in ALL if not engine.trusted]
everywhere = across(TRUSTED)
in_processes = across([engine for engine in TRUSTED if engine.in_process])
blocking_ones = across([engine for engine in TRUSTED if not engine.awaits])
async_ones = across([engine for engine in TRUSTED if engine.awaits])
untrusted_ones = across(UNTRUSTED)


async def named(name: str, executor: Any = LOCAL, **options: Any) -> Any:
    return await Target.options(executor=executor, id=name, name=name, **options).start()


def rehearse(scene: Any) -> None:
    play(scene, seconds=6)


def said(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def incarnation_of(actor: Any) -> Any:
    """The host's side of a guest."""
    return actor._life.incarnation


async def settled(actor: Any, runtime: Runtime) -> None:
    """The actor goes on, and nothing is left of what it asked."""
    assert await actor.add(1) == 2
    assert statistics(actor).incarnation == 1
    await until(lambda: not incarnation_of(actor).questions.open)
    assert await actor.open_questions() == 0
    await until(lambda: not pending_everywhere(runtime))


# -- asking ------------------------------------------------------------------------------------------


@everywhere
def test_a_handle_given_as_an_argument_can_be_called(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        for executor in (*BOTH, Thread()):
            target = await Target.options(executor=executor).start()
            assert await actor.ask(target, "add", 5) == 6
            assert await actor.ask(target, "echo", {"a": (1, {2})}) == {"a": (1, {2})}
            assert await actor.by_refs(target, 20) == list(range(1, 21))
        await settled(actor, runtime)

    rehearse(scene)


@in_processes
def test_a_handle_may_be_part_of_an_argument_or_of_a_result(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target")
        assert await actor.ask_in([target], {"target": target}) == 13
        assert await actor.pass_on([target, {"it": target}]) == [target, {"it": target}]
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_an_actor_is_found_by_its_name(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        await named("target")
        assert await actor.ask_named("target", Target, "add", 5) == 6
        assert await actor.ask_named("target", None, "add", 6) == 7
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_handle_that_comes_back_is_the_handle(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target, other = await engine.start(), await named("target"), await named("other")
        assert await actor.pass_on(target) == target
        assert await actor.pass_on(target) != other
        assert await actor.ask(target, "echo", target) == target
        assert await actor.same(target, target) == (True, True, 1)
        assert (await actor.same(target, other))[0] is False
        await actor.keep(target)
        assert await actor.ask_kept(7) == 8
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_cast_is_sent_and_not_waited_for(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target")
        for word in ("a", "b"):
            assert await actor.cast_on(target, "note", word) == "cast"
        await until(lambda: statistics(target).pending == 0)
        assert await actor.ask(target, "noted") == ["a", "b"]
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_cast_that_cannot_be_made_is_told_as_an_event(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target")
        await kill(target)
        async with runtime.events() as events:
            await actor.cast_on(target, "note", "x")
            await until(lambda: held(events, FailureUnseen))
        (event,) = held(events, FailureUnseen)
        assert isinstance(event.error, ActorDiedError)
        assert event.method == "note"
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_many_may_be_asked_at_once(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target")
        assert await actor.many(target, 1000) == sum(range(1, 1001))
        assert await get([actor.ask.remote(target, "add", n) for n in range(100)]) == list(range(1, 101))
        await settled(actor, runtime)

    rehearse(scene)


def test_a_thousand_calls_of_one_guest_ask_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await AsyncAsker.start(), await named("target", QUIET)
        assert await get([actor.ask.remote(target, "add", n) for n in range(1000)]) == list(range(1, 1001))
        await settled(actor, runtime)

    rehearse(scene)


# -- errors ------------------------------------------------------------------------------------------


@everywhere
def test_what_the_other_raised_is_an_instance_of_its_class(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        for executor in BOTH:
            target = await Target.options(executor=executor).start()
            found = await actor.caught(target, "fail", "oh")
            assert {"TaskError", "Odd"} <= set(found["kinds"])
            assert (found["text"], found["colour"], found["cause"]) == ("oh", "blue", "Odd")
            with pytest.raises(TaskError) as error:
                await actor.ask(target, "fail", "oh")
            assert "Odd" in [kind.__name__ for kind in type(error.value).__mro__]
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_dead_actor_is_told_as_such(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target")
        await kill(target)
        found = await actor.caught(target, "add", 1)
        assert found["kinds"][0] in ("ActorDiedError", "ActorNotFoundError")
        with pytest.raises(TaskError) as error:
            await actor.ask_named("nobody", Target, "add", 1)
        assert isinstance(error.value, ActorNotFoundError)
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_an_actor_that_dies_while_it_is_asked_is_told_with_its_reason(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET, max_restarts=0)
        found = await actor.caught(target, "die")
        assert "ActorDiedError" in found["kinds"]
        assert found["reason"] == "error"
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_what_cannot_travel_is_unsendable(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        found = await actor.caught(target, "lock")
        assert found["kinds"][0] == "Unsendable"
        assert found["fate"] == "begun"
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_mistake_in_a_call_is_raised_where_it_is_made(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target")
        for name, args, kind in [("add", (1, 2), "TypeError"), ("nothing", (), "AttributeError")]:
            assert (await actor.caught(target, name, *args))["kinds"][0] == kind
            assert (await actor.caught_at_once(target, name, *args))["kinds"][0] == kind
        found = await actor.caught(target, "count", 3)
        assert found["kinds"][0] == "TypeError"
        assert "stream" in found["text"].lower()
        await settled(actor, runtime)

    rehearse(scene)


@untrusted_ones
def test_an_untrusted_actor_may_not_call_and_that_it_tried_is_an_event(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        await named("target")
        async with runtime.events() as events:
            with pytest.raises(PermissionError, match="may not look for actors"):
                await actor.ask_named("target", None, "add", 1)
            await until(lambda: held(events, RequestRefused))
        (event,) = held(events, RequestRefused)
        assert (event.actor, event.verb, event.target) == (actor._life.path, "find", "target")
        assert await actor.add(1) == 2
        assert statistics(actor).incarnation == 1

    rehearse(scene)


@untrusted_ones
def test_an_untrusted_actor_that_asks_again_and_again_is_killed(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(max_restarts=0), await named("target")
        incarnation = incarnation_of(actor)
        request = [p.ASK, 1, 0, ["cast", ["target", "", "", 0], "note", [["x"], {}, {}, {}], []]]
        async with runtime.events() as events:
            incarnation.hear([request] * PATIENCE)
            assert await actor.add(1) == 2
            assert len(held(events, RequestRefused)) == PATIENCE
        incarnation.hear([request])
        await until(lambda: actor._life.state == "dead")
        assert await target.noted() == []
        assert "protocol" in str(actor._life.last_reason)

    rehearse(scene)


@async_ones
def test_a_plain_method_among_async_ones_is_told_to_be_async(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target")
        found = await actor.blocks(target)
        assert found["kinds"][0] == "RuntimeError"
        assert "make the method async" in found["text"]
        await settled(actor, runtime)

    rehearse(scene)


def test_outside_a_method_nothing_can_be_asked() -> None:
    with pytest.raises(RuntimeError, match="only while a method of this actor runs"):
        ask("call")
    with pytest.raises(RuntimeError, match="only while a method of this actor runs"):
        GuestHandle("target", Target).add.remote(1)


@pytest.mark.parametrize("executor", [QUIET, Thread()], ids=["process", "thread"])
def test_an_actor_may_ask_another_while_it_is_made(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await named("target")
        actor: Any = await EarlyAsker.options(executor=executor).start("target")
        assert await actor.value() == 2
        await until(lambda: not incarnation_of(actor).questions.open)

    rehearse(scene)


# -- calls that end while they wait ------------------------------------------------------------------


@everywhere
def test_a_caller_that_gives_up_has_what_was_asked_withdrawn(engine: Engine, tmp_path: Path) -> None:
    path, own = tmp_path / "target", tmp_path / "own"

    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(actor.rest_with, target, str(path), str(own))
                await until(lambda: said(path) == ["begun"])
                scope.cancel()
        await until(lambda: said(path) == ["begun", "ended"] and said(own) == ["left"])
        assert await target.add(1) == 2
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_deadline_has_what_was_asked_withdrawn(engine: Engine, tmp_path: Path) -> None:
    path, own = tmp_path / "target", tmp_path / "own"

    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        ref = actor.rest_with.options(timeout=0.2).remote(target, str(path), str(own))
        with pytest.raises(GetTimeoutError):
            await ref
        await until(lambda: said(path) in ([], ["begun", "ended"]) and said(own) == ["left"])
        assert await target.add(1) == 2
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_an_interrupt_has_what_was_asked_withdrawn(engine: Engine, tmp_path: Path) -> None:
    path, own = tmp_path / "target", tmp_path / "own"

    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        ref = actor.rest_with.remote(target, str(path), str(own))
        after = [actor.add.remote(n) for n in range(3)]
        await until(lambda: said(path) == ["begun"])
        assert await interrupt(actor)
        with pytest.raises(CallInterruptedError):
            await ref
        assert await get(after) == [1, 2, 3]
        await until(lambda: said(path) == ["begun", "ended"] and said(own) == ["left"])
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_protected_method_has_its_answer_although_nobody_waits_for_it(
    engine: Engine, tmp_path: Path
) -> None:
    own = tmp_path / "own"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        gate = await named("gate", QUIET)
        gated = tmp_path / "gate"
        ref = actor.protected.remote(gate, "wait_for", str(gated), str(own))
        await until(lambda: said(own) == ["begun"])
        cancel(ref)
        assert not await interrupt(actor)
        gated.touch()
        await until(lambda: said(own) == ["begun", "done"])
        await settled(actor, runtime)

    rehearse(scene)


@in_processes
def test_what_a_guest_asked_ends_with_it(engine: Engine, tmp_path: Path) -> None:
    path, own = tmp_path / "target", tmp_path / "own"

    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        ref = actor.rest_with.remote(target, str(path), str(own))
        await until(lambda: said(path) == ["begun"])
        questions = actor._life.incarnation.questions
        await kill(actor)
        with pytest.raises(ActorDiedError):
            await ref
        assert not questions.open
        await until(lambda: said(path) == ["begun", "ended"])
        assert await target.add(1) == 2

    rehearse(scene)


@everywhere
def test_refs_belong_to_the_call_that_made_them(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "target"

    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        assert await actor.leave_refs(target, str(path)) == "left"
        await until(lambda: said(path) == ["begun", "ended"])
        await settled(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_ref_that_was_cancelled_says_so(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "target"

    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        told, error = await actor.cancel_one(target, str(path))
        assert told == (True, False)
        assert error["kinds"][0] == "TaskCancelledError"
        await until(lambda: said(path) == ["begun", "ended"])
        await settled(actor, runtime)

    rehearse(scene)


@blocking_ones
def test_a_get_whose_time_runs_out_leaves_the_call_going(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        error, done = await actor.timed(target, str(tmp_path / "target"))
        assert error["kinds"][0] == "GetTimeoutError"
        assert not done
        await settled(actor, runtime)

    rehearse(scene)


@blocking_ones
def test_wait_tells_who_has_ended(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, slow, quick = await engine.start(), await named("slow", QUIET), await named("quick")
        assert await actor.first_of(slow, quick, str(tmp_path / "slow")) == (True, True, [2], True)
        await settled(actor, runtime)

    rehearse(scene)


@across([engine for engine in TRUSTED if engine.name.startswith("trio")])
def test_a_wait_for_a_ref_that_is_cancelled_leaves_the_call_going(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, target = await engine.start(), await named("target", QUIET)
        assert await actor.patient_ref(target, str(tmp_path / "target")) == "come"
        await settled(actor, runtime)

    rehearse(scene)


# -- chains ------------------------------------------------------------------------------------------


@everywhere
def test_a_chain_has_one_trace_and_the_time_that_is_left(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = await engine.start(), await Asker.options(executor=QUIET).start()
        third = await AsyncAsker.options(executor=LOCAL).start()
        parts = await first.chain.options(timeout=30.0)(second, third)
        ids, traces, left = zip(*parts, strict=True)
        assert len(set(ids)) == 3
        assert traces == (ids[0],) * 3
        assert 30 >= left[0] >= left[1] >= left[2] > 0
        assert [one[2] for one in await first.chain(second, third)] == [None] * 3
        await settled(first, runtime)

    rehearse(scene)


ONE_AT_A_TIME = [engine for engine in TRUSTED if not engine.options and not engine.awaits]
SEVERAL = [engine for engine in TRUSTED if engine not in ONE_AT_A_TIME]


@across(ONE_AT_A_TIME)
@pytest.mark.parametrize("name", ["circle", "circle_by_ref", "circle_by_map", "circle_by_wait"])
def test_a_circle_through_guests_is_told_with_its_way(engine: Engine, name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        a, b = await engine.start(id="a"), await engine.start(id="b")
        with pytest.raises(
            DeadlockError, match=rf"a would wait for itself: a.{name} -> b.{name} -> a.{name}"
        ):
            await getattr(a, name)(b, a)
        assert await getattr(a, name)(b) == 1
        for actor in (a, b):
            await settled(actor, runtime)

    rehearse(scene)


@across(ONE_AT_A_TIME)
def test_a_circle_through_a_ref_among_the_arguments_is_told(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, c = [await engine.start(id=name) for name in "abc"]
        with pytest.raises(
            DeadlockError, match=r"a would wait for itself: a\S+ -> c.add -> a.circle_by_argument"
        ):
            await a.circle_by_argument(c, a)
        assert await a.circle_by_argument(c, b) == 2
        for actor in (a, b, c):
            await settled(actor, runtime)

    rehearse(scene)


@across([engine for engine in TRUSTED if engine.awaits])
@pytest.mark.parametrize("name", ["circle_by_wait", "circle_by_wait_done"])
def test_a_circle_of_async_methods_that_wait_for_an_end_is_told(engine: Engine, name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        a, b = [await engine.start(id=name, max_concurrency=1) for name in "ab"]
        with pytest.raises(DeadlockError, match=rf"a.{name} -> b.{name} -> a.{name}"):
            await getattr(a, name)(b, a)
        for actor in (a, b):
            await settled(actor, runtime)

    rehearse(scene)


@pytest.mark.slow
@across(ONE_AT_A_TIME)
def test_a_circle_is_told_to_who_closes_it_later(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        a, b = await engine.start(id="a"), await engine.start(id="b")
        with pytest.raises(DeadlockError, match="a would wait for itself"):
            await a.circle_late(b, a)
        for actor in (a, b):
            await settled(actor, runtime)

    rehearse(scene)


@across(TRUSTED)
def test_a_circle_is_told_where_all_places_are_taken(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        a, b = await engine.start(id="a", max_concurrency=1), await Asker.options(id="b").start()
        with pytest.raises(DeadlockError, match=r"a.circle -> b.circle -> a.circle"):
            await a.circle(b, a)
        for actor in (a, b):
            await settled(actor, runtime)

    rehearse(scene)


@across(SEVERAL)
def test_no_circle_where_a_place_is_free(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        a, b = await engine.start(id="a"), await engine.start(id="b")
        assert await a.circle(b, a) == 2
        assert await a.circle_by_ref(b, a, b) == 3
        for actor in (a, b):
            await settled(actor, runtime)

    rehearse(scene)


@across(TRUSTED)
def test_reentrant_lets_a_call_that_comes_back_run(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        a = await engine.start(id="a", reentrant=True, max_concurrency=1)
        b = await engine.start(id="b", reentrant=True, max_concurrency=1)
        assert await a.circle(b, a) == 2
        assert await a.circle(b, a, b, a) == 4
        assert await a.circle_by_map(b, a) == 2
        assert await a.circle_by_wait(b, a) == 2
        for actor in (a, b):
            await settled(actor, runtime)

    rehearse(scene)


def waiting(actor: Any, count: int) -> bool:
    """Does it have so many calls on its books, the one that runs among them?"""
    return len([call for call in actor._life.mailbox.unfinished() if not call.ended]) == count


@across(TRUSTED)
def test_reentrant_lets_in_what_came_back_before_its_caller_waited(engine: Engine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def scene(runtime: Runtime) -> None:
        a = await engine.start(id="a", reentrant=True, max_concurrency=1)
        b, c = await Asker.start(), await Asker.start()
        for count, way in [(2, (b, a)), (3, (b, c, a))]:
            ref = a.wait_late.remote(str(gate), *way)
            await until(lambda: waiting(a, 2))
            gate.write_text("open ")
            assert await ref == count
            gate.unlink()
        await settled(a, runtime)

    rehearse(scene)


@across(TRUSTED)
def test_reentrant_lets_in_what_waits_behind_others(engine: Engine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def scene(runtime: Runtime) -> None:
        a = await engine.start(id="a", reentrant=True, max_concurrency=1)
        b = await Asker.start()
        ref = a.wait_late.remote(str(gate), b, a)
        others = [a.add.remote(n) for n in range(600)]
        await until(lambda: waiting(a, 602))
        gate.write_text("open ")
        assert await ref == 2
        assert await get(others) == list(range(1, 601))
        await settled(a, runtime)

    rehearse(scene)
