"""Promise 3: with `cancel="wait"` a cancelled caller returns only when the end of its call is known."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast import said
from tests.cast_refs import Patient, Spinner, Stubborn, Taker
from tests.rehearsal import LOCAL, PAGED, QUIET, pending_everywhere, rehearse, until
from understudy import (
    Ladder,
    Process,
    Runtime,
    TaskCancelledError,
    Thread,
    cancel,
    kill,
    open_scope,
    statistics,
)

HARD = Process(stderr="keep", ladder=Ladder(interrupt=0.05, terminate=0.05))


def there(path: str) -> bool:
    return os.path.exists(path)


async def begun(path: str) -> None:
    """Wait until the method is well under way."""
    await until(lambda: there(path + ".begun"))


async def cancelled_while_it_runs(path: str, call: Callable[[str], Any]) -> list[Any]:
    """Cancel a caller whose call runs; what it got, if it got something."""
    got: list[Any] = []

    async def caller(scope: trio.CancelScope) -> None:
        with scope:
            got.append(await call(path))

    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(caller, scope)
        await begun(path)
        scope.cancel()
    return got


def test_a_cancelled_caller_returns_when_its_call_has_ended(tmp_path: Path) -> None:
    path = str(tmp_path / "ended")

    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        assert await cancelled_while_it_runs(path, stubborn.tidy) == []
        assert there(path)
        assert pending_everywhere(runtime) == []
        assert await stubborn.ping() == "here"
        assert statistics(stubborn).incarnation == 1

    rehearse(scene)


def test_without_the_option_it_returns_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "ended")

    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        tidy = stubborn.tidy.options(cancel="now")
        assert await cancelled_while_it_runs(path, tidy) == []
        assert not there(path)
        await stubborn.ping()
        assert there(path)

    rehearse(scene)


def test_a_value_that_comes_in_spite_of_the_cancellation_is_returned(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        path = str(tmp_path / "ended")
        assert await cancelled_while_it_runs(path, stubborn.finish) == ["finished"]

    rehearse(scene)


def test_an_error_that_comes_in_spite_of_the_cancellation_is_raised(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        path = str(tmp_path / "ended")
        with pytest.raises(ExceptionGroup) as raised:
            await cancelled_while_it_runs(path, stubborn.object)
        assert raised.group_contains(ValueError, match="it objects")

    rehearse(scene)


@pytest.mark.parametrize(
    "options", [{}, {"max_task_retries": 3, "retry_exceptions": True}], ids=["", "retried"]
)
def test_a_call_that_is_killed_for_not_ending_has_ended_and_is_not_tried_again(
    tmp_path: Path, options: Any
) -> None:
    path = str(tmp_path / "ended")

    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.options(executor=HARD).start()
        go_on = stubborn.go_on.options(**options)
        assert await cancelled_while_it_runs(path, go_on) == []
        assert await stubborn.ping() == "here"
        assert statistics(stubborn).incarnation == 2
        assert len(said(path)) == 1

    rehearse(scene)


def test_a_call_cancelled_in_the_queue_has_ended_at_once(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        first = stubborn.finish.remote(str(tmp_path / "first"))
        await begun(str(tmp_path / "first"))
        with trio.move_on_after(0.02):
            await stubborn.tidy(str(tmp_path / "second"))
        assert not (PAGED and first.done)
        assert await first == "finished"
        assert await stubborn.ping() == "here"
        assert not there(str(tmp_path / "second"))

    rehearse(scene)


def test_many_callers_cancelled_at_once_all_return(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        with trio.move_on_after(0.05):
            async with trio.open_nursery() as nursery:
                for n in range(50):
                    nursery.start_soon(stubborn.tidy, str(tmp_path / str(n)), 0.01)
        assert pending_everywhere(runtime) == []
        assert await stubborn.ping() == "here"
        assert len([name for name in os.listdir(tmp_path) if name.endswith(".begun")]) < 50

    rehearse(scene)


def test_an_actor_that_is_killed_meanwhile_lets_the_caller_go(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stubborn.go_on, str(tmp_path / "on"))
            await begun(str(tmp_path / "on"))
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await kill(stubborn)

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "executor"),
    [(Patient, LOCAL), (Patient, Thread()), (Patient, QUIET), (Spinner, QUIET), (Spinner, Thread())],
    ids=["async here", "async in a thread", "async in a process", "sync in a process", "sync in a thread"],
)
def test_it_is_so_for_async_methods_and_in_threads(kind: Any, executor: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "ended")

    async def scene(runtime: Runtime) -> None:
        actor = await kind.options(executor=executor).start()
        assert await cancelled_while_it_runs(path, actor.tidy) == []
        assert there(path)
        assert await actor.ping() == "here"
        assert statistics(actor).incarnation == 1
        assert pending_everywhere(runtime) == []

    rehearse(scene)


# -- refs --------------------------------------------------------------------------------------------


def test_a_ref_that_is_cancelled_is_done_when_its_call_has_ended(tmp_path: Path) -> None:
    path = str(tmp_path / "ended")

    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        ref = stubborn.tidy.remote(path)
        await begun(path)
        assert cancel(ref)
        assert cancel(ref)
        assert not ref.done
        await ref.wait_done()
        assert there(path)
        with pytest.raises(TaskCancelledError):
            await ref
        assert not cancel(ref)
        assert statistics(stubborn).incarnation == 1

    rehearse(scene)


def test_a_cancelled_ref_whose_actor_had_to_be_killed_says_it_was_cancelled(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.options(executor=HARD).start()
        ref = stubborn.go_on.remote(str(tmp_path / "on"))
        await begun(str(tmp_path / "on"))
        cancel(ref)
        with pytest.raises(TaskCancelledError):
            await ref

    rehearse(scene)


def test_leaving_a_scope_waits_for_the_ends_of_its_calls(tmp_path: Path) -> None:
    path = str(tmp_path / "ended")

    async def scene(runtime: Runtime) -> None:
        stubborn = await Stubborn.start()
        with trio.CancelScope() as outer:
            async with open_scope():
                ref = stubborn.tidy.remote(path)
                await begun(path)
                outer.cancel()
                await trio.sleep_forever()
        assert ref.done
        assert there(path)

    rehearse(scene)


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_it_is_an_option_of_the_actor_too(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=executor, cancel="wait").start()
        assert taker.nap.patient
        with trio.CancelScope() as scope:
            scope.cancel()
            await taker.take("never")
        assert await taker.taken() == []

    rehearse(scene)


def test_what_it_may_be_is_checked() -> None:
    with pytest.raises(ValueError, match="cancel must be 'now' or 'wait', not 'later'"):
        Taker.options(cancel="later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
