"""The mailbox: order, deadlines, and what happens to what waits."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from tests.cast import Faller, NotHere
from tests.rehearsal import LOCAL, rehearse
from understudy import (
    ActorDiedError,
    GetTimeoutError,
    Runtime,
    Supervisor,
    TaskCancelledError,
    get_actor,
    kill,
    statistics,
)
from understudy.actors.verbs import life_of

Quick = Faller.options(executor=LOCAL)


class Pause:
    """While it is entered nobody takes calls from an actor's mailbox."""

    def __init__(self, handle: Any) -> None:
        self.mailbox = life_of(handle).mailbox

    def __enter__(self) -> None:
        self.receiver, self.mailbox.receiver = self.mailbox.receiver, None

    def __exit__(self, *details: object) -> None:
        self.mailbox.receiver = self.receiver
        if self.receiver is not None:
            self.receiver.pump()


def test_what_waits_is_counted() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        with Pause(faller):
            refs = [faller.add.remote() for _ in range(3)]
            faller.add.cast()
            now = statistics(faller)
        assert (now.pending, now.queued) == (4, 4)
        assert await refs[2] == 3
        assert await faller.add() == 5
        assert statistics(faller).pending == 0

    rehearse(scene)


def test_deadlines_fire_in_their_order_whatever_the_order_of_the_calls() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        ended: list[tuple[float, float]] = []
        start = trio.current_time()

        async def caller(seconds: float) -> None:
            with pytest.raises(GetTimeoutError):
                await faller.add.options(timeout=seconds)()
            ended.append((seconds, round(trio.current_time() - start, 3)))

        with Pause(faller):
            async with trio.open_nursery() as nursery:
                for seconds in (3.0, 1.0, 2.0, 5.0, 4.0):
                    nursery.start_soon(caller, seconds)
        assert ended == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0), (5.0, 5.0)]
        assert await faller.add() == 1

    rehearse(scene, virtual=True)


def test_a_timeout_of_zero_ends_a_call_that_cannot_begin_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        with Pause(faller), pytest.raises(GetTimeoutError):
            await faller.add.options(timeout=0)()

    rehearse(scene, virtual=True)


def test_a_call_without_timeout_waits_as_long_as_it_takes() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        with Pause(faller):
            ref = faller.add.remote()
            await trio.sleep(80_000)
            assert not ref.done
        assert await ref == 1

    rehearse(scene, virtual=True, seconds=100_000)


def test_timeouts_work_again_after_an_actor_was_down() -> None:
    tree = Supervisor(
        Supervisor(
            Faller.options(executor=LOCAL, id="resting", restart="transient", call_timeout=1.0).child(),
            Faller.options(executor=LOCAL, id="falling").child(),
            id="inner",
            intensity=0,
        )
    )

    async def scene(runtime: Runtime) -> None:
        resting, falling = get_actor("inner/resting", Faller), get_actor("inner/falling", Faller)
        resting.leave.cast()
        await trio.testing.wait_all_tasks_blocked()
        assert statistics(resting).state == "down"
        with Pause(resting):
            with pytest.raises(ActorDiedError):
                await resting.add()
        falling.quit.cast(1)
        await trio.testing.wait_all_tasks_blocked()
        assert statistics(resting).state == "ready"
        assert await resting.add() == 1
        with Pause(resting), pytest.raises(GetTimeoutError):
            await resting.add()

    rehearse(scene, tree, virtual=True)


def test_a_deadline_from_before_an_actors_rest_does_not_stand_in_the_way_of_later_ones() -> None:
    tree = Supervisor(
        Supervisor(
            Faller.options(executor=LOCAL, id="resting", restart="transient", call_timeout=1.0).child(),
            Faller.options(executor=LOCAL, id="falling").child(),
            id="inner",
            intensity=0,
        )
    )

    async def scene(runtime: Runtime) -> None:
        resting, falling = get_actor("inner/resting", Faller), get_actor("inner/falling", Faller)
        await resting.add()  # leaves a deadline on the books
        resting.leave.cast()
        await trio.testing.wait_all_tasks_blocked()
        falling.quit.cast(1)
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(3)
        with Pause(resting), pytest.raises(GetTimeoutError):
            await resting.add()

    rehearse(scene, tree, virtual=True)


def test_a_call_tried_before_is_not_safe_to_retry_when_it_ends_in_the_queue() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        with Pause(faller):
            ref = faller.add.remote()
            ref.call.attempt = 2  # as after a death under it
            with trio.move_on_after(1):
                await ref
            life_of(faller).mailbox.withdraw(ref.call, TaskCancelledError("x", "never_sent"))
        with pytest.raises(TaskCancelledError) as error:
            await ref
        assert error.value.fate == "begun"
        assert not error.value.safe_to_retry

    rehearse(scene, virtual=True)


def test_what_waits_for_an_actor_that_dies_for_good_is_told() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        with Pause(faller):
            ref = faller.add.remote()
            faller.note.cast("a")
            await kill(faller)
        with pytest.raises(ActorDiedError, match="is dead") as error:
            await ref
        assert error.value.safe_to_retry
        (letter,) = runtime.dead_letters
        assert (letter.method, letter.args, letter.cause) == ("note", ("a",), "undelivered")

    rehearse(scene)


def test_a_caller_cancelled_before_it_waits_sends_nothing() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        with trio.CancelScope() as scope:
            scope.cancel()
            await faller.add()
        assert scope.cancelled_caught
        assert await faller.add() == 1

    rehearse(scene)


def test_a_thousand_cancelled_calls_leave_nothing_pending() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Quick.start()
        with Pause(faller):
            async with trio.open_nursery() as nursery:
                for _ in range(1000):
                    nursery.start_soon(faller.add)
                await trio.testing.wait_all_tasks_blocked()
                assert statistics(faller).pending == 1000
                nursery.cancel_scope.cancel()
            assert statistics(faller).pending == 0
        assert await faller.add() == 1

    rehearse(scene)


def test_a_dead_letter_is_kept_though_its_arguments_cannot_be_unpickled() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.start()
        with Pause(faller):
            faller.echo.cast(NotHere())
            await kill(faller)
        (letter,) = runtime.dead_letters
        assert letter.args == ("<arguments that cannot be unpickled: ValueError>",)
        assert await (await Quick.start()).add() == 1

    rehearse(scene)
