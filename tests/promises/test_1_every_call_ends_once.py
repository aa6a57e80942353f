"""Promise 1: every call ends exactly once, and the table of pending calls is empty afterwards."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast import Endless, Faller, Player
from tests.rehearsal import LOCAL, QUIET, pending_everywhere, rehearse, run
from understudy import (
    ActorDiedError,
    ActorError,
    ActorStartError,
    CallError,
    Runtime,
    TaskCancelledError,
    cancel,
    get,
    interrupt,
    kill,
    open_runtime,
    wait,
    wait_ready,
)
from understudy.actors.call import Call
from understudy.actors.verbs import life_of

Scene = Callable[[Runtime], Awaitable[None]]
SEED = int(os.environ.get("UNDERSTUDY_SEED", "11"))


class CancelAt(trio.abc.Instrument):
    """Cancels a scope when one task is about to be resumed for the k-th time."""

    def __init__(self, task: Any, scope: trio.CancelScope, k: int) -> None:
        self.task = task
        self.scope = scope
        self.left = k

    def before_task_step(self, task: Any) -> None:
        if task is self.task:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


def cancel_everywhere(scene: Scene, virtual: bool, most: int = 200) -> int:
    """Play a scene again and again, cancelled at its first, second, … step, until it is over before that."""
    for k in range(1, most):

        async def play(k: int = k) -> bool:
            async with open_runtime() as runtime:
                with trio.CancelScope() as scope:
                    instrument = CancelAt(trio.lowlevel.current_task(), scope, k)
                    trio.lowlevel.add_instrument(instrument)
                    try:
                        await scene(runtime)
                    finally:
                        trio.lowlevel.remove_instrument(instrument)
                await nothing_pends(runtime)
                return instrument.left <= 0

        if not run(play, virtual=virtual):
            return k
    raise AssertionError("the scene does not end")


async def nothing_pends(runtime: Runtime) -> None:
    """After a little time no call is on anybody's books, except those that refs still stand for."""
    with trio.fail_after(5):
        while any(call.ref is None for call in pending_everywhere(runtime)):  # noqa: ASYNC110
            await trio.sleep(0.002)


async def calls(runtime: Runtime, kind: Any) -> None:
    player = await kind.start()
    await player.add()
    ref = player.add.remote()
    player.add.cast()
    await ref
    await get([ref, player.add.remote()])
    await wait([player.add.remote(), player.add.remote()], num_returns=2)
    try:
        await player.fail(ValueError("x"))
    except ValueError:
        pass


async def deaths(runtime: Runtime, kind: Any) -> None:
    player = kind.remote()
    await wait_ready(player)
    try:
        await player.quit(1)
    except ActorError:
        pass
    await player.add()
    await kill(player, no_restart=False)
    await player.add()
    await interrupt(player)
    await kill(player)
    try:
        await player.add()
    except ActorDiedError:
        pass


@pytest.mark.parametrize("scene", [calls, deaths])
@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_cancellation_at_any_await_leaves_nothing_behind(executor: Any, scene: Any) -> None:
    kind = Faller.options(executor=executor)
    steps = cancel_everywhere(lambda runtime: scene(runtime, kind), virtual=executor is LOCAL)

    assert steps > 3


def test_a_cancellation_at_any_await_of_the_opening_leaves_nothing_behind() -> None:
    for k in range(1, 50):

        async def play(k: int = k) -> bool:
            with trio.CancelScope() as scope:
                instrument = CancelAt(trio.lowlevel.current_task(), scope, k)
                trio.lowlevel.add_instrument(instrument)
                try:
                    async with open_runtime():
                        await Player.options(executor=LOCAL).remote().add()
                finally:
                    trio.lowlevel.remove_instrument(instrument)
            return instrument.left <= 0

        if not run(play, virtual=True):
            return
    raise AssertionError("it does not end")


