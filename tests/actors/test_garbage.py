"""Garbage collection on request: in the actor's own process, between two of its calls."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast_nested import Leaf, Litter
from tests.rehearsal import LOCAL, QUIET, rehearse, until
from understudy import ActorDiedError, Pool, Process, Runtime, Thread, collect_garbage, kill, statistics


@pytest.mark.parametrize("trusted", [True, False])
def test_what_nobody_can_reach_is_counted_where_it_lies(trusted: bool) -> None:
    async def scene(runtime: Runtime) -> None:
        litter = await Litter.options(executor=Process(stderr="keep", trusted=trusted)).start()
        await collect_garbage(litter)
        await litter.drop(100)

        assert await collect_garbage(litter) >= 100
        assert await collect_garbage(litter) < 100
        assert await litter.drop(0) == 100

    rehearse(scene)


@pytest.mark.parametrize("executor", [LOCAL, Thread()], ids=["local", "thread"])
def test_what_shares_this_process_is_collected_here(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        litter = await Litter.options(executor=executor).start()
        await litter.drop(100)

        assert await collect_garbage(litter) >= 100

    rehearse(scene)


def test_it_waits_for_the_call_that_runs_and_comes_before_those_that_wait() -> None:
    async def scene(runtime: Runtime) -> None:
        litter = await Litter.options(executor=QUIET).start()
        await collect_garbage(litter)
        litter.drop_slowly.cast(100)
        await until(lambda: statistics(litter).busy_since)

        assert await collect_garbage(litter) >= 100

    rehearse(scene)


def test_a_dead_actor_and_a_pool_are_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.options(executor=LOCAL).start()
        await kill(leaf)
        with pytest.raises(ActorDiedError):
            await collect_garbage(leaf)
        pool = await runtime.start(Pool(Leaf.options(executor=LOCAL).child(), 2))
        with pytest.raises(TypeError, match="is a pool"):
            await collect_garbage(pool)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="the handle of an actor"):
            await collect_garbage(7)  # type: ignore[arg-type]

    rehearse(scene)
