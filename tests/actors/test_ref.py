"""`ObjectRef`: a view of a call, to be awaited often or never."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import pytest
import trio

from tests.cast import Endless, Faller, Player
from tests.rehearsal import LOCAL, QUIET, held, rehearse, until
from understudy import (
    CallError,
    CallInterruptedError,
    GetTimeoutError,
    ObjectRef,
    Runtime,
    TaskCancelledError,
    cancel,
    get,
    interrupt,
    put,
    statistics,
    wait,
)
from understudy.actors.events import FailureUnseen
from understudy.actors.verbs import life_of

Quick = Faller.options(executor=LOCAL)


def test_several_tasks_may_wait_for_one_ref() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Quick.start()
        ref = player.add.remote()
        values: list[int] = []

        async def waiter() -> None:
            values.append(await ref)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(waiter)
        assert values == [1, 1, 1]

    rehearse(scene)


def test_a_cancelled_waiter_does_not_cancel_the_call() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        ref = player.sleep.remote(0.1)
        with trio.move_on_after(0.01):
            await ref
        assert not ref.done
        assert await ref == "rested"

    rehearse(scene)


def test_get_runs_out_of_time_and_the_call_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        ref = player.sleep.remote(0.1)
        with pytest.raises(GetTimeoutError, match=r"get\(\) did not have its values within 0.01 s"):
            await get(ref, timeout=0.01)
        assert await get(ref, timeout=10) == "rested"

    rehearse(scene)


def test_wait_returns_what_is_there_when_time_runs_out() -> None:
    async def scene(runtime: Runtime) -> None:
        napper, player = await Endless.start(), await Quick.start()
        slow, quick = napper.nap.remote(), player.add.remote()

        assert await wait([slow, quick]) == ([quick], [slow])
        assert await wait([slow], timeout=0.01) == ([], [slow])
        assert cancel(slow)

    rehearse(scene)


def test_a_queued_call_that_is_cancelled_never_runs() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Quick.start()
        refs = [player.add.remote() for _ in range(3)]

        assert cancel(refs[1])
        with pytest.raises(
            TaskCancelledError, match=r"add\(\) to faller-1, was cancelled by cancel\(\)"
        ) as error:
            await refs[1]
        assert error.value.fate == "never_sent"
        assert (await refs[0], await refs[2]) == (1, 2)
        assert not cancel(refs[0])
        assert not cancel(refs[1])

    rehearse(scene)


def test_a_running_call_that_is_cancelled_is_interrupted() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        ref = endless.nap.remote()
        await until(lambda: life_of(endless).incarnation.running())  # type: ignore[union-attr]

        assert cancel(ref)
        with pytest.raises(TaskCancelledError):
            await ref
        assert await endless.add() == 1
        assert statistics(endless).incarnation == 1

    rehearse(scene)


def test_an_interrupted_ref_says_so() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        ref = endless.nap.remote()
        while not await interrupt(endless):  # noqa: ASYNC110
            await trio.sleep(0.002)
        with pytest.raises(CallInterruptedError, match=r"nap\(\) was interrupted while it ran in endless-1"):
            await ref

    rehearse(scene)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failure_nobody_awaits_is_an_event(when: str) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Quick.start()
        ref: ObjectRef[None] | None = faller.fail.remote(ValueError("unseen"))
        id = ref.id if ref else 0
        if when == "before":
            ref = None
        await faller.add()
        ref = None
        gc.collect()
        (unseen,) = held(events, FailureUnseen)

        assert (unseen.call_id, unseen.method, unseen.actor) == (id, "fail", "faller-1")
        assert isinstance(unseen.error, ValueError)

    rehearse(scene)


def test_a_failure_that_was_awaited_is_no_event() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Quick.start()
        ref = faller.fail.remote(ValueError("seen"))
        with pytest.raises(ValueError, match="seen"):
            await ref
        del ref
        gc.collect()
        assert held(events, FailureUnseen) == []

    rehearse(scene)


def test_a_success_nobody_awaits_is_no_event() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Quick.start()
        faller.add.remote()
        await faller.add()
        gc.collect()
        assert held(events, FailureUnseen) == []

    rehearse(scene)


def test_refs_are_cancelled_when_the_runtime_closes() -> None:
    refs: list[ObjectRef[None]] = []

    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        refs.append(endless.nap.remote())
        refs.append(endless.nap.remote())

    rehearse(scene)
    for ref in refs:
        assert ref.done
        with pytest.raises(TaskCancelledError, match="the runtime closes"):
            ref.call.unwrap()


def test_a_ref_does_not_travel() -> None:
    async def scene(runtime: Runtime) -> None:
        ref = (await Quick.start()).add.remote()
        with pytest.raises(TypeError, match="an ObjectRef cannot travel; await it and send its value"):
            pickle.dumps(ref)
        await ref

    rehearse(scene)


def test_a_ref_describes_its_call() -> None:
    async def scene(runtime: Runtime) -> None:
        ref = (await Quick.start()).add.remote()

        assert repr(ref) == f"<ObjectRef of <call {ref.id} add() to faller-1: queued>>"
        await ref
        assert "ended" in repr(ref)

    rehearse(scene)


def test_wait_done_does_not_raise() -> None:
    async def scene(runtime: Runtime) -> None:
        ref = (await Quick.start()).fail.remote(ValueError("x"))
        await ref.wait_done()
        with pytest.raises(CallError):
            await ref

    rehearse(scene)


# -- wait over refs of every kind --------------------------------------------------------------------


def test_wait_takes_refs_of_different_actors_types_and_put_values() -> None:
    async def scene(runtime: Runtime) -> None:
        player, endless = await Quick.start(), await Endless.start()
        slow, number, failed = endless.nap.remote(), player.add.remote(), player.fail.remote(ValueError("x"))
        value = put("text")
        ended, pending = await wait([slow, number, failed, value], num_returns=3)
        assert ended == [number, failed, value]
        assert pending == [slow]
        with pytest.raises(ValueError, match="x"):
            await failed
        assert cancel(slow)

    rehearse(scene)


def test_wait_counts_a_ref_that_is_given_twice_twice() -> None:
    async def scene(runtime: Runtime) -> None:
        player, endless = await Quick.start(), await Endless.start()
        slow, quick = endless.nap.remote(), player.add.remote()
        assert await wait([slow, quick, slow, quick], num_returns=2) == ([quick, quick], [slow, slow])
        assert await wait([quick, quick]) == ([quick], [quick])
        assert await wait([slow, slow], num_returns=2, timeout=0) == ([], [slow, slow])
        cancel(slow)
        assert await wait([slow, slow], num_returns=2) == ([slow, slow], [])

    rehearse(scene)


def test_wait_leaves_nothing_behind_however_it_ends() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        refs = [endless.nap.remote() for _ in range(3)]
        with trio.move_on_after(0.01):
            await wait(refs)
        await wait(refs, timeout=0.01)
        cancel(refs[2])
        await wait(refs)
        assert all(not ref.watcher.listeners for ref in refs)

    rehearse(scene)


def test_wait_needs_no_task_for_each_ref() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        refs = [player.echo.remote(n) for n in range(1000)]
        before = trio.lowlevel.current_statistics().tasks_living
        most: list[int] = []

        async def look() -> None:
            most.append(trio.lowlevel.current_statistics().tasks_living)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            ended, pending = await wait(refs, num_returns=1000)
        assert (len(ended), len(pending)) == (1000, 0)
        assert max(most) - before < 10

    rehearse(scene)


def test_wait_refuses_what_it_cannot_wait_for() -> None:
    async def scene(runtime: Runtime) -> None:
        ref = (await Quick.start()).add.remote()
        odd: tuple[Any, ...] = (ref, [ref, 3], 3, [await ref])
        for refs in odd:
            with pytest.raises(TypeError, match=r"wait\(\) takes a list of refs, as in wait\(\[ref\]\)"):
                await wait(refs)
        for count in (0, 2, -1):
            with pytest.raises(ValueError, match="num_returns must be from 1 to the number of refs, 1"):
                await wait([ref], num_returns=count)
        with pytest.raises(ValueError, match="the number of refs, 0"):
            await wait([])

    rehearse(scene)
