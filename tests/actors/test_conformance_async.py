"""What holds for async methods wherever they run, told once for every executor."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.lowlevel

from tests.cast_async import Juggler
from tests.rehearsal import held, pending_everywhere, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Local,
    Runtime,
    TaskCancelledError,
    TaskError,
    cancel,
    get,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import FailureUnseen

EXECUTORS: list[Any] = [Local()]
NAMES = ["local"]

everywhere = pytest.mark.parametrize("executor", EXECUTORS, ids=NAMES)


async def told(juggler: Any, *lines: str) -> None:
    """Wait until the actor has logged these lines, and perhaps more."""
    while not set(lines) <= set(await juggler.told()):  # noqa: ASYNC110 - it is for the actor to say
        await trio.sleep(0.001)


# -- several at once ---------------------------------------------------------------------------------


@everywhere
def test_async_methods_are_called_like_others(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        ref = juggler.who.remote()
        juggler.echo.cast(1)

        assert await juggler.echo([1, (2,)]) == [1, (2,)]
        assert await ref == (ref.id, "who", "juggler-1")
        assert not pending_everywhere(runtime)

    rehearse(scene)


@everywhere
def test_calls_run_at_once_and_each_caller_has_its_own_answer(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        refs = [juggler.wait.remote(str(n)) for n in range(20)]
        await told(juggler, *(f"{n} begins" for n in range(20)))
        await juggler.open()

        assert await get(refs) == [str(n) for n in range(20)]

    rehearse(scene)


@everywhere
def test_calls_begin_in_the_order_they_came(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor, max_concurrency=3).start()
        await get([juggler.sleep.remote(0.0, str(n)) for n in range(50)])
        begun = [line for line in await juggler.told() if line.endswith("begins")]

        assert begun == [f"{n} begins" for n in range(50)]
        assert await juggler.at_once() <= 3

    rehearse(scene)


@everywhere
def test_with_a_limit_of_1_methods_run_strictly_one_by_one(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor, max_concurrency=1).start()
        refs = [juggler.sleep.remote(0.001, str(n)) for n in range(5)]
        refs.append(juggler.plain.remote("p"))
        await get(refs)

        lines = [f"{n} {what}" for n in range(5) for what in ("begins", "ends")]
        assert await juggler.told() == [*lines, "plain p"]

    rehearse(scene)


@everywhere
def test_plain_methods_run_in_order_beside_async_ones(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        waiting = juggler.wait.remote("w")
        for n in range(5):
            juggler.plain.cast(n)

        assert await juggler.plain(5) == 5
        plain = [line for line in await juggler.told() if line.startswith("plain")]
        assert plain == [f"plain {n}" for n in range(6)]
        await juggler.open()
        assert await waiting == "w"

    rehearse(scene)


@everywhere
def test_a_full_group_does_not_hold_up_the_others(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(
            executor=executor, max_concurrency=1, concurrency_groups={"io": 2}
        ).start()
        blocked = juggler.wait.remote("w")
        behind = juggler.echo.remote("behind")
        assert await get([juggler.read.remote(0.001, str(n)) for n in range(6)]) == [str(n) for n in range(6)]
        assert not behind.done
        assert await juggler.at_once() <= 2
        await juggler.open_aside()
        assert await blocked == "w"
        assert await behind == "behind"

    rehearse(scene)


@everywhere
def test_a_call_that_raised_is_tried_again_as_its_options_say(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()

        assert await juggler.fail_at_first() == 2

    rehearse(scene)


# -- what methods raise ------------------------------------------------------------------------------


@everywhere
def test_an_exception_goes_to_its_caller_and_to_no_other(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        other = juggler.wait.remote("w")
        with pytest.raises(TaskError) as error:
            await juggler.fail(ValueError("no"))
        assert isinstance(error.value, ValueError)
        with pytest.raises(ExceptionGroup):
            await juggler.fail(ExceptionGroup("several", [ValueError("one"), KeyError("two")]))
        await juggler.open()
        assert await other == "w"
        assert statistics(juggler).incarnation == 1

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("way", ["crash_on", "cast", "leave", "exit"])
def test_the_end_of_an_incarnation_is_told_to_all_it_ran(executor: Any, way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor, crash_on=(LookupError,)).start()
        other = juggler.wait.remote("w")
        if way == "crash_on":
            with pytest.raises(KeyError):
                await juggler.fail(KeyError("grave"))
        elif way == "cast":
            juggler.fail.cast(ValueError("alone"))
        else:
            with pytest.raises(ActorDiedError if way == "leave" else ActorUnavailableError):
                await (juggler.leave() if way == "leave" else juggler.fail(SystemExit(1)))
        with pytest.raises(ActorDiedError if way == "leave" else ActorUnavailableError) as error:
            await other
        assert error.value.fate in ("begun", "unknown")
        if way != "leave":
            assert await juggler.told() == []

    rehearse(scene)


# -- calls that end early ----------------------------------------------------------------------------


@everywhere
def test_a_cancelled_caller_cancels_its_own_call_only(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        other = juggler.wait.remote("other")
        ref = juggler.wait.remote("mine")
        await told(juggler, "other begins", "mine begins")

        assert cancel(ref)
        with pytest.raises(TaskCancelledError):
            await ref
        await told(juggler, "mine cancelled")
        await juggler.open()
        assert await other == "other"
        assert "other cancelled" not in await juggler.told()

    rehearse(scene)


@everywhere
def test_a_call_cancelled_before_its_place_is_free_never_runs(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor, max_concurrency=2).start()
        first, second, third = (juggler.wait.remote(str(n)) for n in range(3))
        await trio.lowlevel.checkpoint()
        assert cancel(third)
        cancel(first)
        cancel(second)
        refs = [juggler.wait.remote(name) for name in "ab"]
        assert cancel(refs[0])
        assert cancel(refs[1])
        log = await juggler.told()
        assert not {"2 begins"} & set(log)

    rehearse(scene)


@everywhere
def test_call_timeout_cancels_the_method_behind_it(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        with pytest.raises(GetTimeoutError):
            await juggler.wait.options(timeout=0.02)("w")
        await told(juggler, "w cancelled")

    rehearse(scene)


@everywhere
def test_interrupt_cancels_all_that_run_and_returns_when_they_have_ended(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        refs = [juggler.wait.remote(str(n)) for n in range(3)]
        await told(juggler, "2 begins")

        assert await interrupt(juggler)
        assert all(ref.done for ref in refs)
        for ref in refs:
            with pytest.raises(CallInterruptedError):
                await ref
        assert {f"{n} cancelled" for n in range(3)} <= set(await juggler.told())
        assert statistics(juggler).incarnation == 1
        assert not await interrupt(juggler)

    rehearse(scene)


@everywhere
def test_a_method_that_swallows_cancellations_is_cancelled_again_and_again(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        ref = juggler.stubborn.remote(5)
        await told(juggler, "stubborn begins")

        assert await interrupt(juggler)
        with pytest.raises(CallInterruptedError):
            await ref
        assert (await juggler.told())[-1] == "swallowed 4"

    rehearse(scene)


@everywhere
def test_a_protected_method_is_neither_cancelled_nor_interrupted(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        guarded, other = juggler.guarded.remote(), juggler.wait.remote("w")
        await told(juggler, "guarded begins", "w begins")
        assert await interrupt(juggler)
        with pytest.raises(CallInterruptedError):
            await other
        assert not guarded.done
        assert not await interrupt(juggler)
        assert cancel(guarded)
        await juggler.open()
        await told(juggler, "guarded ends")

    rehearse(scene)


@everywhere
def test_after_interrupt_restart_discards_the_state(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor, after_interrupt="restart").start()
        ref = juggler.wait.remote("w")
        await told(juggler, "w begins")
        await interrupt(juggler)
        with pytest.raises(CallInterruptedError):
            await ref
        await until(lambda: statistics(juggler).incarnation == 2)
        assert await juggler.told() == []

    rehearse(scene)


@everywhere
def test_what_a_cancelled_method_raises_is_an_event(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        events = runtime.events()
        ref = juggler.fail_when_cancelled.remote(ValueError("at the end"))
        await told(juggler, "fail_when_cancelled begins")
        cancel(ref)
        with pytest.raises(TaskCancelledError):
            await ref
        await until(lambda: held(events, FailureUnseen))
        (unseen,) = held(events, FailureUnseen)
        assert str(unseen.error) == "at the end"
        assert await juggler.echo(1) == 1

    rehearse(scene)


@everywhere
def test_kill_ends_all_that_run_at_once(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor).start()
        refs = [juggler.wait.remote(str(n)) for n in range(3)]
        await told(juggler, "2 begins")
        await kill(juggler)
        for ref in refs:
            with pytest.raises(ActorDiedError):
                await ref
        assert not pending_everywhere(runtime)

    rehearse(scene)


@everywhere
def test_calls_that_wait_for_a_place_survive_the_death_of_their_actor_in_order(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=executor, max_concurrency=1).start()
        lost = juggler.wait.remote("lost")
        kept = [juggler.sleep.remote(0.0, str(n)) for n in range(5)]
        reading = [juggler.read.remote(0.0, f"r{n}") for n in range(2)]
        await get(reading)
        await kill(juggler, no_restart=False)
        with pytest.raises(ActorUnavailableError):
            await lost
        assert await get(kept) == [str(n) for n in range(5)]
        begun = [line for line in await juggler.told() if line.endswith("begins")]
        assert begun == [f"{n} begins" for n in range(5)]

    rehearse(scene)


@everywhere
def test_a_polite_stop_waits_for_what_runs_as_long_as_shutdown_says(executor: Any) -> None:
    async def scene(runtime: Runtime) -> tuple[Any, Any]:
        quick = await Juggler.options(executor=executor, shutdown=5.0).start()
        slow = await Juggler.options(executor=executor, shutdown=0.05).start()
        refs = quick.sleep.remote(0.02, "q"), slow.wait.remote("w")
        await told(quick, "q begins")
        await told(slow, "w begins")
        for juggler in (quick, slow):
            life = juggler._life  # type: ignore[attr-defined]
            runtime.house.registry.paths[life.path].overseer.terminate(life)
        assert await refs[0] == "q"
        with pytest.raises(ActorDiedError):
            await refs[1]
        return refs

    rehearse(scene)
