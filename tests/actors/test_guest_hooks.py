"""Hooks, timers and hand-over of state where they differ from those in this process: in guests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_guest_hooks import (
    Bearer,
    Book,
    Crowd,
    Metronome,
    Nurseryless,
    Reporter,
    Stubborn,
    ThreadedMetronome,
    ThreadedReporter,
    ThreadedStubborn,
    ThreadedUnrepairable,
    Unrepairable,
)
from tests.cast_guest_hooks_async import (
    AsyncMetronome,
    AsyncNurseryless,
    AsyncReporter,
    AsyncStubborn,
    AsyncUnrepairable,
    Host,
)
from tests.engines import UNTRUSTED
from tests.rehearsal import QUIET, held, rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    Bounds,
    CallInterruptedError,
    Process,
    Runtime,
    TaskError,
    Thread,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import ActorEnded, StateLost
from understudy.supervisors.events import EventReader

TRUSTED: dict[str, Any] = {"thread": Thread(), "process": QUIET}
ASYNCIO: dict[str, Any] = {
    "thread": Thread(loop="asyncio"),
    "process": Process(stderr="keep", loop="asyncio"),
}


def engines(plain: type, threaded: type, awaiting: type) -> pytest.MarkDecorator:
    """A class in each kind of loop, in a thread and in a process."""
    cases: dict[str, Any] = {}
    for place, executor in TRUSTED.items():
        cases[f"turns-{place}"] = (plain, executor)
        cases[f"threads-{place}"] = (threaded, executor)
        cases[f"trio-{place}"] = (awaiting, executor)
        cases[f"asyncio-{place}"] = (awaiting, ASYNCIO[place])
    return pytest.mark.parametrize(("cls", "executor"), cases.values(), ids=cases)


def trusted(cls: Any) -> pytest.MarkDecorator:
    cases = {place: (cls, executor) for place, executor in TRUSTED.items()}
    return pytest.mark.parametrize(("cls", "executor"), cases.values(), ids=cases)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def restarted(actor: Any) -> None:
    await until(lambda: statistics(actor).incarnation == 2 and statistics(actor).state == "ready")


# -- calls from hooks and timers ---------------------------------------------------------------------


@engines(Reporter, ThreadedReporter, AsyncReporter)
def test_hooks_and_timers_may_call_other_actors(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        book = await Book.start()
        reporter = await cls.options(executor=executor, max_restarts=0).start(book)
        await reporter.tell_soon()
        while len(await book.read()) < 2:  # noqa: ASYNC110
            await trio.sleep(0.005)
        with pytest.raises(ActorDiedError):
            await reporter.leave()
        assert await book.read() == ["on_start", "timer", "on_stop normal"]

    rehearse(scene)


@engines(Metronome, ThreadedMetronome, AsyncMetronome)
def test_a_timer_belongs_to_no_call_and_knows_its_actor(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        metronome = await cls.options(executor=executor).start()
        await metronome.begin(0.002)
        while len(await metronome.told()) < 3:  # noqa: ASYNC110
            await trio.sleep(0.005)
        seen = await metronome.told()
        assert {call for _, call, _, _ in seen} == {"no call"}
        assert {number for *_, number in seen} == {1}
        assert sum(what == "early" for what, *_ in seen) == 1

    rehearse(scene)


@trusted(Metronome)
def test_in_turns_a_timer_runs_between_calls_and_never_beside_one(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        metronome = await cls.options(executor=executor).start()
        refs = [metronome.begin.remote(0.001), *[metronome.work.remote(0.005) for _ in range(5)]]
        told = [await ref for ref in refs[1:]]
        assert len(set(told)) > 1, "none ran between two calls of one frame"
        assert not any(busy for _, _, busy, _ in await metronome.told())

    rehearse(scene)


@trusted(Metronome)
def test_in_turns_a_timer_waits_for_the_stream_that_has_the_turn(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        metronome = await cls.options(executor=executor).start()
        await metronome.begin(0.001)
        stream = metronome.items.options(ahead=1)(3)
        assert await anext(stream) == 0
        await trio.sleep(0.02)
        assert [n async for n in stream] == [1, 2]
        assert not any(busy for _, _, busy, _ in await metronome.told())

    rehearse(scene)


@trusted(Metronome)
def test_timers_do_not_starve_calls(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        metronome = await cls.options(executor=executor).start()
        await metronome.begin(1e-9)
        for _ in range(20):
            await metronome.told()
        assert len(await metronome.told()) > 3

    rehearse(scene)


# -- state -------------------------------------------------------------------------------------------


@pytest.mark.slow
@trusted(Bearer)
def test_any_value_is_handed_over_by_a_trusted_actor(cls: Any, executor: Any) -> None:
    class Odd:
        """No module has it: it travels by value."""

        number = 7

    state = {"set": {1, 2}, "big": 1 << 100, "path": Path("a"), "odd": Odd()}

    async def scene(runtime: Runtime) -> None:
        bearer = await cls.options(executor=executor, crash_on=(LookupError,)).start()
        await bearer.take(state)
        with pytest.raises(LookupError):
            await bearer.fail()
        found = await bearer.show()
        assert found.pop("odd").number == 7
        assert found == {key: state[key] for key in found}

    rehearse(scene)


@pytest.mark.parametrize("state", [None, 7, [1, {"a": b"b"}], "text"])
@pytest.mark.parametrize("executor", [*TRUSTED.values(), UNTRUSTED], ids=[*TRUSTED, "untrusted"])
def test_data_is_handed_over_by_any_actor(executor: Any, state: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        bearer = await Bearer.options(executor=executor, crash_on=(LookupError,)).start("fresh")
        await bearer.take(state)
        with pytest.raises(LookupError):
            await bearer.fail()
        await restarted(bearer)
        assert await bearer.show() == state

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("executor", [*TRUSTED.values(), UNTRUSTED], ids=[*TRUSTED, "untrusted"])
def test_the_state_survives_any_number_of_restarts(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        bearer = await Bearer.options(executor=executor, crash_on=(LookupError,)).start("fresh")
        await bearer.take("old")
        for number in (2, 3, 4):
            with pytest.raises(LookupError):
                await bearer.fail()
            await until(lambda number=number: statistics(bearer).incarnation == number)  # type: ignore[misc]
            assert await bearer.show() == "old"

    rehearse(scene)


UNFIT = {
    "no data": ("take_unfit", (), "plain data only"),
    "too large": ("take_large", (5000,), "the limit is 4,096"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_an_untrusted_actors_state_is_data_within_bounds(what: str) -> None:
    name, args, text = UNFIT[what]
    executor = Process(stderr="keep", trusted=False, bounds=Bounds(max_bytes=4096))

    async def scene(runtime: Runtime) -> None:
        bearer = await Bearer.options(executor=executor, crash_on=(LookupError,)).start("fresh")
        events = runtime.events()
        await getattr(bearer, name)(*args)
        with pytest.raises(LookupError):
            await bearer.fail()
        await restarted(bearer)
        (lost,) = held(events, StateLost)
        assert lost.hook == "save_state"
        assert text in str(lost.error)
        assert await bearer.show() == "fresh"

    rehearse(scene)


# -- the nursery -------------------------------------------------------------------------------------


@trusted(Host)
def test_tasks_of_the_nursery_end_before_the_last_hooks(cls: Any, executor: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        host = await cls.options(executor=executor).start(str(tmp_path / "page"))
        assert statistics(host).state == "ready"

    rehearse(scene)
    assert lines(tmp_path / "page") == ["stay ended", "on_stop shutdown"]


@trusted(Host)
def test_what_a_task_of_the_nursery_raises_ends_the_incarnation(
    cls: Any, executor: Any, tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        host = await cls.options(executor=executor).start(str(tmp_path / "page"))
        events = runtime.events()
        ref = host.rest.remote()
        await host.fail_beside()
        with pytest.raises(ActorUnavailableError, match="died while it had call"):
            await ref
        (ended,) = held(events, ActorEnded)
        assert (ended.reason.kind, ended.reason.text) == (
            "error",
            "a task of its nursery raised ValueError: beside",
        )
        assert lines(tmp_path / "page")[:2] == ["stay ended", "on_stop error"]

    rehearse(scene)


@trusted(Host)
def test_a_nursery_that_is_cancelled_from_within_ends_the_incarnation(
    cls: Any, executor: Any, tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        host = await cls.options(executor=executor).start(str(tmp_path / "page"))
        events = runtime.events()
        with pytest.raises(ActorUnavailableError):
            await host.cancel_all()
        (ended,) = held(events, ActorEnded)
        assert "its nursery was cancelled" in ended.reason.text

    rehearse(scene)


@pytest.mark.parametrize("place", TRUSTED)
def test_where_there_is_no_nursery_the_error_says_what_to_do(place: str) -> None:
    async def scene(runtime: Runtime) -> None:
        plain = await Nurseryless.options(executor=TRUSTED[place]).start()
        with pytest.raises(TaskError, match="has no async methods, so it has no nursery; make one of"):
            await plain.ask()
        threaded = await Nurseryless.options(executor=TRUSTED[place], max_concurrency=2).start()
        with pytest.raises(TaskError, match="has no async methods, so it has no nursery; make one of"):
            await threaded.ask()
        awaiting = await AsyncNurseryless.options(executor=ASYNCIO[place]).start()
        with pytest.raises(TaskError, match=r'use loop="trio", or asyncio\.TaskGroup'):
            await awaiting.ask()

    rehearse(scene)


# -- the end -----------------------------------------------------------------------------------------


def kinds_of_end(executor: Any, kind: str) -> set[str]:
    """A thread whose hook goes on for good is abandoned, and its reason says so."""
    return {kind, "abandoned"} if isinstance(executor, Thread) else {kind}


@pytest.mark.slow
@engines(Stubborn, ThreadedStubborn, AsyncStubborn)
def test_a_last_hook_that_does_not_end_is_cut_short_and_told(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await cls.options(executor=executor, max_restarts=0).start()
        events = runtime.events()
        stubborn.fail.cast()
        await until(lambda: statistics(stubborn).state == "dead")
        (ended,) = held(events, ActorEnded)
        assert ended.reason.kind in kinds_of_end(executor, "error")
        assert "on order" in ended.reason.text
        assert "; its hooks did not end within 0.2 s" in ended.reason.text

    rehearse(scene)


@engines(Stubborn, ThreadedStubborn, AsyncStubborn)
def test_a_kill_cuts_a_last_hook_short(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        stubborn = await cls.options(executor=executor, max_restarts=0, shutdown=1000.0).start()
        stubborn.fail.cast()
        await trio.sleep(0.05)
        await kill(stubborn)
        await until(lambda: statistics(stubborn).state == "dead")

    rehearse(scene)


@pytest.mark.slow
@engines(Stubborn, ThreadedStubborn, AsyncStubborn)
def test_a_last_hook_that_holds_up_a_stop_is_cut_short_too(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> EventReader:
        stubborn = await cls.options(executor=executor, restart="temporary").start()
        events = runtime.events()
        with pytest.raises(LookupError):
            await stubborn.fail()
        return events

    events = rehearse(scene)
    (ended,) = held(events, ActorEnded)
    assert "shutdown: its hooks did not end within 0.2 s" in str(ended.reason)
    assert ended.reason.kind in kinds_of_end(executor, "shutdown")


@engines(Unrepairable, ThreadedUnrepairable, AsyncUnrepairable)
def test_a_repair_that_fails_ends_the_incarnation(cls: Any, executor: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await cls.options(executor=executor).start()
        events = runtime.events()
        ref = actor.rest.remote(str(tmp_path / "there"))
        await until((tmp_path / "there").exists)
        await interrupt(actor)
        with pytest.raises(CallInterruptedError):
            await ref
        await restarted(actor)
        (ended,) = held(events, ActorEnded)
        assert (ended.reason.kind, ended.reason.text) == (
            "error",
            "on_interrupt() raised ValueError: beyond repair",
        )
        assert await actor.ping() == 1

    rehearse(scene)


@trusted(Crowd)
def test_in_threads_the_last_hooks_wait_for_all_calls_and_run_once(
    cls: Any, executor: Any, tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        crowd = await cls.options(executor=executor, crash_on=(LookupError,), max_restarts=0).start(
            str(tmp_path / "page")
        )
        for fall in (False, True, True):
            crowd.stand.cast(fall)
        crowd.insist.cast()
        await until(lambda: statistics(crowd).state == "dead")

    rehearse(scene)
    told = lines(tmp_path / "page")
    assert sorted(told[:2]) == ["insist ended", "stand ended"]
    assert told[2:] == ["save_state", "on_stop error"]
