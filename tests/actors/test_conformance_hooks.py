"""What holds for hooks and timers wherever an actor runs, told once for every executor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_hooks import AsyncDiary, Diary, ThreadedDiary
from tests.engines import LOOPS, UNTRUSTED
from tests.rehearsal import QUIET, held, rehearse, until
from understudy import (
    ActorDiedError,
    ActorStartError,
    CallInterruptedError,
    Local,
    Runtime,
    Thread,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import ActorEnded, StateLost

GUESTS = {"thread": Thread(), "process": QUIET, "untrusted": UNTRUSTED}
IN_TURNS = {f"turns-{name}": (executor, Diary) for name, executor in GUESTS.items()}
IN_THREADS = {f"threads-{name}": (executor, ThreadedDiary) for name, executor in GUESTS.items()}
IN_TASKS = {name: (executor, AsyncDiary) for name, executor in LOOPS.items()}
BLOCKING = {"turns-local": (Local(), Diary), **IN_TURNS, **IN_THREADS}
AWAITING = {"trio-local": (Local(), AsyncDiary), **IN_TASKS}


def across(cases: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("executor", "cls"), cases.values(), ids=cases)


everywhere = across({**BLOCKING, **AWAITING})


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Where a diary is written."""
    return tmp_path / "diary"


def read(page: Path) -> list[str]:
    return page.read_text().splitlines() if page.exists() else []


async def wrote(page: Path, line: str) -> None:
    await until(lambda: line in read(page))


@everywhere
def test_hooks_run_in_their_order_and_the_state_is_handed_over(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor, crash_on=(LookupError,)).start(str(page))
        await diary.add(5)
        with pytest.raises(KeyError):
            await diary.fail("KeyError", "grave")
        assert await diary.add(1) == 6

    rehearse(scene)
    first = ["on_start 0", "save_state 5", "on_stop error"]
    assert read(page) == [*first, "load_state 5", "on_start 5", "save_state 6", "on_stop shutdown"]


@everywhere
def test_an_actor_that_leaves_is_told_the_reason_normal(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page))
        with pytest.raises(ActorDiedError):
            await diary.leave()

    rehearse(scene)
    assert read(page) == ["on_start 0", "save_state 0", "on_stop normal"]


@everywhere
def test_a_kill_asks_nobody(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page))
        await diary.add(5)
        await kill(diary, no_restart=False)
        assert await diary.add() == 1
        await kill(diary)

    rehearse(scene)
    assert read(page) == ["on_start 0", "on_start 0"]


@everywhere
@pytest.mark.parametrize("hook", ["save_state", "load_state"])
def test_a_hand_over_that_fails_is_an_event_and_a_fresh_start(
    executor: Any, cls: Any, page: Path, hook: str
) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page), fail_in=hook)
        events = runtime.events()
        await diary.add(5)
        diary.fail.cast("ValueError", "alone")
        await until(lambda: statistics(diary).incarnation == 2)
        assert await diary.add(1) == 1
        (lost,) = held(events, StateLost)
        assert (lost.hook, str(lost.error)) == (hook, f"fell in {hook}")
        assert statistics(diary).incarnation == 2

    rehearse(scene)


@everywhere
def test_a_start_hook_that_raises_is_a_start_that_failed(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match="fell in on_start"):
            await cls.options(executor=executor, max_restarts=0).start(str(page), fail_in="on_start")

    rehearse(scene)


@everywhere
def test_a_stop_hook_that_raises_is_told_in_the_reason(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor, max_restarts=0).start(str(page), fail_in="on_stop")
        events = runtime.events()
        with pytest.raises(ActorDiedError):
            await diary.leave()
        (ended,) = held(events, ActorEnded)
        assert ended.reason.kind == "error"
        assert "on_stop() raised ValueError: fell in on_stop" in ended.reason.text

    rehearse(scene)


@across({**AWAITING, **IN_TURNS, **IN_THREADS})
def test_after_an_interrupt_the_actor_may_repair_itself(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page))
        ref = diary.rest.remote()
        await wrote(page, "resting ")
        assert await interrupt(diary)
        with pytest.raises(CallInterruptedError):
            await ref
        await diary.add()
        assert read(page)[-1] == "on_interrupt "

    rehearse(scene)


@across({**AWAITING, **IN_TURNS, **IN_THREADS})
def test_after_interrupt_restart_no_state_is_handed_over(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor, after_interrupt="restart").start(str(page))
        ref = diary.rest.remote()
        await wrote(page, "resting ")
        await interrupt(diary)
        with pytest.raises(CallInterruptedError):
            await ref
        assert await diary.add() == 1

    rehearse(scene)
    assert read(page)[:3] == ["on_start 0", "resting ", "on_start 0"]


# -- timers ------------------------------------------------------------------------------------------


@everywhere
def test_a_timer_runs_once_in_the_actors_turn(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page))
        await diary.tick_after(0.01, 7)
        await wrote(page, "tick 7")
        await trio.sleep(0.03)
        assert await diary.add(0) == 7

    rehearse(scene)


@everywhere
def test_a_timer_runs_again_and_again_until_it_is_cancelled(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page))
        await diary.tick_every(0.005)
        await wrote(page, "tick 3")
        await diary.cancel_timer()
        await trio.sleep(0.01)
        value = await diary.add(0)
        await trio.sleep(0.03)
        assert await diary.add(0) == value

    rehearse(scene)


@everywhere
def test_timers_end_with_the_incarnation(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page))
        await diary.tick_every(0.01)
        await diary.tick_after(0.02)
        await kill(diary, no_restart=False)
        assert await diary.add(0) == 0
        before = read(page)
        await trio.sleep(0.05)
        assert read(page) == before
        assert await diary.add(0) == 0

    rehearse(scene)


@everywhere
def test_what_a_timer_raises_ends_the_incarnation(executor: Any, cls: Any, page: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        diary = await cls.options(executor=executor).start(str(page))
        events = runtime.events()
        await diary.fail_after(0.01, "ValueError", "late")
        await until(lambda: statistics(diary).incarnation == 2)
        (ended,) = held(events, ActorEnded)
        assert (ended.reason.kind, ended.reason.text) == ("error", "fail() raised ValueError: late")

    rehearse(scene)
