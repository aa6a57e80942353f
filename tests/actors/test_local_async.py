"""Async methods of actors in this process: limits, tasks that belong to the incarnation, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast_async import Juggler
from tests.rehearsal import LOCAL, held, pending_everywhere, rehearse
from understudy import (
    Actor,
    ActorStartError,
    ActorUnavailableError,
    CallInterruptedError,
    ChildSpec,
    Process,
    Runtime,
    current_call,
    exit_actor,
    get,
    interrupt,
    kill,
    method,
    remote,
    statistics,
)
from understudy.actors.events import ActorEnded


def test_a_thousand_calls_run_at_once_and_no_more() -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=LOCAL).start()
        refs = [juggler.sleep.remote(1.0, str(n)) for n in range(1500)]
        await get(refs)
        assert juggler._life.incarnation.actor.most == 1000  # type: ignore[attr-defined]

    rehearse(scene, virtual=True)


@pytest.mark.parametrize("ticks", range(15))
def test_a_caller_cancelled_at_any_await_leaves_nothing_behind(ticks: int) -> None:
    class Walker(Actor, executor=LOCAL, max_concurrency=1):
        def __init__(self) -> None:
            self.inside = 0

        @method
        async def walk(self) -> int:
            self.inside += 1
            try:
                for _ in range(5):
                    await trio.lowlevel.checkpoint()
            finally:
                self.inside -= 1
            return self.inside

    async def scene(runtime: Runtime) -> None:
        walker = await Walker.start()

        async def call(scope: trio.CancelScope) -> None:
            with scope:
                await walker.walk()

        async with trio.open_nursery() as nursery:
            scopes = [trio.CancelScope() for _ in range(3)]
            for scope in scopes:
                nursery.start_soon(call, scope)
            for _ in range(ticks):
                await trio.lowlevel.checkpoint()
            for scope in scopes[:2]:
                scope.cancel()
        assert await walker.walk() == 0
        assert not pending_everywhere(runtime)

    rehearse(scene, virtual=True)


def test_what_gives_up_waiting_for_its_place_does_not_pile_up() -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=LOCAL, max_concurrency=1).start()
        first = juggler.wait.remote("w")
        for _ in range(100):
            with trio.move_on_after(0.01):
                await juggler.echo(1)
        assert statistics(juggler).pending == 1
        assert not juggler._life.incarnation.groups[""].waiting  # type: ignore[attr-defined]
        await juggler.open_aside()
        assert await first == "w"

    rehearse(scene, virtual=True)


# -- tasks of its own --------------------------------------------------------------------------------


class Host(Actor, executor=LOCAL):
    def __init__(self, fall_after: float | None = None) -> None:
        self.ticks = 0
        self.fall_after = fall_after
        self.nursery.start_soon(self.tick)

    async def tick(self) -> None:
        while True:
            await trio.sleep(1.0)
            self.ticks += 1
            if self.fall_after is not None and self.ticks >= self.fall_after:
                raise ValueError("fell")

    @method
    async def count(self) -> int:
        return self.ticks

    @method
    async def spawn(self, error: BaseException | None = None) -> int:
        async def task() -> None:
            await trio.sleep(0.5)
            if error is not None:
                raise error
            exit_actor("done")

        self.nursery.start_soon(task)
        return current_call().id

    @method
    async def cancel_nursery(self) -> None:
        self.nursery.cancel_scope.cancel()
        await trio.sleep_forever()

    @method
    async def open_late(self) -> None:
        self.nursery.start_soon(trio.sleep_forever)


def test_background_tasks_live_as_long_as_the_incarnation() -> None:
    async def scene(runtime: Runtime) -> None:
        host = await Host.start()
        await trio.sleep(3.5)
        assert await host.count() == 3
        await kill(host, no_restart=False)
        assert await host.count() == 0
        await trio.sleep(1.5)
        assert await host.count() == 1

    rehearse(scene, virtual=True)


def test_what_a_background_task_raises_ends_the_incarnation_with_reason_error() -> None:
    async def scene(runtime: Runtime) -> None:
        host = await Host.start()
        events = runtime.events()
        await host.spawn(ValueError("fell"))
        waiting = host.open_late.remote()
        await waiting
        await trio.sleep(1.0)
        (ended,) = held(events, ActorEnded)
        assert (ended.reason.kind, str(ended.reason.exception)) == ("error", "fell")
        assert "a task of its nursery raised ValueError" in ended.reason.text
        assert statistics(host).incarnation == 2

    rehearse(scene, virtual=True)


def test_a_background_task_may_end_its_actor_on_purpose() -> None:
    async def scene(runtime: Runtime) -> None:
        host = await Host.start()
        await host.spawn()
        await trio.sleep(1.0)
        assert statistics(host).state == "dead"

    rehearse(scene, virtual=True)


def test_an_actor_that_cancels_its_own_nursery_ends_with_reason_error() -> None:
    async def scene(runtime: Runtime) -> None:
        host = await Host.start()
        events = runtime.events()
        with pytest.raises(ActorUnavailableError):
            await host.cancel_nursery()
        assert await host.count() == 0
        (ended,) = held(events, ActorEnded)
        assert (ended.reason.kind, ended.reason.text) == ("error", "its nursery was cancelled")

    rehearse(scene, virtual=True)


def test_a_class_without_async_methods_has_no_nursery_and_says_why() -> None:
    class Plain(Actor, executor=LOCAL):
        @method
        def ask(self) -> Any:
            return self.nursery

    async def scene(runtime: Runtime) -> None:
        with pytest.raises(RuntimeError, match="Plain has no async methods, so it has no nursery"):
            await Plain.remote().ask()

    rehearse(scene, virtual=True)


# -- starts ------------------------------------------------------------------------------------------


class Slow(Actor, executor=LOCAL):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def on_start(self) -> None:
        self.nursery.start_soon(trio.sleep_forever)
        await trio.sleep(self.seconds)

    @method
    async def ping(self) -> int:
        return 1


def test_an_async_start_has_a_time_and_can_be_stopped() -> None:
    async def scene(runtime: Runtime) -> None:
        assert await (await Slow.start(5.0)).ping() == 1
        with pytest.raises(ActorStartError, match=r"longer than start_timeout, 2\.0 s"):
            await Slow.options(start_timeout=2.0, max_restarts=0).start(1000)
        slow = Slow.remote(1000)
        ref = slow.ping.remote()
        await trio.sleep(1.0)
        await kill(slow)
        with pytest.raises(Exception, match="killed by kill"):
            await ref

    rehearse(scene, virtual=True, seconds=2000)


def test_a_runtime_that_closes_does_not_wait_for_a_start() -> None:
    async def scene(runtime: Runtime) -> None:
        Slow.remote(10_000)
        await trio.sleep(0.1)

    rehearse(scene, virtual=True, seconds=100)


# -- what is refused ---------------------------------------------------------------------------------


def test_concurrency_of_plain_methods_is_refused_in_local() -> None:
    class Plain(Actor, executor=Process()):
        @method
        def ping(self) -> int:
            return 1

    match = r"Plain has no async methods, .* use Thread\(\) or Process\(\)"
    changes: list[Any] = [{"max_concurrency": 2}, {"concurrency_groups": {"io": 1}}]
    for options in changes:
        with pytest.raises(ValueError, match=match):
            Plain.options(executor=LOCAL, **options)
        with pytest.raises(ValueError, match=match):
            ChildSpec(Plain, executor=LOCAL, **options)
    Plain.options(executor=LOCAL, max_concurrency=1)
    Plain.options(max_concurrency=2)


def test_an_unknown_concurrency_group_is_refused_when_the_class_is_made() -> None:
    with pytest.raises(ValueError, match=r"Reader.read is in concurrency group 'oi', and Reader has 'io'"):

        class Reader(Actor, concurrency_groups={"io": 2}):
            @method(concurrency_group="oi")
            async def read(self) -> None: ...

    with pytest.raises(ValueError, match=r"Other.read is in concurrency group 'oi', and Other has none"):

        @remote
        class Other:
            @method(concurrency_group="oi")
            async def read(self) -> None: ...

    with pytest.raises(ValueError, match=r"Juggler\.read is in concurrency group 'io'"):
        Juggler.options(concurrency_groups={"other": 1})


def test_an_unknown_concurrency_group_of_one_call_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=LOCAL).start()
        with pytest.raises(ValueError, match="concurrency group 'oi'"):
            juggler.echo.options(concurrency_group="oi")

    rehearse(scene, virtual=True)


def test_an_unmarked_async_method_of_a_plain_class_is_refused() -> None:
    class Plain(Actor, executor=LOCAL):
        @method
        def ping(self) -> int:
            return 1

        async def helper(self) -> int:
            return 1

    async def scene(runtime: Runtime) -> None:
        plain: Any = await Plain.start()
        with pytest.raises(TypeError, match=r"Plain\.helper is async"):
            await plain.call(Plain.helper)

    rehearse(scene, virtual=True)


def test_an_actor_whose_only_async_method_is_unused_costs_its_plain_ones_nothing_in_meaning() -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=LOCAL).start()
        with pytest.raises(ActorUnavailableError):
            await juggler.fail(SystemExit(1))
        assert await juggler.plain(3) == 3

    rehearse(scene, virtual=True)


def test_many_may_interrupt_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=LOCAL).start()
        ref = juggler.sleep.remote(60.0, "long")
        await trio.sleep(1.0)
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(interrupt, juggler)
        with pytest.raises(CallInterruptedError):
            await ref
        assert await juggler.sleep(1.0, "short") == "short"

    rehearse(scene, virtual=True)
