"""A look into running actors, in every executor: their state, and time to look at it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast import QUIET
from tests.cast_inspected import AsyncSafe, Discreet, Locked, RemotePlain, Safe, Slotted
from tests.rehearsal import LOCAL, rehearse, until
from understudy import (
    ActorDiedError,
    Pool,
    Process,
    Runtime,
    TaskError,
    Thread,
    get,
    get_actor,
    inspection,
    kill,
    statistics,
    wait_ready,
)

EXECUTORS: dict[str, Any] = {"local": LOCAL, "thread": Thread(), "process": QUIET}
everywhere = pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
kinds = pytest.mark.parametrize("cls", [Safe, AsyncSafe])


async def start(cls: Any, executor: Any, *args: Any, **options: Any) -> Any:
    return await cls.options(executor=executor, **options).start(*args)


# -- state -------------------------------------------------------------------------------------------


@everywhere
@kinds
def test_the_state_is_the_attributes_by_name(executor: Any, cls: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(cls, executor, 5)
        await safe.put(6)
        assert await inspection.get_state(safe) == {"value": 6, "log": [6]}

    rehearse(scene)


@everywhere
def test_a_state_in_slots_is_a_state(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        slotted = await start(Slotted, executor, 5)
        assert await inspection.get_state(slotted) == {"value": 5, "other": 1}
        await inspection.replace_state(slotted, lambda state: {**state, "value": 7})
        assert await slotted.got() == 7

    rehearse(scene)


@everywhere
def test_what_cannot_travel_is_named_and_stays(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        locked = await start(Locked, executor, 5)
        state = await inspection.get_state(locked)
        assert (state["value"], state["log"]) == (5, [])
        assert isinstance(state["lock"], inspection.Opaque) is (executor is QUIET)
        await inspection.replace_state(locked, lambda state: {**state, "value": 7})
        assert await locked.got() == (7, [])
        assert await locked.has("lock")

    rehearse(scene)


@everywhere
def test_a_class_may_say_what_its_state_is(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        discreet = await start(Discreet, executor)
        assert await inspection.get_state(discreet) == {"public": 1, "secret": "***"}
        await inspection.replace_state(discreet, lambda state: {"public": 2})
        assert await discreet.got() == (2, "swordfish")

    rehearse(scene)


@everywhere
def test_a_state_is_replaced_as_a_whole(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, executor, 5)
        new = await inspection.replace_state(safe, lambda state: {"value": state["value"] * 2, "more": 1})
        assert new == {"value": 10, "more": 1} == await inspection.get_state(safe)
        assert (await safe.has("log"), inspection.is_suspended(safe)) == (False, False)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize(
    "function",
    [lambda state: 1 / 0, lambda state: 3, lambda state: {5: "no name"}],
    ids=["raises", "no dict", "no names"],
)
def test_a_function_that_fails_leaves_the_state_as_it_was(executor: Any, function: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, executor, 5)
        with pytest.raises((ZeroDivisionError, TypeError)):
            await inspection.replace_state(safe, function)
        assert await safe.got() == (5, [])

    rehearse(scene)


def test_the_state_is_asked_for_ahead_of_what_waits() -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, LOCAL)
        safe.put.cast(1)
        assert await inspection.get_state(safe) == {"value": 0, "log": []}
        assert (await safe.got())[1] == [1]

    rehearse(scene, virtual=True)


@everywhere
def test_plain_classes_and_members_of_pools_have_a_state_too(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        plain = await RemotePlain.options(executor=executor).start(5)
        assert await inspection.get_state(plain) == {"value": 5}
        await Pool(Safe.options(executor=executor).child(5), size=1, id="safes").start()
        assert (await inspection.get_state(get_actor("safes/0")))["value"] == 5

    rehearse(scene)


# -- suspended ---------------------------------------------------------------------------------------


@everywhere
@kinds
def test_what_is_sent_to_a_suspended_actor_waits_and_keeps_its_order(executor: Any, cls: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(cls, executor)
        await safe.put(0)
        await inspection.suspend(safe)
        await inspection.suspend(safe)
        refs = [safe.put.remote(n) for n in range(1, 4)]
        safe.put.cast(4)
        await trio.sleep(0.01)
        assert inspection.is_suspended(safe)
        assert statistics(safe).queued == 4
        assert await inspection.get_state(safe) == {"value": 0, "log": [0]}
        await inspection.resume(safe)
        await inspection.resume(safe)
        assert await get(refs) == [1, 2, 3]
        assert await safe.got() == (4, [0, 1, 2, 3, 4])

    rehearse(scene)


@everywhere
def test_suspending_waits_for_what_runs(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, executor)
        ref = safe.sleep.remote(0.05)
        after = safe.put.remote("after")
        await trio.sleep(0.01)  # what is sent in one tick is handed over together
        await inspection.suspend(safe)
        assert ref.done
        later = safe.put.remote("later")
        assert "later" not in (await inspection.get_state(safe))["log"]
        await inspection.resume(safe)
        assert await get((after, later)) == ("after", "later")
        assert (await safe.got())[1] == ["slept", "after", "later"]

    rehearse(scene)


@everywhere
def test_an_actor_stays_suspended_while_it_restarts(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, executor)
        await inspection.suspend(safe)
        ref = safe.put.remote(1)
        await kill(safe, no_restart=False)
        await wait_ready(safe)
        assert await inspection.get_state(safe) == {"value": 0, "log": []}
        assert not ref.done
        await inspection.resume(safe)
        assert await ref == 1

    rehearse(scene)


@everywhere
def test_a_suspended_actor_can_be_stopped(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        safe = await start(Safe, executor)
        await inspection.suspend(safe)
        ref = safe.put.remote(1)
        runtime.dynamic.terminate(runtime.house.registry.paths[statistics(safe).path])
        with pytest.raises(ActorDiedError):
            await ref

    rehearse(scene)


def test_a_look_inside_does_not_end_a_suspension_that_begins_meanwhile() -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, QUIET)
        safe.sleep.cast(0.05)
        await trio.sleep(0.01)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inspection.get_state, safe)
            await trio.testing.wait_all_tasks_blocked()
            await inspection.suspend(safe)
        ref = safe.put.remote(1)
        await trio.sleep(0.01)
        assert not ref.done
        await inspection.resume(safe)
        assert await ref == 1

    rehearse(scene)


def test_a_call_that_is_cancelled_in_a_suspended_actor_never_runs() -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, LOCAL)
        await inspection.suspend(safe)
        with trio.move_on_after(1):
            await safe.put(1)
        await inspection.resume(safe)
        assert await safe.got() == (0, [])

    rehearse(scene, virtual=True)


def test_suspending_that_is_cancelled_suspends_nothing() -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, QUIET)
        ref = safe.sleep.remote(0.05)
        await trio.sleep(0.01)
        with trio.move_on_after(0.001):
            await inspection.suspend(safe)
        assert not inspection.is_suspended(safe)
        await ref
        assert await safe.put(1) == 1

    rehearse(scene)


@everywhere
def test_a_call_that_waits_for_a_ref_waits_on_in_a_suspended_actor(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe, other = await start(Safe, executor), await start(AsyncSafe, LOCAL)
        await inspection.suspend(other)
        late = other.put.remote("late")
        held = safe.put.remote(late)
        await inspection.suspend(safe)
        more = safe.put.remote("more")
        await inspection.resume(safe)
        await trio.sleep(0.01)
        assert not held.done
        assert not more.done
        await inspection.resume(other)
        assert await get((held, more)) == ("late", "more")

    rehearse(scene)


# -- what is refused ---------------------------------------------------------------------------------


def test_who_cannot_be_asked_is_told_so() -> None:
    async def scene(_: Runtime) -> None:
        stranger = await start(Safe, Process(trusted=False, stderr="keep"))
        for verb in (inspection.get_state, inspection.suspend, inspection.resume):
            with pytest.raises(
                PermissionError, match=rf"{verb.__name__}\(\) is for trusted actors, and safe-1"
            ):
                await verb(stranger)
        pool = await Pool(Safe.child(), size=1).start()
        with pytest.raises(TypeError, match="is a pool"):
            await inspection.get_state(pool)
        with pytest.raises(TypeError, match="takes the handle of an actor"):
            await inspection.get_state(3)  # type: ignore[arg-type]

    rehearse(scene)


def test_a_dead_actor_has_no_state() -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, LOCAL)
        await kill(safe)
        for verb in (inspection.get_state, inspection.suspend):
            with pytest.raises(ActorDiedError):
                await verb(safe)
        assert not inspection.is_suspended(safe)

    rehearse(scene, virtual=True)


def test_a_state_that_raises_is_told_to_who_asks() -> None:
    class Broken(Safe):
        def __getstate__(self) -> Any:
            raise ValueError("no")

    async def scene(_: Runtime) -> None:
        broken = await start(Broken, LOCAL)
        with pytest.raises(TaskError, match="no"):
            await inspection.get_state(broken)
        assert await broken.put(1) == 1

    rehearse(scene, virtual=True)


def test_one_that_dies_while_it_is_asked_says_so() -> None:
    async def scene(_: Runtime) -> None:
        safe = await start(Safe, QUIET, max_restarts=0)
        safe.sleep.cast(0.05)
        await until(lambda: statistics(safe).queued == 0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill, safe)
            with pytest.raises(ActorDiedError):
                await inspection.get_state(safe)

    rehearse(scene)
