"""Promise 3: a cancelled caller returns at once; queued, its call never runs; running, it is interrupted."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from tests.cast import Endless, Faller, Player
from tests.rehearsal import LOCAL, QUIET, rehearse, until
from understudy import Actor, Runtime, TaskCancelledError, cancel, method, statistics
from understudy.actors.verbs import life_of


async def running(handle: Any) -> None:
    await until(lambda: life_of(handle).incarnation and life_of(handle).incarnation.running())  # type: ignore[union-attr]


def test_a_cancelled_caller_returns_before_its_callee_has_ended() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(endless.protected, 0.2)
                await running(endless)
                scope.cancel()
        assert life_of(endless).incarnation.running() is not None  # type: ignore[union-attr]
        assert statistics(endless).pending == 0
        assert await endless.add() == 1

    rehearse(scene)


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_call_cancelled_in_the_queue_never_runs(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        async with trio.open_nursery() as nursery:
            for n in range(10):
                nursery.start_soon(player.note, n)
            nursery.cancel_scope.cancel()
        assert await player.notes() == []

    rehearse(scene)


def test_a_call_cancelled_behind_a_running_one_never_runs() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        slow = player.sleep.remote(0.1)
        with trio.move_on_after(0.03):
            await player.note("never")
        assert await slow == "rested"
        assert await player.notes() == []

    rehearse(scene)


@pytest.mark.parametrize("name", ["spin", "nap", "read", "tidy_up"])
def test_a_call_cancelled_while_it_runs_is_interrupted(name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(getattr(endless, name))
            await running(endless)
            nursery.cancel_scope.cancel()
        assert await endless.add() == 1
        assert statistics(endless).incarnation == 1

    rehearse(scene)


def test_a_reply_delivered_in_the_same_tick_wins() -> None:
    class Quick(Actor, executor=LOCAL):
        @method
        def cancel_my_caller(self, scopes: list[trio.CancelScope]) -> str:
            scopes[0].cancel()
            return "value"

    async def scene(runtime: Runtime) -> None:
        quick = await Quick.start()
        with trio.CancelScope() as scope:
            # The scope is cancelled while the caller waits: cancellation comes first, and is delivered.
            await quick.cancel_my_caller([scope])
        assert scope.cancelled_caught

        values: list[str] = []
        with trio.CancelScope() as scope:
            ref = quick.cancel_my_caller.remote([trio.CancelScope()])
            await trio.testing.wait_all_tasks_blocked()
            assert ref.done
            scope.cancel()
            values.append(ref.call.unwrap())
        assert values == ["value"]

    rehearse(scene)


def test_a_reply_that_has_come_is_not_lost_to_a_cancellation_after_it() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=LOCAL).start()
        values: list[int] = []

        async def caller(scope: trio.CancelScope) -> None:
            with scope:
                values.append(await player.add())

        scope = trio.CancelScope()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(caller, scope)
            await trio.testing.wait_all_tasks_blocked(0)
            call = player.add.remote()
            await call
            scope.cancel()
        assert values == [1]
        assert not scope.cancelled_caught

    rehearse(scene)


def test_a_ref_outlives_the_scope_it_was_made_in_and_cancel_ends_it() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        with trio.CancelScope() as scope:
            ref = endless.nap.remote()
            scope.cancel()
            await ref
        assert not ref.done
        assert cancel(ref)
        with pytest.raises(TaskCancelledError):
            await ref
        assert await endless.add() == 1

    rehearse(scene)


def test_a_hundred_callers_cancelled_at_once_leave_the_actor_well() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        for _ in range(5):
            with trio.move_on_after(0.01):
                async with trio.open_nursery() as nursery:
                    for _ in range(100):
                        nursery.start_soon(faller.sleep, 0.001)
            assert statistics(faller).pending == 0
        assert await faller.add() == 1
        assert statistics(faller).incarnation == 1

    rehearse(scene)


def test_cancelled_again_and_again_a_call_is_still_interrupted_once() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        for _ in range(10):
            with trio.move_on_after(0.02):
                await endless.tidy_up()
        count = len(await endless.notes())
        assert count <= 10
        assert statistics(endless).incarnation == 1

    rehearse(scene)
