"""`ExecutorConformance`: what holds for an actor wherever its code runs, as tests that pytest collects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import trio
import trio.testing

from ..actors.errors import ActorDiedError, ActorStartError, ActorUnavailableError
from ..actors.verbs import get, kill, statistics, wait_ready
from ..supervisors.runtime import Runtime, open_runtime
from .faults import Leave
from .injection import inject
from .roles import Heir, Scribe
from .settling import quiet

SECONDS = 20.0  # for one test
VALUES: tuple[Any, ...] = (None, True, 1 << 70, 1.5, "\u00e9", b"\x00", [1, [2]], {"a": {"b": None}}, "")


class ExecutorConformance:
    """Derive a class whose name begins with Test, and give it the executor; pytest finds the tests.

    `kills_running`: can a plain method that runs be ended from outside?  `virtual`: runs on a MockClock.

    Example:
        class TestMine(ExecutorConformance):
            executor = MyExecutor()
    """

    executor: ClassVar[Any]
    kills_running: ClassVar[bool] = True
    virtual: ClassVar[bool] = False

    def play(self, scene: Callable[[], Awaitable[None]], settle: bool = True) -> Runtime:
        """A scene in a runtime of its own, which is closed by now."""

        async def main() -> Runtime:
            with trio.fail_after(SECONDS):
                async with open_runtime() as runtime:
                    await scene()
                    if settle:
                        await quiet(runtime)
            return runtime

        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0) if self.virtual else None)

    async def scribe(self, *args: Any, **options: Any) -> Any:
        return await Scribe.options(executor=self.executor, **options).start(*args)

    # -- calls ----------------------------------------------------------------------------------

    def test_calls_refs_and_casts_are_done_in_the_order_sent(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            ref = scribe.keep.remote("one")
            scribe.keep.cast("two")
            assert await scribe.keep("three") == 3
            assert await ref == 1
            assert await scribe.kept() == ["one", "two", "three"]

        self.play(scene)

    def test_a_thousand_calls_end_once_each(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            refs = [scribe.keep.remote(str(number)) for number in range(1000)]
            assert await get(refs) == list(range(1, 1001))
            assert statistics(scribe).pending == 0

        self.play(scene)

    def test_plain_data_arrives_and_returns_as_it_is(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            for value in VALUES:
                assert await scribe.echo(value) == value

        self.play(scene)

    def test_what_a_method_raises_goes_to_its_caller_and_the_actor_lives(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            await scribe.keep("one")
            error = await failure(scribe.fail("no ink"), ValueError)
            assert "no ink" in str(error)
            assert await scribe.keep("two") == 2
            assert statistics(scribe).incarnation == 1

        self.play(scene)

    def test_a_stream_gives_its_items_in_order_and_may_be_left_early(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            async with scribe.count(100) as numbers:
                assert [number async for number in numbers] == list(range(100))
            async with scribe.count(1_000_000) as numbers:
                async for number in numbers:
                    if number == 3:
                        break
            assert await scribe.keep("after") == 1

        self.play(scene)

    def test_a_caller_that_is_cancelled_goes_at_once_and_what_waits_never_runs(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            scribe.work.cast(0.05)
            with trio.CancelScope() as scope:
                scope.cancel()
                await scribe.keep("never")
            assert scope.cancelled_caught
            assert await scribe.kept() == []

        self.play(scene)

    # -- starts and ends ------------------------------------------------------------------------

    def test_a_start_that_fails_fails_its_starter(self) -> None:
        async def scene() -> None:
            error = await failure(self.scribe("fail"), ActorStartError)
            assert "told to fail" in str(error)

        self.play(scene)

    def test_a_crash_is_followed_by_a_new_incarnation_behind_the_same_handle(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe("first", crash_on=(ValueError,))
            await scribe.keep("second")
            await failure(scribe.fail("no ink"), ValueError)
            assert await scribe.kept() == ["first"]
            assert await scribe.incarnation() == 2

        self.play(scene)

    def test_what_waited_behind_a_crash_is_done_in_its_order_by_the_next(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe(crash_on=(ValueError,))
            crash = scribe.fail.remote("no ink")
            refs = [scribe.keep.remote(str(number)) for number in range(20)]
            await failure(awaited(crash), ValueError)
            assert await get(refs) == list(range(1, 21))

        self.play(scene)

    def test_an_actor_that_leaves_is_dead_for_good(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            await failure(scribe.leave(), ActorDiedError)
            error = await failure(scribe.kept(), ActorDiedError)
            assert error.reason.kind == "normal"

        self.play(scene)

    def test_a_kill_ends_it_and_whoever_waits_is_told(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            running = scribe.work.remote(10.0 if self.kills_running else 0.01)
            waiting = scribe.keep.remote("never")
            await kill(scribe)
            await failure(awaited(waiting), ActorDiedError)
            if self.kills_running:
                await failure(awaited(running), ActorDiedError)
            assert statistics(scribe).state == "dead"

        self.play(scene)

    def test_a_kill_with_a_restart_keeps_what_had_not_begun(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            running = scribe.work.remote(10.0 if self.kills_running else 0.01)
            waiting = scribe.keep.remote("kept")
            await trio.sleep(0.05)
            await kill(scribe, no_restart=False)
            assert await waiting == 1
            if self.kills_running:
                await failure(awaited(running), ActorUnavailableError)

        self.play(scene)

    def test_an_interrupt_leaves_a_state_that_answers(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe(call_timeout=0.2)
            if self.kills_running:
                await failure(scribe.work(10.0), Exception)
            assert await scribe.keep("still there") == 1

        self.play(scene)

    def test_hooks_run_and_state_is_handed_on_by_one_that_can_still_answer(self) -> None:
        async def scene() -> None:
            heir = await Heir.options(executor=self.executor, restart="permanent").start()
            assert await heir.tell() == ["started"]
            inject(heir, Leave())
            while statistics(heir).incarnation == 1:  # noqa: ASYNC110
                await trio.sleep(0.005)
            await wait_ready(heir)
            assert await heir.tell() == ["started", "loaded", "started"]

        self.play(scene)

    def test_what_was_accepted_is_done_before_a_runtime_closes(self) -> None:
        async def scene() -> None:
            scribe = await self.scribe()
            for number in range(50):
                scribe.keep.cast(str(number))

        assert list(self.play(scene, settle=False).dead_letters) == []

    def test_handles_can_be_passed(self) -> None:
        async def scene() -> None:
            scribe, other = await self.scribe(), await self.scribe("other")
            came: Any = await scribe.echo(other)
            assert await came.kept() == ["other"]

        self.play(scene)


async def awaited(ref: Any) -> Any:
    return await ref


async def failure(call: Awaitable[Any], kind: type[BaseException]) -> Any:
    """The exception of this kind that a call ends with."""
    try:
        value = await call
    except kind as error:
        return error
    raise AssertionError(f"it returned {value!r} and should have raised {kind.__name__}")
