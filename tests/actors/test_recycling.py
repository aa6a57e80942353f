"""A guest is replaced by a fresh one while it runs no call; callers notice nothing, and no restart is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_limits import Concurrent, Worn, WornAsync
from tests.rehearsal import held, rehearse, until
from understudy import Limits, Process, Runtime, Supervisor, kill
from understudy.actors.events import ActorCrashed, ActorEnded, ActorReady
from understudy.actors.reasons import RECYCLED
from understudy.actors.recycling import LOOK, SPREAD

MIB = 1024 * 1024


def worn(cls: Any = Worn, **limits: Any) -> Any:
    return cls.options(executor=Process(stderr="keep", limits=Limits(**limits)), name="worn")


def test_after_so_many_calls_the_next_is_for_a_fresh_one() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = worn(max_calls=3).remote()
        assert [await actor.number() for _ in range(8)] == [1, 1, 1, 2, 2, 2, 3, 3]

    rehearse(scene)


def test_calls_that_wait_together_are_shared_out_too_and_keep_their_order() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = worn(max_calls=4).remote()
        refs = [actor.echo.remote(n) for n in range(20)]
        told = [await ref for ref in refs]
        assert [n for n, _ in told] == list(range(20))
        assert [number for _, number in told] == [n // 4 + 1 for n in range(20)]

    rehearse(scene)


def test_casts_count_as_calls_and_none_is_lost() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        actor = worn(max_calls=5).remote()
        for n in range(12):
            actor.echo.cast(n)
        assert (await actor.echo(12))[1] == 3
        assert [event.reason.kind for event in held(events, ActorEnded)] == [RECYCLED, RECYCLED]

    rehearse(scene)


def test_the_reason_says_which_limit_it_was_and_is_no_crash() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        actor = worn(max_calls=1).remote()
        await actor.number()
        await actor.number()
        first = held(events, ActorEnded)[0]
        assert first.reason.kind == RECYCLED
        assert first.reason.text == "it was given 1 calls, and its limit is 1"
        assert first.reason.ordered
        assert not first.reason.crash
        assert not held(events, ActorCrashed)

    rehearse(scene)


@pytest.mark.parametrize("restart", ["permanent", "transient", "temporary"])
def test_it_comes_back_whatever_its_restart_type_and_that_counts_for_nothing(restart: Any) -> None:
    tree = Supervisor(worn(max_calls=1).options(id="worn", restart=restart).child(), intensity=1, within=60.0)

    async def scene(runtime: Runtime) -> None:
        actor = runtime.get_actor("worn", Worn)
        assert [await actor.number() for _ in range(6)] == [1, 2, 3, 4, 5, 6]

    rehearse(scene, tree)


def test_its_siblings_stay_as_they_are() -> None:
    tree = Supervisor(
        worn(max_calls=1).options(id="worn").child(),
        Worn.options(id="other", name="other", executor=Process(stderr="keep")).child(),
        strategy="one_for_all",
    )

    async def scene(runtime: Runtime) -> None:
        actor, other = runtime.get_actor("worn", Worn), runtime.get_actor("other", Worn)
        pid = await other.pid()
        for _ in range(3):
            await actor.number()
        assert await other.pid() == pid

    rehearse(scene, tree)


def test_its_state_is_handed_on_where_it_has_some_to_save() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = worn(max_calls=2).remote()
        assert [await actor.count() for _ in range(6)] == [1, 2, 3, 4, 5, 6]
        assert await actor.number() == 4

    rehearse(scene)


def test_one_that_is_old_leaves_when_its_call_has_ended() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        actor = worn(max_age=0.2).remote()
        first = await actor.nap(0.6)
        await until(lambda: len(held(events, ActorReady)) > 1)
        assert await actor.pid() != first
        assert held(events, ActorEnded)[0].reason.text == "it was up for 0.2 s"

    rehearse(scene)


def test_one_that_has_nothing_to_do_leaves_as_soon_as_it_is_old() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        await worn(max_age=0.1).start()
        await until(lambda: len(held(events, ActorReady)) > 2)

    rehearse(scene)


def test_those_of_one_age_leave_at_different_times() -> None:
    async def scene(runtime: Runtime) -> None:
        process = Process(limits=Limits(max_age=100.0))
        for n in range(4):
            await Worn.options(executor=process, name=f"worn{n}").start()
        stops = {
            deadline.left
            for life in runtime.house.registry.paths.values()
            for deadline in life.incarnation.climber.deadlines.pending  # type: ignore[union-attr]
        }
        assert len(stops) == 4
        assert all(100.0 * (1 - SPREAD) <= left <= 100.0 for left in stops)

    rehearse(scene)


@pytest.mark.slow
def test_one_that_has_grown_too_large_is_replaced_at_the_next_look() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        actor = worn(soft_memory=60 * MIB).remote()
        first = await actor.grow(100 * MIB)
        with trio.fail_after(10 * LOOK):
            await until(lambda: len(held(events, ActorReady)) > 1)
        assert await actor.pid() != first
        text = held(events, ActorEnded)[0].reason.text
        assert "bytes of memory, and its soft limit is 62,914,560" in text

    rehearse(scene)


@pytest.mark.slow
def test_one_that_stays_small_is_left_alone() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = worn(soft_memory=500 * MIB).remote()
        first = await actor.pid()
        await trio.sleep(2.5 * LOOK)
        assert await actor.pid() == first

    rehearse(scene)


@pytest.mark.parametrize("cls", [Concurrent, WornAsync])
def test_one_that_runs_several_calls_leaves_when_it_runs_none(cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = worn(cls, max_calls=2).remote()
        refs = [actor.nap.remote(0.3) for _ in range(4)]
        assert len({await ref for ref in refs}) == 1  # of one process: they were under way together
        assert await actor.nap(0.0) != await refs[0]

    rehearse(scene)


def test_a_stream_is_read_to_its_end_before_it_leaves() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = worn(max_calls=1).remote()
        async with actor.numbers(50) as numbers:
            assert [number async for number in numbers] == [1] * 50
        assert await actor.number() == 2

    rehearse(scene)


def test_a_stop_ends_it_for_good_whatever_was_due() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        actor = worn(max_calls=1).remote()
        refs = [actor.number.remote() for _ in range(3)]
        await refs[2]
        await kill(actor)
        assert len(held(events, ActorReady)) == 3

    rehearse(scene)


def test_a_runtime_that_closes_has_done_what_waits_though_a_limit_is_reached(tmp_path: Path) -> None:
    done = tmp_path / "done"

    async def scene(runtime: Runtime) -> None:
        actor = worn(max_calls=2).remote()
        for _ in range(7):
            actor.mark.cast(str(done))

    rehearse(scene)
    assert done.read_text() == "x" * 7


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.05, 0.1])
def test_a_stop_in_the_middle_of_it_has_what_waits_done_by_the_next(pause: float, tmp_path: Path) -> None:
    done = tmp_path / "done"

    async def scene(runtime: Runtime) -> None:
        actor = await worn(max_calls=1).start()
        for _ in range(20):
            actor.mark.cast(str(done))
        await trio.sleep(pause)

    rehearse(scene)
    assert done.read_text() == "x" * 20


def test_one_without_such_limits_is_watched_by_nobody() -> None:
    async def scene(runtime: Runtime) -> None:
        await Worn.options(executor=Process(limits=Limits(memory=500 * MIB)), name="worn").start()
        (life,) = [life for life in runtime.house.registry.paths.values() if life.spec.cls is Worn]
        assert type(life.incarnation).__name__ == "ProcessIncarnation"

    rehearse(scene)


def test_its_standby_takes_over_and_is_recycled_in_its_turn() -> None:
    process = Process(stderr="keep", limits=Limits(max_calls=2), standby=1)

    async def scene(runtime: Runtime) -> None:
        actor = Worn.options(executor=process).remote()
        assert [await actor.number() for _ in range(6)] == [1, 1, 2, 2, 3, 3]

    rehearse(scene)
