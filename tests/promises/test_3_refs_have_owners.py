"""Promise 3: a ref belongs to the call in whose method it was made, else to an `open_scope()`, else to the runtime."""

from __future__ import annotations

import contextlib
import gc
from contextvars import ContextVar
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast_refs import AsyncMaker, Maker, Taker
from tests.rehearsal import LOCAL, QUIET, held, rehearse, until
from understudy import (
    Handle,
    ObjectRef,
    Runtime,
    TaskCancelledError,
    cancel,
    get_actor,
    method,
    open_scope,
    statistics,
    wait,
)
from understudy.actors.events import FailureUnseen
from understudy.actors.verbs import life_of

Quick = Taker.options(executor=LOCAL)


async def pair() -> tuple[Handle[Maker], Handle[Taker]]:
    """A maker of refs, and whom it calls."""
    taker = await Taker.start()
    return await Maker.start(taker), taker


async def made_by(maker: Handle[Maker]) -> list[ObjectRef[Any]]:
    return [ref for (ref,) in await maker.refs()]


async def running(handle: Any) -> None:
    await until(lambda: life_of(handle).incarnation and life_of(handle).incarnation.running())  # type: ignore[union-attr]


# -- calls own what is made in them ------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["awaited", "ref", "cast"])
def test_what_a_call_leaves_pending_is_cancelled_when_it_ends(asked: str) -> None:
    async def scene(runtime: Runtime) -> None:
        maker, taker = await pair()
        if asked == "awaited":
            await maker.leave()
        elif asked == "ref":
            await maker.leave.remote()
        else:
            maker.leave.cast()
        (ref,) = await made_by(maker)
        with pytest.raises(
            TaskCancelledError, match=r"was cancelled: call \d+, leave\(\), its owner, has ended"
        ) as e:
            await ref
        assert e.value.fate == "never_sent"
        assert await taker.taken() == []
        assert statistics(taker).pending == 0

    rehearse(scene)


def test_what_a_failing_call_leaves_pending_is_cancelled_too() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await pair()
        with pytest.raises(ValueError, match="after it made a ref"):
            await maker.leave_and_fail()
        (ref,) = await made_by(maker)
        assert isinstance(ref.call.error, TaskCancelledError)

    rehearse(scene)


def test_what_one_call_made_is_cancelled_before_the_next_call_begins() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await pair()
        maker.leave.cast()
        states = maker.refs.remote()
        (ref,) = [ref for (ref,) in await states]
        maker.ask_itself.cast(maker)
        await maker.refs()
        assert ref.done
        (_, itself) = await made_by(maker)
        with pytest.raises(TaskCancelledError):
            await itself  # it waited behind the call that made it

    rehearse(scene)


def test_a_ref_that_is_the_result_goes_to_the_callers_owner() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await pair()
        async with open_scope() as scope:
            given = await maker.give()
            kept, same = await made_by(maker)
            assert given is same
            assert not given.done
            assert kept.done
            assert "1 pending refs" in repr(scope)
        with pytest.raises(TaskCancelledError, match="the scope, its owner, has ended"):
            await given

    rehearse(scene)


@pytest.mark.parametrize(
    ("method", "given"), [("give_list", [False, True, True]), ("give_dict", [True, False])]
)
def test_refs_in_a_container_that_is_the_result_go_to_the_callers_owner(
    method: str, given: list[bool]
) -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await pair()
        result = await getattr(maker, method)()
        assert [not ref.done for ref in await made_by(maker)] == given
        assert all(cancel(ref) for ref in (result.values() if isinstance(result, dict) else result))

    rehearse(scene)


def test_a_ref_that_a_ref_gives_goes_to_that_refs_owner() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await pair()
        async with open_scope():
            ref = maker.give.remote()
            given = await ref
        assert given.done  # it belonged to the scope, as `ref` does
        again = await maker.give.remote()
        assert not again.done  # and this one to the runtime
        assert cancel(again)

    rehearse(scene)


def test_a_ref_goes_up_through_a_chain_of_calls() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await pair()
        others: Any = maker
        first = await Maker.start(others)
        async with open_scope():
            outer = await first.pass_on(maker)
            inner = await outer
            assert not inner.done
        assert inner.done

    rehearse(scene)


# -- async methods -----------------------------------------------------------------------------------


async def async_maker() -> tuple[Any, Any]:
    slow = await Taker.start()
    return await AsyncMaker.start(slow, await Quick.start()), slow


def test_what_an_async_call_leaves_pending_is_cancelled_when_it_ends() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, slow = await async_maker()
        assert await maker.first() == "quick"
        left, _ = await made_by(maker)
        with pytest.raises(TaskCancelledError, match=r"call \d+, first\(\), its owner, has ended"):
            await left
        assert await slow.take("free") == "free"

    rehearse(scene)