class Ledger:
    """Sees every end of every call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ends: dict[int, int] = {}
        tell = Call.tell

        def told(call: Call) -> None:
            self.ends[call.id] = self.ends.get(call.id, 0) + 1
            tell(call)

        monkeypatch.setattr(Call, "tell", told)


class Storm:
    """Does random things to a few actors; every call it makes is accounted for."""

    def __init__(self, seed: int, runtime: Runtime, handles: list[Any]) -> None:
        self.random = random.Random(seed)
        self.runtime = runtime
        self.handles = handles
        self.made = 0
        self.ended: list[str] = []

    async def account(self, work: Awaitable[Any]) -> None:
        self.made += 1
        try:
            await work
            self.ended.append("value")
        except (CallError, ActorStartError) as error:
            self.ended.append(type(error).__name__)
        except trio.Cancelled:
            self.ended.append("Cancelled")
            raise

    def call(self, handle: Any) -> Any:
        choice = self.random.randrange(4)
        if choice == 0:
            return handle.sleep(self.random.random() * 0.01)
        if choice == 1:
            return handle.fail(ValueError("storm"))
        if choice == 2:
            return handle.sleep.options(timeout=self.random.random() * 0.02)(0.005)
        return handle.add()

    async def operation(self) -> None:
        handle = self.random.choice(self.handles)
        what = self.random.choices(
            ("call", "cancelled", "ref", "cancelled ref", "cast", "crash", "kill", "interrupt"),
            (8, 5, 5, 4, 4, 1, 1, 2),
        )[0]
        await trio.sleep(self.random.random() * 0.3)
        if what == "call":
            await self.account(self.call(handle))
        elif what == "cancelled":
            with trio.move_on_after(self.random.random() * 0.02):
                await self.account(self.call(handle))
        elif what == "ref":
            await self.account(self.awaited(handle.sleep.remote(0.001)))
        elif what == "cancelled ref":
            ref = handle.sleep.remote(0.005)
            await trio.sleep(self.random.random() * 0.02)
            cancel(ref)
            await self.account(self.awaited(ref))
        elif what == "cast":
            handle.add.cast()
        elif what == "crash":
            await self.account(handle.quit(1))
        elif what == "kill":
            await kill(handle, no_restart=False)
        else:
            await interrupt(handle)

    async def awaited(self, ref: Any) -> Any:
        return await ref


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_in_a_storm_every_call_ends_exactly_once(
    executor: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(monkeypatch)

    async def scene(runtime: Runtime) -> None:
        kind = Faller.options(executor=executor, max_restarts=-1)
        handles = [await kind.start() for _ in range(3)]
        storm = Storm(seed, runtime, handles)
        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(storm.operation)
        assert len(storm.ended) == storm.made
        assert {"value", "TaskError(ValueError)"} <= set(storm.ended)
        for handle in handles:
            await handle.add()
        await trio.testing.wait_all_tasks_blocked()
        await nothing_pends(runtime)
        assert pending_everywhere(runtime) == []

    rehearse(scene, virtual=executor is LOCAL, seconds=60)
    assert set(ledger.ends.values()) == {1}


def test_a_record_ends_once_whatever_comes_later() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=LOCAL).start()
        ref = player.add.remote()
        assert await ref == 1
        ref.call.fail(ValueError("late"))
        ref.call.succeed(2)
        life_of(player).mailbox.withdraw(ref.call, TaskCancelledError("late"))
        assert await ref == 1

    rehearse(scene)


def test_every_waiter_of_a_call_is_woken_by_its_one_end() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.start()
        ref = endless.nap.remote()
        ends: list[Any] = []

        async def waiter() -> None:
            with pytest.raises(TaskCancelledError) as error:
                await ref
            ends.append(error.value)

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(waiter)
            await trio.testing.wait_all_tasks_blocked()
            cancel(ref)
        assert len(ends) == 5
        assert len({id(error) for error in ends}) == 1

    rehearse(scene)
