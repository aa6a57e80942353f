"""`FakeExecutor(plan)`: ordinary actor classes, in virtual time, that fail as the plan says and not otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

from tests.rehearsal import held, rehearse
from understudy import (
    Actor,
    ActorDiedError,
    ActorStartError,
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Handle,
    Ladder,
    Runtime,
    Supervisor,
    get_actor,
    interrupt,
    kill,
    method,
    statistics,
    wait_ready,
)
from understudy.actors.events import ActorEnded
from understudy.testing import (
    Crash,
    DiesStopping,
    FakeExecutor,
    Hang,
    IgnoresShutdown,
    Leave,
    Slow,
    SlowStart,
    Stall,
    StartFails,
)

HOUR = 3600.0
LADDER = Ladder()


class Reader(Actor, max_restarts=-1):
    def __init__(self) -> None:
        self.pages = 0

    @method
    def read(self) -> int:
        self.pages += 1
        return self.pages

    @method
    def all(self, count: int) -> Iterator[int]:
        yield from range(count)


class Patient(Actor, max_restarts=-1):
    @method
    async def rest(self, seconds: float = HOUR) -> str:
        await trio.sleep(seconds)
        return "rested"

    @method
    async def count(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            yield number


async def start(cls: Any, *plan: Any, ladder: Ladder = LADDER, **options: Any) -> Any:
    return await cls.options(executor=FakeExecutor(plan, ladder), **options).start()


async def virtually(handle: Any, state: str) -> None:
    while statistics(handle).state != state:  # noqa: ASYNC110
        await trio.sleep(0.1)


def test_without_a_plan_an_actor_does_what_it_does_anywhere() -> None:
    async def scene(runtime: Runtime) -> None:
        reader: Handle[Reader] = await start(Reader)
        assert [await reader.read(), await reader.read()] == [1, 2]
        async with reader.all(3) as numbers:
            assert [number async for number in numbers] == [0, 1, 2]
        patient: Handle[Patient] = await start(Patient)
        assert await patient.rest() == "rested"
        async with patient.count(2) as numbers:
            assert [number async for number in numbers] == [0, 1]
        assert trio.current_time() >= HOUR

    rehearse(scene, virtual=True, seconds=2 * HOUR)


def test_a_crash_comes_at_its_call_and_the_next_incarnation_is_a_new_one() -> None:
    async def scene(runtime: Runtime) -> None:
        reader: Handle[Reader] = await start(Reader, Crash(call=2, incarnation=1))
        assert await reader.read() == 1
        with pytest.raises(ActorUnavailableError, match="crashed, as if by SIGKILL") as caught:
            await reader.read()
        assert caught.value.fate == "begun"
        assert [await reader.read(), await reader.read(), await reader.read()] == [1, 2, 3]
        assert statistics(reader).incarnation == 2

    rehearse(scene, virtual=True)


def test_what_waited_behind_a_crash_is_for_the_next_incarnation() -> None:
    async def scene(runtime: Runtime) -> None:
        reader: Handle[Reader] = await start(Reader, Crash(call=1, incarnation=1))
        refs = [reader.read.remote() for _ in range(3)]
        with pytest.raises(ActorUnavailableError):
            await refs[0]
        assert [await refs[1], await refs[2]] == [1, 2]

    rehearse(scene, virtual=True)


def test_a_message_that_crashes_whoever_takes_it_is_poison() -> None:
    async def scene(runtime: Runtime) -> None:
        crash = (Crash(call=1, incarnation=1), Crash(call=1, incarnation=2))
        reader: Handle[Reader] = await start(Reader, *crash, max_task_retries=1)
        with pytest.raises(ActorUnavailableError):
            await reader.read()
        (letter,) = runtime.dead_letters
        assert len(letter.deaths) == 2

    rehearse(scene, virtual=True)


def test_a_crash_after_a_time_takes_what_runs_along() -> None:
    async def scene(runtime: Runtime) -> None:
        patient: Handle[Patient] = await start(Patient, Crash(after=60.0, incarnation=1))
        began = trio.current_time()
        with pytest.raises(ActorUnavailableError):
            await patient.rest()
        assert trio.current_time() - began == pytest.approx(60.0)

    rehearse(scene, virtual=True, seconds=2 * HOUR)


def test_a_crash_with_an_error_is_an_end_with_that_error() -> None:
    async def scene(runtime: Runtime) -> None:
        error = ZeroDivisionError("by zero")
        reader: Handle[Reader] = await start(Reader, Crash(call=1, incarnation=1, error=error))
        with pytest.raises(ActorUnavailableError) as caught:
            await reader.read()
        assert caught.value.reason.exception is error
        assert caught.value.reason.kind == "error"

    rehearse(scene, virtual=True)


def test_what_hangs_answers_nothing_until_the_ladder_has_killed_it() -> None:
    async def scene(runtime: Runtime) -> None:
        ladder = Ladder(interrupt=2.0, terminate=3.0)
        reader: Handle[Reader] = await start(
            Reader, Hang(call=1, incarnation=1), ladder=ladder, call_timeout=10.0
        )
        began = trio.current_time()
        with pytest.raises(GetTimeoutError):
            await reader.read()
        assert trio.current_time() - began == pytest.approx(10.0)
        assert await reader.read() == 1
        assert trio.current_time() - began == pytest.approx(15.0)
        assert statistics(reader).incarnation == 2

    rehearse(scene, virtual=True, seconds=HOUR)


def test_what_hangs_is_deaf_to_interrupts_and_killed_for_that() -> None:
    async def scene(runtime: Runtime) -> None:
        patient: Handle[Patient] = await start(Patient, Hang(after=1.0, incarnation=1))
        ref = patient.rest.remote()
        await trio.sleep(5.0)
        await interrupt(patient)
        with pytest.raises((CallInterruptedError, ActorUnavailableError)):
            await ref
        await wait_ready(patient)
        assert statistics(patient).incarnation == 2

    rehearse(scene, virtual=True, seconds=2 * HOUR)


def test_what_hangs_can_be_killed() -> None:
    async def scene(runtime: Runtime) -> None:
        reader: Handle[Reader] = await start(Reader, Hang(call=1))
        ref = reader.read.remote()
        await trio.sleep(HOUR)
        assert not ref.done
        await kill(reader)
        with pytest.raises(ActorDiedError):
            await ref

    rehearse(scene, virtual=True, seconds=2 * HOUR)


def test_what_stalls_goes_on_and_nothing_is_lost() -> None:
    async def scene(runtime: Runtime) -> None:
        reader: Handle[Reader] = await start(Reader, Stall(30.0, call=2))
        refs = [reader.read.remote() for _ in range(3)]
        assert [await ref for ref in refs] == [1, 2, 3]
        assert trio.current_time() == pytest.approx(30.0, abs=1.0)

    rehearse(scene, virtual=True, seconds=HOUR)


def test_what_leaves_ends_as_if_it_had_said_so_itself() -> None:
    async def scene(runtime: Runtime) -> None:
        reader: Handle[Reader] = await start(Reader, Leave(call=2))
        assert await reader.read() == 1
        with pytest.raises(ActorDiedError) as caught:
            await reader.read()
        assert caught.value.reason.kind == "normal"

    rehearse(scene, virtual=True)


def test_slowness_is_of_each_call_or_of_one() -> None:
    async def scene(runtime: Runtime) -> None:
        for plan, seconds in ((Slow(2.0), [2.0, 2.0]), (Slow(2.0, call=2), [0.0, 2.0])):
            reader: Handle[Reader] = await start(Reader, plan)
            for each in seconds:
                began = trio.current_time()
                await reader.read()
                assert trio.current_time() - began == pytest.approx(each, abs=1e-6)

    rehearse(scene, virtual=True)


def test_a_start_that_fails_fails_its_starter() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match="no paper"):
            await start(Reader, StartFails(text="no paper"))

    rehearse(scene, virtual=True)


def test_restarts_that_fail_count_and_are_tried_again() -> None:
    async def scene(runtime: Runtime) -> None:
        reader: Handle[Reader] = await start(
            Reader, Crash(call=1, incarnation=1), StartFails(incarnation=2), StartFails(incarnation=3)
        )
        with pytest.raises(ActorUnavailableError):
            await reader.read()
        assert await reader.read() == 1
        assert statistics(reader).incarnation == 4

    rehearse(scene, virtual=True)


def test_a_slow_start_is_bounded_by_its_timeout() -> None:
    async def scene(runtime: Runtime) -> None:
        began = trio.current_time()
        await start(Reader, SlowStart(5.0), start_timeout=6.0)
        assert trio.current_time() - began == pytest.approx(5.0)
        with pytest.raises(ActorStartError, match=r"start_timeout, 4\.0 s"):
            await start(Reader, SlowStart(5.0), start_timeout=4.0)

    rehearse(scene, virtual=True)


@pytest.mark.parametrize(
    ("fault", "kind", "seconds"),
    [
        (IgnoresShutdown(), "shutdown", 7.0),
        (Hang(after=0.0), "shutdown", 7.0),
        (DiesStopping(), "signal", 0.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_end_that_is_not_as_asked(fault: Any, kind: str, seconds: float) -> None:
    async def scene(runtime: Runtime) -> None:
        await trio.sleep(1.0)
        events = runtime.events()
        began = trio.current_time()
        await runtime.supervisor().terminate_child("reader")
        (ended,) = held(events, ActorEnded)
        assert ended.reason.kind == kind
        assert trio.current_time() - began == pytest.approx(seconds, abs=1e-6)

    tree = Supervisor(Reader.options(id="reader", shutdown=7.0, executor=FakeExecutor((fault,))).child())
    rehearse(scene, tree, virtual=True)


def test_an_actor_that_ignores_shutdown_works_until_it_is_killed() -> None:
    async def scene(runtime: Runtime) -> None:
        reader = get_actor("reader", Reader)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.supervisor().terminate_child, "reader")
            await trio.sleep(1.0)
            assert await reader.read() == 1

    tree = Supervisor(
        Reader.options(id="reader", shutdown=7.0, executor=FakeExecutor((IgnoresShutdown(),))).child()
    )
    rehearse(scene, tree, virtual=True)


FAKE: Any = FakeExecutor
CRASH: Any = Crash


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FAKE((Crash(),)), "has no moment; in a plan give it call=n or after=seconds"),
        (lambda: FAKE(Crash(call=1)), r"plan must be a tuple of faults, such as \(Crash\(call=3\),\)"),
        (lambda: FAKE(("crash",)), "plan must be a tuple of faults"),
        (lambda: FAKE((), 5.0), "ladder must be Ladder"),
        (lambda: CRASH(call=0), "call must be the number of a call, from 1"),
        (lambda: CRASH(after=-1.0), "after must be a number of seconds"),
        (lambda: CRASH(call=1, after=1.0), "give call or after, not both"),
        (lambda: CRASH(call=1, incarnation=0), "incarnation must be the number of an incarnation, from 1"),
        (lambda: CRASH(call=1, error="x"), "error must be an exception"),
        (lambda: Stall(0.0, call=1), "seconds must be a number of seconds above 0"),
        (lambda: Slow(True), "seconds must be a number of seconds above 0"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_when_it_is_made(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