def test_what_an_async_call_returns_goes_to_the_callers_owner() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await async_maker()
        async with open_scope():
            given = await maker.give()
            states = [ref.done for ref in await made_by(maker)]
        assert states == [True, False]
        assert given.done

    rehearse(scene)


def test_a_scope_inside_a_call_is_nearer_than_the_call() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, _ = await async_maker()
        async with open_scope():
            assert await maker.within() == [False, True]
            assert all(ref.done for ref in await made_by(maker))

    rehearse(scene)


def test_what_a_cancelled_async_call_has_made_is_cancelled() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, slow = await async_maker()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(maker.wait_for_ever)
            await running(slow)
            nursery.cancel_scope.cancel()
        assert await slow.take("free") == "free"
        (ref,) = await made_by(maker)
        assert isinstance(ref.call.error, TaskCancelledError)

    rehearse(scene)


def test_async_calls_that_run_at_once_own_only_their_own() -> None:
    async def scene(runtime: Runtime) -> None:
        maker, slow = await async_maker()
        waiting = maker.wait_for_ever.remote()
        await running(slow)
        assert await maker.first() == "quick"
        assert not waiting.done
        states = [ref.done for ref in await made_by(maker)]
        assert states == [False, True, True]
        cancel(waiting)

    rehearse(scene)


# -- scopes ------------------------------------------------------------------------------------------


def test_leaving_a_scope_cancels_what_is_pending_and_nothing_else() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        outside = taker.take.remote("outside")
        async with open_scope():
            done = taker.take.remote("done")
            assert await done == "done"
            slow, queued = taker.nap.remote(), taker.take.remote("never")
            await running(taker)
        assert await outside == "outside"
        assert await done == "done"
        for ref in (slow, queued):
            with pytest.raises(TaskCancelledError, match="the scope, its owner, has ended"):
                await ref
        assert await taker.taken() == ["outside", "done"]
        assert statistics(taker).incarnation == 1  # the nap was interrupted, not killed

    rehearse(scene)


@pytest.mark.parametrize("how", ["error", "cancelled"])
def test_however_a_scope_is_left_its_refs_are_cancelled(how: str) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        refs: list[ObjectRef[Any]] = []
        with trio.CancelScope() as outer, contextlib.suppress(KeyError):
            async with open_scope():
                refs.append(taker.nap.remote())
                if how == "error":
                    raise KeyError("left")
                outer.cancel()
                await trio.sleep_forever()
        assert outer.cancelled_caught == (how == "cancelled")
        assert refs[0].done

    rehearse(scene)


def test_scopes_nest_and_the_inner_owns_what_is_made_in_it() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        async with open_scope():
            first = taker.nap.remote()
            async with open_scope():
                second = taker.nap.remote()
            third = taker.nap.remote()
            assert (first.done, second.done, third.done) == (False, True, False)
        assert (first.done, third.done) == (True, True)

    rehearse(scene)


def test_tasks_started_in_a_scope_make_refs_for_it_and_after_it_for_the_one_above() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        refs: list[ObjectRef[Any]] = []
        go_on = trio.Event()

        async def make() -> None:
            refs.append(taker.nap.remote())
            await go_on.wait()
            refs.append(taker.nap.remote())

        async with open_scope():
            async with trio.open_nursery() as nursery:
                async with open_scope():
                    nursery.start_soon(make)
                    await trio.testing.wait_all_tasks_blocked(0.01)
                assert refs[0].done
                go_on.set()
            assert not refs[1].done
        assert refs[1].done

    rehearse(scene)


def test_an_actor_started_in_a_scope_does_not_make_its_own_refs_for_it() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        async with open_scope():
            maker = await Maker.options(lifetime="detached").start(taker)
        given = await maker.give()
        assert not given.done
        assert cancel(given)

    rehearse(scene)


def test_nothing_that_waits_begins_because_what_runs_is_cancelled_first() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        async with open_scope():
            taker.nap.remote()
            for n in range(200):
                taker.take.remote(n)
            await running(taker)
        assert await taker.taken() == []

    rehearse(scene)


def test_an_actor_is_in_no_context_of_whoever_starts_it() -> None:
    class Looking(Maker, executor=LOCAL):
        @method
        def look(self) -> str:
            return WHO.get()

    async def scene(runtime: Runtime) -> None:
        WHO.set("whoever starts it")
        looking = await Looking.start(await Quick.start())
        assert await looking.look() == "nobody"

    rehearse(scene)


WHO = ContextVar("WHO", default="nobody")


