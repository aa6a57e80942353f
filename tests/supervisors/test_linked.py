"""Linked actors end together; one that has the hook on_down is told instead."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.cast import QUIET
from tests.cast_watch import Fellow, Target, TrappingFellow
from tests.rehearsal import LOCAL, held, rehearse, until
from understudy import ActorDiedError, Pool, Runtime, TaskError, Thread, kill, monitor
from understudy.actors.events import FailureUnseen
from understudy.supervisors.linked import link

EXECUTORS: dict[str, Any] = {"local": LOCAL, "thread": Thread(), "process": QUIET}
everywhere = pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)


def nothing_left(runtime: Runtime) -> bool:
    house = runtime.house
    return not (house.links.watches or house.monitors.watched or house.monitors.owned)


async def two(cls: type[Fellow], executor: Any) -> tuple[Any, Any]:
    one = await cls.options(executor=executor, id="one", max_restarts=0).start()
    other = await Fellow.options(executor=executor, id="other", max_restarts=0).start()
    return one, other


async def end(fellow: Any, how: str) -> None:
    if how == "normal":
        with pytest.raises(ActorDiedError):
            await fellow.leave()
    elif how == "error":
        with pytest.raises(TaskError):
            await fellow.fail()
    else:
        await kill(fellow)


@everywhere
@pytest.mark.parametrize("how", ["error", "signal"])
@pytest.mark.parametrize("first", [0, 1])
def test_the_end_of_either_ends_the_other(executor: Any, how: str, first: int) -> None:
    async def scene(runtime: Runtime) -> None:
        both = await two(Fellow, executor)
        await both[0].link(both[1])
        await both[0].link(both[1])  # idempotent
        async with monitor(both[1 - first]) as downs:
            await end(both[first], how)
            down = await anext(downs)
        assert down.reason.kind == how
        assert down.reason.text.startswith(f"linked with {['one', 'other'][first]}, which ended: {how}")
        await until(lambda: nothing_left(runtime))

    rehearse(scene)


@everywhere
def test_a_normal_end_ends_nobody_else(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        one, other = await two(Fellow, executor)
        await one.link(other)
        await end(other, "normal")
        assert await one.ping() == "pong"
        await until(lambda: nothing_left(runtime))

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("how", ["normal", "error", "signal"])
def test_one_with_the_hook_is_told_instead(executor: Any, how: str) -> None:
    async def scene(runtime: Runtime) -> None:
        one, other = await two(TrappingFellow, executor)
        await other.link(one)
        await end(other, how)
        await until(lambda: nothing_left(runtime))
        assert [(down.path, down.reason.kind, down.monitor) for down in await one.told()] == [
            ("other", how, 0)
        ]

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("who", [0, 1])
def test_after_unlink_from_either_side_each_ends_alone(executor: Any, who: int) -> None:
    async def scene(runtime: Runtime) -> None:
        both = await two(TrappingFellow, executor)
        await both[0].link(both[1])
        await both[who].unlink(both[1 - who])
        await until(lambda: nothing_left(runtime))
        await end(both[1], "error")
        assert await both[0].told() == []

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("cls", [Fellow, TrappingFellow])
def test_a_link_with_a_dead_actor_acts_at_once(executor: Any, cls: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        one, other = await two(cls, executor)
        await end(other, "signal")
        async with monitor(one) as downs:
            if cls is TrappingFellow:
                await one.link(other)
                assert [down.path for down in await one.told()] == ["other"]
                return
            one.link.cast(other)
            assert "linked with other, which ended" in (await anext(downs)).reason.text
        await until(lambda: nothing_left(runtime))

    rehearse(scene)


def test_a_link_does_not_outlive_the_incarnations_it_was_made_for() -> None:
    async def scene(runtime: Runtime) -> None:
        one = await Fellow.options(id="one").start()
        other = await Fellow.options(id="other").start()
        await one.link(other)
        await end(other, "error")  # both come back, unlinked
        assert (await one.ping(), await other.ping()) == ("pong", "pong")
        assert nothing_left(runtime)
        await kill(other)
        assert await one.ping() == "pong"

    rehearse(scene, virtual=True)


def test_a_chain_of_links_falls_as_one() -> None:
    async def scene(runtime: Runtime) -> None:
        fellows = [await Fellow.options(max_restarts=0).start() for _ in range(200)]
        for one, other in itertools.pairwise(fellows):
            await one.link(other)
        async with monitor(*fellows) as downs:
            await kill(fellows[100])
            assert len([down async for down in downs]) == 200
        assert nothing_left(runtime)

    rehearse(scene, virtual=True)


def test_outside_of_actors_and_with_pools_there_are_no_links() -> None:
    async def scene(runtime: Runtime) -> None:
        target = await Target.start()
        with pytest.raises(RuntimeError, match="works inside an actor"):
            link(target)
        pool = await Pool(Target.child(), size=2).start()
        fellow = await Fellow.start()
        with pytest.raises(TaskError, match="a pool cannot be linked"):
            await fellow.link(pool)
        guest = await Fellow.options(executor=QUIET).start()
        events = runtime.events()
        await guest.link(pool)
        assert await guest.ping() == "pong"
        assert ["a pool cannot be linked" in str(event.error) for event in held(events, FailureUnseen)] == [
            True
        ]

    rehearse(scene)
