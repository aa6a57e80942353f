"""Supervisors and real processes: what declines, dies, is killed and comes back."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import Any

import pytest
import trio

from tests.cast import QUIET
from tests.cast_supervised import Hand, Needless, NeedlessLater, NeedlessSoon, Stubborn
from tests.rehearsal import rehearse, until
from understudy import (
    ActorStartError,
    CallError,
    Pool,
    Runtime,
    Supervisor,
    Thread,
    get_actor,
    interrupt,
    statistics,
)


def hand(id: str, cls: Any = Hand, **options: Any) -> Any:
    return cls.options(id=id, **options).child()


def runs(runtime: Runtime, path: str) -> bool:
    """Has the guest of an actor begun a call?"""
    incarnation: Any = runtime.house.registry.paths[path].incarnation
    return bool(incarnation.running())


@pytest.mark.parametrize("cls", [Needless, NeedlessLater, NeedlessSoon])
@pytest.mark.parametrize("executor", [QUIET, Thread()], ids=["process", "thread"])
def test_a_guest_may_say_that_it_need_not_run(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        assert await top.start_child(hand("n", cls, executor=executor)) is None
        assert [info.state for info in await top.which_children()] == ["undefined"]
        with pytest.raises(ActorStartError, match="it said that it need not run"):
            await cls.options(executor=executor).start()

    rehearse(scene)


def test_a_brutal_end_kills_the_process_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        await runtime.supervisor().terminate_child("s")
        assert statistics(get_actor("s", Hand)).last_reason == "signal: killed by its supervisor"

    rehearse(scene, Supervisor(hand("s", Stubborn, shutdown="brutal")))


@pytest.mark.slow
def test_a_process_that_will_not_end_is_killed_after_its_time() -> None:
    async def scene(runtime: Runtime) -> None:
        pid = await get_actor("s", Hand).pid()
        await runtime.supervisor().terminate_child("s")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    rehearse(scene, Supervisor(hand("s", Stubborn, shutdown=0.1)))


def test_a_process_that_is_killed_takes_those_after_it_along() -> None:
    async def scene(runtime: Runtime) -> None:
        hands = [get_actor(id, Hand) for id in "abc"]
        before = [await one.pid() for one in hands]
        os.kill(before[1], signal.SIGKILL)
        await until(lambda: statistics(hands[2]).incarnation == 2)
        after = [await one.pid() for one in hands]
        assert after[0] == before[0]
        assert not set(after[1:]) & set(before)

    rehearse(scene, Supervisor(*map(hand, "abc"), strategy="rest_for_one"))


def test_what_runs_in_a_bystander_fails_with_its_fate_and_what_waits_is_done_by_the_next() -> None:
    async def scene(runtime: Runtime) -> None:
        a, b = get_actor("a", Hand), get_actor("b", Hand)
        old = await b.pid()
        running = b.spin.remote()
        await until(lambda: runs(runtime, "b"))
        waiting = [b.pid.remote() for _ in range(3)]
        a.crash.cast()
        with pytest.raises(CallError) as error:
            await running
        assert error.value.fate in ("begun", "unknown")
        pids = [await ref for ref in waiting]
        assert len(set(pids)) == 1
        assert pids[0] != old

    rehearse(scene, Supervisor(hand("a"), hand("b"), strategy="one_for_all"))


def test_what_waits_in_a_pool_that_is_a_bystander_is_done_by_its_next_members() -> None:
    async def scene(runtime: Runtime) -> None:
        a, pool = get_actor("a", Hand), get_actor("p", Hand)
        old = await pool.pid()
        running = pool.spin.remote()
        await until(lambda: runs(runtime, "p/0"))
        waiting = [pool.pid.remote() for _ in range(3)]
        a.crash.cast()
        with pytest.raises(CallError):
            await running
        assert old not in [await ref for ref in waiting]

    tree = Supervisor(
        hand("a"), Pool(Hand.options(executor=QUIET).child(), size=1, id="p"), strategy="one_for_all"
    )
    rehearse(scene, tree)


def test_an_interrupt_of_a_supervisor_stops_loops_in_processes_the_deepest_first() -> None:
    paths = ("top", "out/deep", "out/in/deeper")
    inner = Supervisor(hand("deep"), Supervisor(hand("deeper"), id="in"), id="out")

    async def scene(runtime: Runtime) -> None:
        hands = [get_actor(path, Hand) for path in paths]
        refs = [one.spin.remote() for one in hands]
        for path in paths:
            await until(partial(runs, runtime, path))
        assert await interrupt(runtime.supervisor())
        assert all(ref.done for ref in refs)
        assert [statistics(one).incarnation for one in hands] == [1, 1, 1]
        for ref in refs:
            with pytest.raises(CallError):
                await ref

    rehearse(scene, Supervisor(hand("top"), inner))


def test_an_interrupt_of_a_supervisor_returns_at_its_deadline() -> None:
    async def scene(runtime: Runtime) -> None:
        with trio.fail_after(5):
            assert not await runtime.supervisor().interrupt(timeout=0.05)

    rehearse(scene, Supervisor(hand("a")))
