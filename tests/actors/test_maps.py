"""Maps over one actor, wherever it runs: in chunks where it can be, else call by call; to the user all the same."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast_calls import Mill, Target
from tests.engines import UNTRUSTED, Engine, across
from tests.rehearsal import LOCAL, PAGED, QUIET, held, pending_everywhere, until
from tests.rehearsal import rehearse as play
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    CallInterruptedError,
    DependencyError,
    Runtime,
    TaskError,
    Thread,
    Unsendable,
    carry,
    interrupt,
    kill,
    put,
    statistics,
)
from understudy.actors.chunks import ChunkStream
from understudy.actors.events import FailureUnseen
from understudy.actors.mapping import MapStream
from understudy.transports.guests.context import CARRIED

CHUNKED = [
    Engine("thread", Mill, Thread()),
    Engine("process", Mill, QUIET),
    Engine("untrusted", Mill, UNTRUSTED),
]
SINGLE = [
    Engine("local", Mill, LOCAL),
    Engine("thread-several", Mill, Thread(), {"max_concurrency": 3}),
    Engine("process-timed", Mill, QUIET, {"call_timeout": 60.0}),
]
everywhere = across(CHUNKED + SINGLE)
chunked = across(CHUNKED)
in_processes = across([engine for engine in CHUNKED if engine.in_process])
trusted_process = across([engine for engine in CHUNKED if engine.name == "process"])
needs_page = pytest.mark.skipif(not PAGED, reason="without a page nobody knows what had begun")


def rehearse(scene: Any) -> None:
    play(scene, seconds=6)


@pytest.fixture(autouse=True)
def nothing_carried() -> Iterator[None]:
    """Other tests mark variables; with one, no map travels in chunks."""
    before = dict(CARRIED)
    CARRIED.clear()
    yield
    CARRIED.clear()
    CARRIED.update(before)


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


async def unhurt(actor: Any, runtime: Runtime, incarnation: int = 1) -> None:
    assert await actor.double(2) == 4
    assert statistics(actor).incarnation == incarnation
    await until(lambda: not pending_everywhere(runtime))
    sent = getattr(actor._life.incarnation, "sent", {})
    await until(lambda: not sent)


async def take(stream: Any, found: list[Any]) -> None:
    async for value in stream:
        found.append(value)  # noqa: PERF401  what was found before an error counts


async def all_of(stream: Any) -> list[Any]:
    async with stream:
        return [value async for value in stream]


# -- results -----------------------------------------------------------------------------------------


@across(CHUNKED)
def test_over_an_actor_that_takes_turns_a_map_travels_in_chunks(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        assert isinstance(actor.double.map([]), ChunkStream)

    rehearse(scene)


@across(SINGLE)
def test_over_any_other_a_map_is_made_of_single_calls(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        assert isinstance(actor.double.map([]), MapStream)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("count", [0, 1, 2, 5000])
@pytest.mark.parametrize("ordered", [True, False])
def test_each_item_has_its_result(engine: Engine, count: int, ordered: bool) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        found = await all_of(actor.double.map(range(count), ordered=ordered))
        if not ordered and "max_concurrency" in engine.options:
            found.sort()
        assert found == [2 * n for n in range(count)]
        await unhurt(actor, runtime)

    rehearse(scene)


@pytest.mark.slow
@everywhere
def test_a_hundred_thousand_items(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        count = 0
        async with actor.double.map(range(100_000)) as doubles:
            async for value in doubles:
                assert value == 2 * count
                count += 1
        assert count == 100_000
        await unhurt(actor, runtime)

    play(scene, seconds=50)


@everywhere
def test_starmap_spreads_each_item(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        items = [(n % 5, chr(97 + n % 26)) for n in range(300)]
        assert await all_of(actor.both.starmap(items)) == [n * letter for n, letter in items]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("window", [1, 2, 3, 10, 100, 1500])
def test_any_window_gives_all_results(engine: Engine, window: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        found = await all_of(actor.double.map(range(2000), window=window))
        assert found == [2 * n for n in range(2000)]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("window", [1, 10, 1024])
def test_no_more_items_are_taken_ahead_than_the_window(engine: Engine, window: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        taken = itertools.count()
        ahead = 0

        def items() -> Iterator[int]:
            while True:
                yield next(taken)

        async with actor.double.map(items(), window=window) as doubles:
            for got in range(3000 if window > 1 else 300):  # one at a time takes its time
                assert await anext(doubles) == 2 * got
                ahead = max(ahead, int(repr(taken)[6:-1]) - got)
            assert 1 <= ahead <= window + 1
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("errors", ["raise", "return"])
@pytest.mark.parametrize("before", [0, 1, 50, 777])
def test_what_the_items_raise_comes_after_the_results_before_it(
    engine: Engine, errors: Any, before: int
) -> None:
    def items() -> Iterator[int]:
        yield from range(before)
        raise OSError("the disk is gone")

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        found: list[Any] = []
        with pytest.raises(OSError, match="the disk is gone"):
            await take(actor.double.map(items(), errors=errors), found)
        assert found == [2 * n for n in range(before)]
        await unhurt(actor, runtime)

    rehearse(scene)


# -- errors ------------------------------------------------------------------------------------------


@everywhere
def test_errors_may_stand_at_their_positions(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        found = await all_of(actor.double.map([n if n % 7 else -n - 1 for n in range(500)], errors="return"))
        assert [2 * n for n in range(500) if n % 7] == [value for value in found if isinstance(value, int)]
        for at in range(0, 500, 7):
            assert isinstance(found[at], TaskError)
            assert isinstance(found[at], ValueError)
            assert str(-at - 1) in str(found[at])
        assert len({found[at].call_id for at in range(0, 500, 7)}) == len(range(0, 500, 7))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("window", [5, 300])
def test_an_error_is_raised_at_its_position_and_cancels_the_rest(
    engine: Engine, window: int, tmp_path: Path
) -> None:
    path = tmp_path / "run"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        stream = actor.crash_at.starmap(((n, str(path), 20) for n in itertools.count()), window=window)
        found: list[Any] = []
        with pytest.raises(LookupError):
            await take(stream, found)
        assert found == list(range(20))
        assert [value async for value in stream] == []
        await unhurt(actor, runtime)
        ran = lines(path)
        assert 21 <= len(ran) == len(set(ran)) <= 21 + window

    rehearse(scene)


@everywhere
def test_an_item_that_cannot_travel_stands_alone(engine: Engine) -> None:
    if engine.name == "local" or not engine.in_process:
        pytest.skip("anything travels within a process")

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        items: list[Any] = list(range(300))
        items[5] = items[77] = items[299] = threading.Lock()
        found = await all_of(actor.echo.map(items, errors="return"))
        assert [at for at, value in enumerate(found) if isinstance(value, Unsendable)] == [5, 77, 299]
        assert [value for value in found if isinstance(value, int)] == [
            n for n in range(299) if n not in (5, 77)
        ]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_result_that_cannot_travel_stands_alone(engine: Engine) -> None:
    if engine.name == "local" or not engine.in_process:
        pytest.skip("anything travels within a process")

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        found = await all_of(actor.choose.map(range(300), errors="return"))
        assert [isinstance(value, Unsendable) for value in found] == [n % 3 == 2 for n in range(300)]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_wrong_argument_stands_alone(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        items: list[Any] = [(n % 3, "a") for n in range(200)]
        items[3] = items[150] = (1,)
        found = await all_of(actor.both.starmap(items, errors="return"))
        assert [at for at, value in enumerate(found) if isinstance(value, TypeError)] == [3, 150]
        assert sum(isinstance(value, str) for value in found) == 198
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_failures_that_nobody_took_are_told(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with runtime.events() as events:
            async with actor.double.map([1, 2, -3, 4]) as doubles:
                assert await anext(doubles) == 2
                assert await anext(doubles) == 4
                await actor.double(1)
                await actor.double(1)
            assert [event.method for event in held(events, FailureUnseen)] == ["double"]
        await unhurt(actor, runtime)

    rehearse(scene)


# -- who it is ---------------------------------------------------------------------------------------


@everywhere
def test_each_item_has_an_id_of_its_own(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        found = await all_of(actor.ids.map(range(2000)))
        assert len({id for id, _ in found}) == 2000
        assert {attempt for _, attempt in found} == {1}

    rehearse(scene)


# -- deaths ------------------------------------------------------------------------------------------


@needs_page
@in_processes
@pytest.mark.parametrize("at", [0, 1, 40, 333])
def test_a_death_fails_what_had_begun_and_the_rest_runs_once(engine: Engine, at: int, tmp_path: Path) -> None:
    path = tmp_path / "run"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        items = [(n, str(path), at) for n in range(400)]
        found = await all_of(actor.fall_at.starmap(items, errors="return"))
        failed = [n for n, value in enumerate(found) if isinstance(value, ActorUnavailableError)]
        assert at in failed
        assert [value for value in found if not isinstance(value, Exception)] == [
            n for n in range(400) if n not in failed
        ]
        assert all(n <= at for n in failed)
        ran = [int(word) for word in lines(path)]
        assert sorted(ran) == list(range(400))
        await unhurt(actor, runtime, 2)

    rehearse(scene)


@needs_page
@in_processes
@pytest.mark.parametrize("at", [0, 1, 40])
def test_with_retries_all_have_their_results(engine: Engine, at: int, tmp_path: Path) -> None:
    path = tmp_path / "run"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_task_retries=1)
        found = await all_of(actor.told.starmap([(n, str(path), at) for n in range(400)]))
        assert [value[0] for value in found] == list(range(400))
        assert len({value[1] for value in found}) == 400
        assert found[at][2] == 2
        words = lines(path)
        runs = [sum(word.startswith(f"{n}:") for word in words) for n in range(400)]
        assert [value[2] for value in found] == runs  # who was tried before is told so, and nobody else
        first, second = [word for word in lines(path) if word.startswith(f"{at}:")]
        assert first.split(":")[1] == second.split(":")[1]
        assert (first.split(":")[2], second.split(":")[2]) == ("1", "2")
        await unhurt(actor, runtime, 2)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("window", [1, 1024])
def test_refs_among_the_items_stand_for_their_values(engine: Engine, window: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, other = await engine.start(), await engine.start()
        three = await put(3)
        items = [0, 1, other.double.remote(1), three, other.double.remote(2), *range(5, 300)]
        assert await all_of(actor.double.map(items, window=window)) == [2 * n for n in range(300)]
        pairs = [(1, "a"), (three, "b"), (other.double.remote(1), await put("c")), (0, "d")]
        assert await all_of(actor.both.starmap(pairs, window=window)) == ["a", "bbb", "cc", ""]
        await unhurt(actor, runtime)
        await unhurt(other, runtime)

    rehearse(scene)


@everywhere
def test_a_ref_of_the_same_actor_may_be_among_the_items(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        items = [actor.double.remote(n) for n in range(100)]
        assert await all_of(actor.double.map(items)) == [4 * n for n in range(100)]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_an_item_whose_ref_failed_fails_alone(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor, other = await engine.start(), await engine.start()
        items = [1, other.both.remote("no", "product"), 3]
        found = await all_of(actor.double.map(items, errors="return"))
        assert (found[0], found[2]) == (2, 6)
        assert isinstance(found[1], DependencyError)
        with pytest.raises(DependencyError):
            await all_of(actor.double.map([1, other.both.remote("no", "product"), 3]))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_leaving_a_map_leaves_what_waits_for_a_ref(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "go"

    async def scene(runtime: Runtime) -> None:
        actor, other = await engine.start(), await Mill.start()
        slow = other.wait_for.remote(str(path))
        async with actor.double.map([1, slow, 3]) as found:
            assert await anext(found) == 2
        assert await actor.double(2) == 4
        path.touch()
        await slow
        await unhurt(actor, runtime)

    rehearse(scene)


@trusted_process
def test_without_retries_a_death_is_raised_at_its_position(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "run"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=0)
        found: list[Any] = []
        items = ((n, str(path), 50) for n in itertools.count())
        with pytest.raises(ActorDiedError):
            await take(actor.fall_at.starmap(items), found)
        assert found == list(range(len(found)))
        assert len(found) <= 50
        assert not pending_everywhere(runtime)

    rehearse(scene)


@chunked
def test_a_dead_actor_fails_every_item(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        await kill(actor)
        with pytest.raises(ActorDiedError):
            await anext(actor.double.map([1]))
        found = await all_of(actor.double.map(range(10), errors="return"))
        assert [type(value) for value in found] == [ActorDiedError] * 10

    rehearse(scene)


@chunked
def test_an_exception_of_crash_on_ends_the_incarnation_and_not_the_map(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "run"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(crash_on=(LookupError,))
        items = [(n, str(path), 40) for n in range(300)]
        found = await all_of(actor.crash_at.starmap(items, errors="return"))
        failed = [at for at, value in enumerate(found) if isinstance(value, Exception)]
        # Of what was sent after it, nobody knows whether an untrusted guest began the first.
        assert failed == [40] or (failed == [40, 41] and not engine.trusted)
        assert isinstance(found[40], LookupError)
        assert sorted(map(int, lines(path))) == [n for n in range(300) if n == 40 or n not in failed]
        await unhurt(actor, runtime, 2)

    rehearse(scene)


# -- others, and leaving -----------------------------------------------------------------------------


@everywhere
def test_who_else_calls_has_its_turn_between_chunks(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.word.map(itertools.count()) as seen:
            for _ in range(100):
                assert await anext(seen) == []
            actor.put_word.cast("come")
            assert await actor.double(4) == 8
            for _ in range(3000):
                words = await anext(seen)
            assert words == ["come"]
        await unhurt(actor, runtime)

    rehearse(scene)


@across(
    [engine for engine in CHUNKED + SINGLE if engine.name != "local"]
)  # there a method is not interrupted
def test_leaving_early_cancels_the_rest(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "run"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.rest_at.starmap((n, str(path), 5) for n in itertools.count()) as stream:
            await until(lambda: "5" in lines(path))
            if engine in CHUNKED:  # else what has ended may be told with what rests
                assert [await anext(stream) for _ in range(5)] == list(range(5))
        await stream.aclose()
        assert [value async for value in stream] == []
        await unhurt(actor, runtime)
        if "max_concurrency" not in engine.options:
            assert lines(path) == [str(n) for n in range(6)]

    rehearse(scene)


@chunked
def test_a_wait_that_is_cancelled_loses_no_result(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        found: list[int] = []
        async with actor.slow.starmap([(n, 0.002) for n in range(50)]) as stream:
            while len(found) < 50:
                with trio.move_on_after(0.001):
                    while len(found) < 50:
                        found.append(await anext(stream))
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        assert found == list(range(50))
        await unhurt(actor, runtime)

    rehearse(scene)


@chunked
def test_two_tasks_may_not_wait_at_once(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        stream = actor.rest_at.starmap([(1, str(tmp_path / "run"), 1)])
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _() -> None:
                assert [value async for value in stream] == []

            await until(lambda: lines(tmp_path / "run"))
            with pytest.raises(trio.BusyResourceError):
                await anext(stream)
            await stream.aclose()
        await unhurt(actor, runtime)

    rehearse(scene)


@chunked
@pytest.mark.parametrize("at", [0, 30])
def test_an_interrupt_ends_one_item_and_not_the_map(engine: Engine, at: int, tmp_path: Path) -> None:
    path = tmp_path / "run"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        items = [(n, str(path), at) for n in range(300)]
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _() -> None:
                await until(lambda: str(at) in lines(path))
                assert await interrupt(actor)

            found = await all_of(actor.rest_at.starmap(items, errors="return"))
        assert [n for n, value in enumerate(found) if isinstance(value, CallInterruptedError)] == [at]
        assert sorted(map(int, lines(path))) == list(range(300))
        await unhurt(actor, runtime)

    rehearse(scene)


@pytest.mark.slow
@across([engine for engine in CHUNKED if engine.trusted])
def test_interrupts_at_any_moment_lose_no_item(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _() -> None:
                while True:
                    await trio.sleep(0.003)
                    await interrupt(actor)

            found = await all_of(actor.echo.map(range(30_000), errors="return"))
            nursery.cancel_scope.cancel()
        assert len(found) == 30_000
        wrong = [(n, value) for n, value in enumerate(found) if value != n]
        assert all(isinstance(value, CallInterruptedError) for _, value in wrong), wrong[:3]
        await unhurt(actor, runtime)

    play(scene, seconds=40)


@trusted_process
def test_mapped_calls_may_ask_others_and_end_with_them(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "target"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        target = await Target.options(executor=QUIET).start()
        found = await all_of(actor.ask_for.starmap([(n, target) for n in range(100)]))
        assert found == list(range(1, 101))
        async with actor.rest_with.starmap([(n, target, str(path)) for n in range(3)]) as stream:
            assert await anext(stream) == 0
            await until(lambda: lines(path) == ["begun"])
        await until(lambda: lines(path) == ["begun", "ended"])
        assert not actor._life.incarnation.questions.open
        await unhurt(actor, runtime)

    rehearse(scene)


@trusted_process
def test_mapped_calls_that_come_back_are_told_of_the_circle(engine: Engine) -> None:
    from understudy import DeadlockError

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(id="mill")
        found = await all_of(actor.ask_self.starmap([(n, actor) for n in range(10)], errors="return"))
        assert [isinstance(error, DeadlockError) for error in found] == [True] * 10
        await unhurt(actor, runtime)

    rehearse(scene)


# -- call by call ------------------------------------------------------------------------------------


@trusted_process
def test_a_method_with_a_timeout_or_retries_gives_the_same_results(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        timed = actor.double.options(timeout=30.0).map(range(1000))
        assert isinstance(timed, MapStream)
        assert await all_of(timed) == [2 * n for n in range(1000)]
        again = actor.fail_once.options(retry_exceptions=(OSError,), max_task_retries=2)
        items = [(n, str(tmp_path / "n")) for n in range(100)]
        assert await all_of(again.starmap(items)) == list(range(100))
        await unhurt(actor, runtime)

    rehearse(scene)


@trusted_process
def test_carried_variables_come_along(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        carry(ContextVar("tests_maps", default=0)).set(1)
        doubles = actor.double.map(range(1000))
        assert isinstance(doubles, MapStream)
        assert await all_of(doubles) == [2 * n for n in range(1000)]
        await unhurt(actor, runtime)

    rehearse(scene)
