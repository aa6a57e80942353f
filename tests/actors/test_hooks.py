"""Hooks and timers of actors in this process, to the second; and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import trio
import trio.lowlevel

from tests.rehearsal import LOCAL, held, rehearse
from understudy import (
    Actor,
    ActorDiedError,
    Runtime,
    current_actor,
    exit_actor,
    kill,
    method,
    open_runtime,
    statistics,
)
from understudy.actors.events import ActorEnded, StateLost

SEEN: list[Any] = []


class Clock(Actor, executor=LOCAL):
    def __init__(self) -> None:
        self.times: list[float] = []
        self.late = self.after(2.5, self.note, "from __init__")
        self.notes: list[Any] = []

    def note(self, what: Any) -> None:
        self.notes.append((what, trio.current_time(), current_actor().incarnation))

    def on_start(self) -> None:
        self.started = trio.current_time()

    @method
    def begin(self, seconds: float, block: float = 0.0) -> None:
        self.timer = self.every(seconds, self.tick, block)

    def tick(self, block: float) -> None:
        self.times.append(trio.current_time() - self.started)
        trio.lowlevel.current_clock().jump(block)  # type: ignore[attr-defined]

    @method
    def told(self) -> tuple[list[float], list[Any]]:
        return self.times, self.notes

    @method
    def leave_after(self, seconds: float) -> None:
        self.after(seconds, exit_actor, "enough")

    @method
    def cancel_from_within(self) -> None:
        self.timer = self.every(1.0, self.cancel_it)

    def cancel_it(self) -> None:
        self.times.append(trio.current_time() - self.started)
        self.timer.cancel()
        assert not self.timer.pending

    @method
    def bad(self, seconds: Any, function: Any = print) -> None:
        self.every(seconds, function)

    @method
    def items(self) -> Iterator[int]:
        yield from range(3)


def test_timers_keep_to_their_seconds_and_know_their_actor() -> None:
    async def scene(runtime: Runtime) -> None:
        begun = trio.current_time()
        clock = await Clock.start()
        await clock.begin(1.0)
        await trio.sleep(3.5)
        times, notes = await clock.told()
        assert times == [1.0, 2.0, 3.0]
        assert notes == [("from __init__", begun + 2.5, 1)]

    rehearse(scene, virtual=True)


def test_runs_that_were_missed_are_left_out() -> None:
    async def scene(runtime: Runtime) -> None:
        clock = await Clock.start()
        await clock.begin(1.0, 2.25)
        await trio.sleep(9.0)
        times, _ = await clock.told()
        assert times[:3] == [1.0, 4.0, 7.0]

    rehearse(scene, virtual=True)


def test_a_timer_may_cancel_itself_and_end_its_actor() -> None:
    async def scene(runtime: Runtime) -> None:
        clock = await Clock.start()
        await clock.cancel_from_within()
        await trio.sleep(5.0)
        assert (await clock.told())[0] == [1.0]
        await clock.leave_after(1.0)
        await trio.sleep(2.0)
        assert statistics(clock).state == "dead"

    rehearse(scene, virtual=True)


def test_a_timer_waits_for_the_stream_that_has_the_turn() -> None:
    async def scene(runtime: Runtime) -> None:
        clock = await Clock.start()
        stream = clock.items.options(ahead=1)()
        assert await anext(stream) == 0
        await trio.sleep(5.0)
        assert [n async for n in stream] == [1, 2]
        _, notes = await clock.told()
        assert [what for what, _, _ in notes] == ["from __init__"]

    rehearse(scene, virtual=True)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "1", True, None])
def test_seconds_that_make_no_sense_are_refused(seconds: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        clock = await Clock.start()
        with pytest.raises(ValueError, match="seconds must be a number above 0"):
            await clock.bad(seconds)

    rehearse(scene, virtual=True)


def test_what_cannot_be_called_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(TypeError, match="a timer runs a function, not 3"):
            await (await Clock.start()).bad(1.0, 3)

    rehearse(scene, virtual=True)


def test_without_an_executor_there_are_no_timers() -> None:
    class Plain(Actor, executor=LOCAL):
        @method
        def ask(self, other: Any) -> None:
            other.after(1.0, print)

    match = r"this Plain is not run by an executor here.*Plain\.start\(\)"
    with pytest.raises(RuntimeError, match=match):
        Plain().after(1.0, print)
    with pytest.raises(RuntimeError, match=match):
        _ = Plain().nursery

    async def scene(runtime: Runtime) -> None:
        with pytest.raises(RuntimeError, match="this Plain is not run by an executor"):
            await Plain.remote().ask(Plain())

    rehearse(scene, virtual=True)


def test_an_async_hook_of_a_plain_class_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"Plain\.on_start is async, but Plain has no async methods"):

        class Plain(Actor):
            async def on_start(self) -> None: ...

            @method
            def ping(self) -> None: ...


def test_an_async_timer_of_a_plain_class_ends_its_incarnation_by_name() -> None:
    class Plain(Actor, executor=LOCAL):
        @method
        def begin(self) -> None:
            self.after(1.0, self.work)

        async def work(self) -> None: ...

    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        plain = await Plain.start()
        await plain.begin()
        await trio.sleep(2.0)
        (ended,) = held(events, ActorEnded)
        assert "work() is async, but Plain has no async methods" in ended.reason.text

    rehearse(scene, virtual=True)


def test_base_hooks_do_nothing_and_may_be_called() -> None:
    class Plain(Actor, executor=LOCAL):
        def on_start(self) -> None:
            super().on_start()

        def save_state(self) -> object:
            return super().save_state()

        @method
        def ping(self) -> int:
            return 1

    async def scene(runtime: Runtime) -> None:
        assert await (await Plain.start()).ping() == 1

    rehearse(scene, virtual=True)


class Slow(Actor, executor=LOCAL, shutdown=2.0):
    async def on_stop(self, reason: str) -> None:
        SEEN.append(reason)
        await trio.sleep_forever()

    @method
    async def leave(self) -> None:
        exit_actor()

    @method
    async def rest(self, seconds: float) -> None:
        await trio.sleep(seconds)


def test_a_stop_hook_has_as_long_as_shutdown_says() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        slow = await Slow.start()
        begun = trio.current_time()
        with pytest.raises(ActorDiedError):
            await slow.leave()
        assert trio.current_time() - begun == 2.0
        (ended,) = held(events, ActorEnded)
        assert "its hooks did not end within 2 s" in ended.reason.text

    rehearse(scene, virtual=True)


def test_a_kill_cuts_a_stop_hook_short() -> None:
    async def scene(runtime: Runtime) -> None:
        slow = await Slow.options(shutdown=1000.0).start()
        begun = trio.current_time()
        ref = slow.leave.remote()
        await trio.sleep(1.0)
        await kill(slow)
        with pytest.raises(ActorDiedError):
            await ref
        assert trio.current_time() - begun == 1.0

    rehearse(scene, virtual=True)


def test_a_stop_hook_has_what_its_calls_have_left_of_the_time() -> None:
    SEEN.clear()

    async def scene(runtime: Runtime) -> float:
        slow = await Slow.options(shutdown=5.0).start()
        slow.rest.cast(3.0)
        await trio.lowlevel.checkpoint()
        return trio.current_time()

    async def play() -> float:
        async with open_runtime() as runtime:
            begun = await scene(runtime)
        return trio.current_time() - begun

    assert trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0)) == 5.0
    assert SEEN == ["shutdown"]


def test_the_state_of_an_actor_that_is_gone_for_good_is_forgotten() -> None:
    class Keeper(Actor, executor=LOCAL):
        def __init__(self) -> None:
            self.value = 0

        def save_state(self) -> object:
            return self.value

        def load_state(self, state: Any) -> None:
            self.value = state

        @method
        def add(self, n: int) -> int:
            self.value += n
            return self.value

        @method
        def leave(self) -> None:
            exit_actor()

    async def scene(runtime: Runtime) -> None:
        keeper = await Keeper.options(id="k").start()
        await keeper.add(5)
        with pytest.raises(ActorDiedError):
            await keeper.leave()
        assert not runtime.house.states
        assert await (await Keeper.options(id="k").start()).add(1) == 1

    rehearse(scene, virtual=True)


class Forgetful(Actor, executor=LOCAL, crash_on=(LookupError,)):
    """Cannot take what it saved, and has set timers before it notices."""

    def __init__(self) -> None:
        self.after(1.0, SEEN.append, "from __init__")

    def save_state(self) -> int:
        return 1

    def load_state(self, state: int) -> None:
        self.after(2.0, SEEN.append, "from load_state")
        self.every(0.0001, SEEN.append, "again")
        raise ValueError(state)

    @method
    def fall(self) -> None:
        raise LookupError


class ForgetfulInTasks(Forgetful, executor=LOCAL):
    @method
    async def rest(self) -> None: ...


@pytest.mark.parametrize("cls", [Forgetful, ForgetfulInTasks])
def test_what_a_failed_load_state_has_set_is_not_for_the_object_after_it(cls: type[Forgetful]) -> None:
    SEEN.clear()

    async def scene(runtime: Runtime) -> None:
        actor = await cls.start()
        events = runtime.events()
        with pytest.raises(LookupError):
            await actor.fall()
        await trio.sleep(5)
        assert statistics(actor).incarnation == 2
        assert [lost.hook for lost in held(events, StateLost)] == ["load_state"]
        await kill(actor)

    rehearse(scene, virtual=True)
    assert SEEN == ["from __init__"]


def test_a_timer_of_a_busy_actor_is_not_starved() -> None:
    async def scene(runtime: Runtime) -> None:
        clock = await Clock.start()
        await clock.begin(1.0)
        with trio.move_on_after(3.5):
            while True:
                await clock.told()
                trio.lowlevel.current_clock().jump(0.1)  # type: ignore[attr-defined]
                await trio.lowlevel.checkpoint()
        assert len((await clock.told())[0]) >= 3

    rehearse(scene, virtual=True)