def test_a_scope_adopts_a_ref() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        ref = taker.nap.remote()
        async with open_scope() as inner, open_scope() as innermost:
            innermost.adopt(ref)
            inner.adopt(ref)
            innermost.cancel()
            states = [ref.done]
            inner.cancel()
            states.append(ref.done)
            inner.adopt(ref)
            assert states == [False, True]
        with pytest.raises(RuntimeError, match="this scope is closed and owns nothing any more"):
            inner.adopt(ref)

    rehearse(scene)


def test_a_scope_is_opened_once() -> None:
    async def scene(runtime: Runtime) -> None:
        scope = open_scope()
        async with scope:
            with pytest.raises(RuntimeError, match=r"write open_scope\(\) again"):
                await scope.__aenter__()
        with pytest.raises(RuntimeError, match=r"write open_scope\(\) again"):
            await scope.__aenter__()
        assert repr(scope) == "<scope, closed, 0 pending refs, 0 actors>"

    rehearse(scene)


def test_the_first_of_several_and_the_rest_is_cancelled() -> None:
    async def scene(runtime: Runtime) -> None:
        slow, quick = await Taker.start(), await Quick.start()
        async with open_scope():
            ended, pending = await wait([slow.nap.remote(), quick.take.remote("first")])
            assert await ended[0] == "first"
        assert [ref.done for ref in pending] == [True]

    rehearse(scene)


@pytest.mark.slow
def test_ten_thousand_refs_of_a_scope_are_cancelled() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        async with open_scope():
            refs = [taker.nap.remote() for _ in range(10_000)]
        assert all(ref.done for ref in refs)
        assert await taker.take(1) == 1

    rehearse(scene)


# -- failures that nobody awaits ---------------------------------------------------------------------


@pytest.mark.parametrize("dropped", [True, False], ids=["dropped", "kept"])
def test_a_failure_in_a_scope_that_nobody_awaited_is_an_event_once(dropped: bool) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        quick = await Quick.start()
        async with open_scope():
            refs = [quick.fail.remote("unseen")]
            if dropped:
                refs.clear()
            await quick.taken()
        refs.clear()
        gc.collect()
        (unseen,) = held(events, FailureUnseen)
        assert isinstance(unseen.error, ValueError)

    rehearse(scene)


def test_a_ref_dropped_while_pending_is_told_of_when_its_owner_cancels_it() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        taker = await Taker.start()
        async with open_scope():
            taker.nap.remote()
            await running(taker)
        (unseen,) = held(events, FailureUnseen)
        assert isinstance(unseen.error, TaskCancelledError)

    rehearse(scene)


# -- actors of a scope -------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_an_actor_made_in_a_scope_ends_with_it(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        before = await Taker.options(executor=executor, name="before").start()
        async with open_scope():
            inside = Taker.options(executor=executor, name="inside").remote()
            detached = Taker.options(executor=executor, name="detached", lifetime="detached").remote()
            inside.take.cast("it does its work")
            assert await inside.taken() == ["it does its work"]
        assert statistics(inside).state == "dead"
        assert await before.take(1) == 1
        assert await detached.take(1) == 1
        assert runtime.house.registry.paths.keys() == {"before", "detached"}

    rehearse(scene)


def test_an_actor_that_was_there_does_not_end_with_the_scope_that_asked_for_it() -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Quick.options(name="n", get_if_exists=True)
        first = await kind.start()
        async with open_scope():
            again = await kind.start()
        assert await again.take(1) == await first.take(1) == 1

    rehearse(scene)


def test_an_actor_that_a_local_actor_starts_belongs_to_the_runtime() -> None:
    async def scene(runtime: Runtime) -> None:
        async with open_scope():
            maker = await Maker.options(lifetime="detached").start(await Quick.start())
            child = await maker.start_another()
        assert await child.take(1) == 1

    rehearse(scene)


def test_a_scope_forgets_actors_that_are_dead() -> None:
    async def scene(runtime: Runtime) -> None:
        async with open_scope() as scope:
            for _ in range(300):
                async with open_scope():
                    await Quick.start()
            for n in range(300):
                async with open_scope() as inner:
                    inner.keep(life_of(await Quick.options(name=f"n{n}").start()))
                scope.keep(inner.lives[0])
            assert len(scope.lives) < 200

    rehearse(scene)


def test_a_scope_outside_a_runtime_is_an_empty_one() -> None:
    async def play() -> None:
        async with open_scope() as scope:
            assert "open" in repr(scope)

    trio.run(play)


def test_the_names_of_a_scopes_actors_are_free_after_it() -> None:
    async def scene(runtime: Runtime) -> None:
        for _ in range(3):
            async with open_scope():
                await Quick.options(name="again").start()
                assert await get_actor("again", Taker).take(1) == 1

    rehearse(scene)
