"""What one actor gets and answers, step by step, with what is in it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast import QUIET
from tests.cast_inspected import AsyncSafe, Safe
from tests.rehearsal import LOCAL, rehearse
from understudy import Process, Runtime, TaskError, Thread, inspection, kill, wait_ready
from understudy.actors.events import MessageEnded, MessageFailed, MessageQueued
from understudy.supervisors.events import EventsMissed

EXECUTORS: dict[str, Any] = {"local": LOCAL, "thread": Thread(), "process": QUIET}
everywhere = pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
ENDS = (MessageQueued, MessageEnded, MessageFailed)


def told(steps: inspection.Trace) -> list[Any]:
    """What came and what became of it, without the steps between."""
    found: list[Any] = [step for step in steps.held if isinstance(step.event, ENDS)]  # type: ignore[attr-defined]
    return [
        (step.event.method, step.args, dict(step.kwargs))
        if isinstance(step.event, MessageQueued)
        else getattr(step.event, "error", step.value)
        for step in found
    ]


@everywhere
@pytest.mark.parametrize("cls", [Safe, AsyncSafe])
def test_arguments_and_values_are_told(executor: Any, cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        safe = await cls.options(executor=executor).start()
        other = await cls.options(executor=executor).start()
        await safe.put("before")
        async with inspection.trace(safe) as steps:
            await safe.put("one")
            await other.put("not this")
            await safe.put(value="two")
            assert told(steps) == [
                ("put", ("one",), {}),
                "one",
                ("put", (), {"value": "two"}),
                "two",
            ]
            first = await anext(steps)
            assert (first.actor, first.incarnation) == (first.event.actor, 1)
        assert (runtime.house.taps, runtime.house.watching) == ({}, False)
        await safe.put("after")
        assert "after" not in str(steps.held)

    rehearse(scene)


@everywhere
def test_errors_are_told(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await Safe.options(executor=executor, crash_on=()).start()
        async with inspection.trace(safe) as steps:
            with pytest.raises(TaskError):
                await safe.sleep("no number")  # type: ignore[arg-type]
            assert isinstance(told(steps)[-1], TaskError)

    rehearse(scene)


@everywhere
def test_a_trace_goes_on_when_the_actor_restarts(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        safe = await Safe.options(executor=executor).start()
        async with inspection.trace(safe) as steps:
            await kill(safe, no_restart=False)
            await wait_ready(safe)
            await safe.put(1)
            assert told(steps) == [("put", (1,), {}), 1]
            assert steps.held[-1].incarnation == 2

    rehearse(scene)


def test_casts_and_what_waits_in_a_suspended_actor_are_told_as_they_come() -> None:
    async def scene(_: Runtime) -> None:
        safe = await Safe.options(executor=LOCAL).start()
        await inspection.suspend(safe)
        async with inspection.trace(safe) as steps:
            safe.put.cast(1)
            assert told(steps) == [("put", (1,), {})]
            await inspection.resume(safe)
            await safe.got()
            assert [one for one in told(steps) if one in (("put", (1,), {}), 1)] == [("put", (1,), {}), 1]

    rehearse(scene, virtual=True)


def test_suspending_while_somebody_traces_loses_nothing() -> None:
    async def scene(_: Runtime) -> None:
        safe = await Safe.options(executor=LOCAL).start()
        async with inspection.trace(safe) as steps:
            await inspection.suspend(safe)
            ref = safe.put.remote(1)
            await inspection.resume(safe)
            assert await ref == 1
            assert [one for one in told(steps) if one == 1 or one == ("put", (1,), {})] == [
                ("put", (1,), {}),
                1,
            ]

    rehearse(scene, virtual=True)


def test_two_traces_of_one_actor_are_told_the_same() -> None:
    async def scene(runtime: Runtime) -> None:
        safe = await Safe.options(executor=LOCAL).start()
        async with inspection.trace(safe) as one, inspection.trace(safe) as other:
            await safe.put(1)
            assert told(one) == told(other) != []
            one.close()
            one.close()
            await safe.put(2)
            assert told(other)[-1] == 2
        assert (runtime.house.taps, runtime.house.watching) == ({}, False)

    rehearse(scene, virtual=True)


def test_a_slow_reader_is_told_what_it_missed() -> None:
    async def scene(_: Runtime) -> None:
        safe = await Safe.options(executor=LOCAL).start()
        async with inspection.trace(safe) as steps:
            for n in range(4000):
                await safe.put(n)
            assert isinstance(await anext(steps), EventsMissed)
            with trio.CancelScope() as scope:
                scope.cancel()
                await anext(steps)
            assert len(steps.held) == 10_000

    rehearse(scene, virtual=True)


def test_strangers_are_not_traced() -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = await Safe.options(executor=Process(trusted=False, stderr="keep")).start()
        with pytest.raises(PermissionError, match=r"trace\(\) is for trusted actors"):
            inspection.trace(stranger)
        assert not runtime.house.watching

    rehearse(scene)


def test_steps_are_typed_as_they_are_iterated() -> None:
    """What the type checkers see: no step needs a cast to be read."""

    async def scene(_: Runtime) -> None:
        safe = await Safe.options(executor=LOCAL).start()
        async with inspection.trace(safe) as steps:
            await safe.put("one")
            async for step in steps:
                assert (step.event.method, step.args) == ("put", ("one",))
                break

    rehearse(scene)
