"""`open_scope()` at the doors: what is made inside belongs to the block, in tasks of asyncio and in threads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast import Endless, Player
from tests.doors import visit
from tests.rehearsal import LOCAL
from understudy import ActorDiedError, NoRuntimeError, TaskCancelledError, aio, blocking, method, put, remote
from understudy.crossing.runtime import FarRuntime


class Sleeper(Player, executor=LOCAL):
    """Sleeps until it is cancelled."""

    @method
    async def nap(self) -> None:
        await trio.sleep_forever()


LocalPlayer = Player.options(executor=LOCAL)


def test_leaving_a_block_cancels_what_is_pending_and_nothing_else() -> None:
    async def scene(runtime: FarRuntime) -> None:
        sleeper, player = await Sleeper.start(), await LocalPlayer.start()
        other = await Sleeper.start()
        outside = other.nap.remote()
        async with aio.open_scope() as scope:
            pending, done = sleeper.nap.remote(), player.echo.remote(1)
            held = player.echo.remote(pending.as_argument)
            assert await done == 1
            scope.adopt(put(0))
            assert "open, 2 pending refs" in repr(scope)
        for ref in (pending, held):
            with pytest.raises(TaskCancelledError, match="the scope, its owner, has ended"):
                await ref
        assert (await done, outside.done, aio.cancel(outside)) == (1, False, True)
        assert "closed" in repr(scope)

    visit(scene)


def test_in_plain_code_it_is_a_plain_block() -> None:
    with blocking.open_runtime():
        sleeper = Sleeper.remote()
        with blocking.open_scope() as scope:
            inside = LocalPlayer.remote()
            pending = sleeper.nap.remote()
            assert blocking.call(inside.add, 1) == 1
            scope.cancel()
            with pytest.raises(TaskCancelledError):
                blocking.get(pending)
            again = sleeper.nap.remote()
        with pytest.raises(TaskCancelledError):
            blocking.get(again)
        with pytest.raises(ActorDiedError):
            blocking.call(inside.add, 1)
        assert blocking.call(sleeper.add, 1) == 1


def test_actors_made_inside_end_with_it_unless_they_are_detached() -> None:
    async def scene(runtime: FarRuntime) -> None:
        before = await LocalPlayer.start()
        async with aio.open_scope():
            started, spawned = await LocalPlayer.start(), LocalPlayer.remote()
            kept = await LocalPlayer.options(lifetime="detached").start()
        for gone in (started, spawned):
            with pytest.raises(ActorDiedError):
                await gone.add(1)
        assert await kept.add(1) == await before.add(1) == 1

    visit(scene)


@pytest.mark.parametrize("how", ["error", "cancelled"])
def test_however_a_block_is_left_it_waits_for_the_end_of_its_own(how: str) -> None:
    async def scene(runtime: FarRuntime) -> None:
        inside: list[Any] = []

        async def work() -> None:
            async with aio.open_scope():
                inside.append(await LocalPlayer.start())
                inside[0].add.remote(1)
                if how == "error":
                    raise KeyError(how)
                await asyncio.sleep(60)

        task = asyncio.create_task(work())
        while not inside:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if how == "cancelled":
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()  # it cannot be hurried
        await asyncio.wait([task])
        assert inside[0]._life.is_dead
        assert task.cancelled() if how == "cancelled" else isinstance(task.exception(), KeyError)

    visit(scene)


def test_blocks_nest_and_tasks_make_things_for_the_block_they_were_started_in() -> None:
    async def scene(runtime: FarRuntime) -> None:
        sleeper = await Sleeper.start()
        gone = asyncio.Event()

        async def work() -> Any:
            await gone.wait()
            return sleeper.nap.remote()

        async with aio.open_scope():
            outer = sleeper.nap.remote()
            async with aio.open_scope():
                task = asyncio.create_task(work())
                inner = sleeper.nap.remote()
            assert (inner.done, outer.done) == (True, False)
            gone.set()
            late = await task  # its block has ended: the one above owns it
        assert late.done
        assert outer.done

    visit(scene)


def test_a_block_adopts_a_ref_and_owns_calls_of_remote_functions() -> None:
    async def scene(runtime: FarRuntime) -> None:
        sleeper = await Sleeper.start()
        adopted = sleeper.nap.remote()
        async with aio.open_scope() as scope:
            scope.adopt(adopted)
            scope.adopt(put(3))
            sleeping = remote(sleep_long).remote()
        assert adopted.done
        with pytest.raises(TaskCancelledError):
            await sleeping
        with pytest.raises(RuntimeError, match="closed"):
            scope.adopt(adopted)
        with pytest.raises(RuntimeError, match="opened before"):
            await scope.__aenter__()

    visit(scene)


def sleep_long() -> None:
    import time

    time.sleep(60)


def test_a_block_of_one_runtime_owns_nothing_of_another() -> None:
    with blocking.open_runtime():
        outer = Sleeper.remote()
        with blocking.open_scope(), blocking.open_runtime():
            inner = LocalPlayer.remote()
            ref = outer.nap.remote()
        with pytest.raises(TaskCancelledError, match="its owner"):
            blocking.get(ref)
        with pytest.raises((ActorDiedError, NoRuntimeError)):
            blocking.call(inner.add, 1)


def test_a_block_that_outlives_its_runtime_ends_quietly(tmp_path: Path) -> None:
    with blocking.open_runtime():
        ref = Endless.remote().spin_until_file.remote(str(tmp_path / "never"))
        block = blocking.open_scope()
        block.__enter__()
    block.__exit__(None, None, None)
    assert ref.done
    with pytest.raises(NoRuntimeError, match="no runtime is open"):
        blocking.open_scope()
