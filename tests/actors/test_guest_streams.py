"""What holds for a stream wherever its generator runs: in turns, in threads, in tasks of either loop."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_guest_streams import Fountain, Mixed, River
from tests.engines import Engine, across, loops, plain
from tests.rehearsal import QUIET, pending_everywhere, rehearse, until
from understudy import (
    ActorUnavailableError,
    Bounds,
    GetTimeoutError,
    Ladder,
    ObjectRef,
    Process,
    Runtime,
    TaskError,
    Unsendable,
    get,
    kill,
    statistics,
)
from understudy.actors.events import FailureUnseen

ENGINES = [*plain(Fountain), *loops(River)]
MIXED = [
    Engine("mixed-trio", Mixed, QUIET),
    Engine("mixed-asyncio", Mixed, Process(stderr="keep", loop="asyncio")),
]
IN_PROCESSES = [engine for engine in ENGINES if engine.in_process]
everywhere = across(ENGINES)
and_mixed = across([*ENGINES, *MIXED])
in_processes = across(IN_PROCESSES)


async def taken(stream: Any, n: int) -> list[Any]:
    return [await anext(stream) for _ in range(n)]


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def closed(path: Path) -> Callable[[], bool]:
    return lambda: text(path).endswith("closed")


async def unhurt(actor: Any, runtime: Runtime, incarnation: int = 1) -> None:
    """It takes its next call, its turn is free, and nothing is left on the books."""
    assert await actor.add(1) == 2
    assert [n async for n in actor.count(3)] == [0, 1, 2]
    assert statistics(actor).incarnation == incarnation
    assert not pending_everywhere(runtime)
    incarnated = actor._life.incarnation
    await until(lambda: not incarnated.sent)
    assert incarnated.lanes is None or all(lane.out == 0 for lane in incarnated.lanes)


# -- items -------------------------------------------------------------------------------------------


@and_mixed
def test_items_arrive_in_order_and_the_turn_is_free_again(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        for n in (0, 1, 63, 64, 65, 1000):
            assert [i async for i in actor.count(n)] == list(range(n))
        await unhurt(actor, runtime)

    rehearse(scene)


DATA: list[Any] = [None, True, 1, -1, 1.5, "", "text", b"\x00\xff", 2**63, [1, [2]], {"a": 1}]
MORE: list[Any] = [
    (1, (2, 3)),
    {1, 2},
    1 << 100,
    -(1 << 64),
    "\udc80",
    bytearray(b"x"),
    complex(1, 2),
    range(3),
    Path("/x"),
    ...,
]


@and_mixed
def test_items_keep_their_types(engine: Engine) -> None:
    values = DATA * 30 + MORE * 30 if engine.trusted else DATA * 30

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        given = values if engine.trusted else DATA
        came = [value async for value in actor.give(*given)]

        assert came == given
        assert [type(value) for value in came] == [type(value) for value in given]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_hundred_items_of_a_megabyte_arrive(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        number = 0
        async for item in actor.big.options(ahead=4)(1_000_000, 100):
            assert (len(item), item[0]) == (1_000_000, number)
            number += 1
        assert number == 100
        await unhurt(actor, runtime)

    rehearse(scene, seconds=40)


@and_mixed
@pytest.mark.parametrize("burst", [1, 3, 70])
def test_an_item_arrives_before_the_next_is_made(engine: Engine, burst: int, tmp_path: Path) -> None:
    path = tmp_path / "taken"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.gated(str(path), burst) as stream:
            for at in range(4):
                assert await taken(stream, burst) == list(range(at * burst, (at + 1) * burst))
                with path.open("a") as file:
                    file.write("taken\n")
        await unhurt(actor, runtime)

    rehearse(scene)


@and_mixed
@pytest.mark.parametrize("ahead", [1, 2, 5, 100])
def test_no_more_items_are_made_than_may_be_ahead(engine: Engine, ahead: int, tmp_path: Path) -> None:
    path = tmp_path / "made"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.forever.options(ahead=ahead)(str(path)) as stream:
            for n in range(2 * ahead + 3):
                assert await anext(stream) == n
                assert n < len(text(path)) <= n + 1 + ahead
            await trio.sleep(0.03)
            assert len(text(path)) <= 2 * ahead + 3 + ahead
        await until(closed(path))
        await unhurt(actor, runtime)

    rehearse(scene)


# -- ends --------------------------------------------------------------------------------------------


@and_mixed
@pytest.mark.parametrize("n", [0, 1, 64, 300])
def test_what_a_generator_raises_comes_after_its_items(engine: Engine, n: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        for name, words in (("fail_after", f"after {n}"), ("fail_in_finally", "in finally")):
            stream = getattr(actor, name)(n)
            assert await taken(stream, n) == list(range(n))
            with pytest.raises(TaskError, match=words) as error:
                await anext(stream)
            assert isinstance(error.value, ValueError)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        await unhurt(actor, runtime)

    rehearse(scene)


@and_mixed
@pytest.mark.parametrize("n", [0, 1, 100])
def test_an_item_that_cannot_travel_ends_its_stream_after_those_before(engine: Engine, n: int) -> None:
    if not engine.in_process:
        pytest.skip("in a thread everything travels")

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        stream = actor.lock_after(n)
        assert await taken(stream, n) == list(range(n))
        with pytest.raises(Unsendable):
            await anext(stream)
        await unhurt(actor, runtime)

    rehearse(scene)


@across([engine for engine in ENGINES if engine.in_process and engine.trusted])
def test_many_items_below_a_small_limit_are_no_large_message(engine: Engine) -> None:
    executor = type(engine.executor)(stderr="keep", loop=engine.executor.loop, bounds=Bounds(max_bytes=1000))

    async def scene(runtime: Runtime) -> None:
        actor = await Engine(engine.name, engine.cls, executor, engine.options).start()
        assert [len(item) async for item in actor.big(900, 200)] == [900] * 200
        with pytest.raises(Unsendable, match="the limit is 1,000"):
            await anext(actor.big(2000, 3))
        await unhurt(actor, runtime)

    rehearse(scene)


# -- closing -----------------------------------------------------------------------------------------


async def leave_block(stream: Any) -> None:
    async with stream:
        await anext(stream)


async def close(stream: Any) -> None:
    await anext(stream)
    await stream.aclose()
    await stream.aclose()


async def drop(stream: Any) -> None:
    await anext(stream)


async def raise_inside(stream: Any) -> None:
    try:
        async with stream:
            await anext(stream)
            raise LookupError
    except LookupError:
        pass


async def cancel_inside(stream: Any) -> None:
    with trio.move_on_after(0.02):
        async with stream:
            async for _ in stream:
                await trio.sleep(0.01)


WAYS = [leave_block, close, drop, raise_inside, cancel_inside]


@and_mixed
@pytest.mark.parametrize("ahead", [1, 256])
@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_leaving_a_stream_closes_its_generator_at_once(
    engine: Engine, way: Any, ahead: int, tmp_path: Path
) -> None:
    path = tmp_path / "made"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        await way(actor.forever.options(ahead=ahead)(str(path)))
        gc.collect()
        await until(closed(path))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("before", [0, 1])
def test_a_generator_that_is_busy_with_its_next_item_is_interrupted(
    engine: Engine, before: int, tmp_path: Path
) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.ponder(str(path), before) as stream:
            assert await taken(stream, before) == list(range(before))
            await until(lambda: "pondering" in text(path))
        await until(closed(path))
        await unhurt(actor, runtime)

    rehearse(scene)


@and_mixed
def test_a_generator_that_will_not_close_harms_its_stream_only(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.keep_on.options(ahead=1)(str(path)) as stream:
            assert await anext(stream) == 0
        await until(closed(path))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_closing_a_stream_that_never_began_sends_nothing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "made"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        await actor.forever(str(path)).aclose()
        actor.forever(str(path))
        stream = actor.forever(str(path))
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        await unhurt(actor, runtime)
        assert text(path) == ""

    rehearse(scene)


@everywhere
def test_closing_a_stream_that_waits_for_its_turn_never_runs_it(engine: Engine, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_concurrency=1)
        async with actor.forever.options(ahead=1)(str(first)) as one:
            await anext(one)
            async with actor.forever(str(second)):
                await trio.sleep(0.02)
            await trio.sleep(0.02)
        await until(closed(first))
        await unhurt(actor, runtime)
        assert text(second) == ""

    rehearse(scene)


@everywhere
def test_a_dropped_stream_whose_failure_nobody_saw_is_an_event(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        events = runtime.events()
        stream = actor.fail_after(1)
        await anext(stream)
        call = stream.feed.call
        await until(lambda: call.ended)
        del stream
        gc.collect()
        await until(lambda: any(isinstance(event, FailureUnseen) for event in events.held))
        await unhurt(actor, runtime)

    rehearse(scene)


def test_a_stream_dropped_after_its_runtime_closed_makes_no_noise(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> Any:
        actor = await Fountain.start()
        stream = actor.count(1000)
        await anext(stream)
        return stream

    stream = rehearse(scene)
    del stream
    gc.collect()
    assert capfd.readouterr().err == ""


# -- waiting -----------------------------------------------------------------------------------------


@everywhere
def test_two_tasks_cannot_wait_for_the_next_item_at_once(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "taken"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.gated(str(path)) as stream:
            assert await anext(stream) == 0
            async with trio.open_nursery() as nursery:
                got: list[int] = []

                async def take() -> None:
                    got.append(await anext(stream))

                nursery.start_soon(take)
                await trio.testing.wait_all_tasks_blocked()
                with pytest.raises(trio.BusyResourceError):
                    await anext(stream)
                path.write_text("taken\n")
            assert got == [1]
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_cancelled_wait_keeps_the_stream_and_its_items(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "taken"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.gated(str(path)) as stream:
            assert await anext(stream) == 0
            for _ in range(3):
                with trio.move_on_after(0.005):
                    await anext(stream)
            path.write_text("taken\n")
            assert await anext(stream) == 1
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_a_timeout_is_for_each_item(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        assert [n async for n in actor.slowly.options(timeout=0.25)(0.05, 8)] == list(range(8))
        await unhurt(actor, runtime)

    rehearse(scene)


@everywhere
def test_an_item_that_is_late_ends_its_stream(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        stream = actor.ponder.options(timeout=0.2)(str(path))
        assert await anext(stream) == 0
        with pytest.raises(GetTimeoutError, match=r"the next item of ponder\(\)"):
            await anext(stream)
        await until(closed(path))
        await unhurt(actor, runtime)

    rehearse(scene)


# -- refs --------------------------------------------------------------------------------------------


@everywhere
def test_remote_gives_refs_and_an_error_is_the_last(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        refs = [ref async for ref in actor.fail_after.remote(3)]

        assert all(isinstance(ref, ObjectRef) for ref in refs)
        assert await get(refs[:3]) == [0, 1, 2]
        assert len(refs) == 4
        with pytest.raises(ValueError, match="after 3"):
            await refs[3]
        assert [await ref async for ref in actor.count.remote(2)] == [0, 1]
        await unhurt(actor, runtime)

    rehearse(scene)


# -- deaths ------------------------------------------------------------------------------------------


@in_processes
def test_a_stream_is_tried_again_only_before_its_first_item(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=-1)
        early = actor.die_after.options(max_task_retries=2)(0, str(tmp_path / "early"), 2)
        assert [n async for n in early] == list(range(10))

        late = actor.die_after.options(max_task_retries=2)(2, str(tmp_path / "late"), 2)
        assert await taken(late, 2) == [0, 1]
        with pytest.raises(ActorUnavailableError):
            await anext(late)
        await unhurt(actor, runtime, 4)

    rehearse(scene)


@everywhere
def test_a_kill_in_mid_stream_is_told_after_the_items_that_came(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "made"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=-1)
        async with actor.forever.options(ahead=8)(str(path)) as stream:
            assert await anext(stream) == 0
            await until(lambda: len(stream.items) == 7)
            await kill(actor, no_restart=False)
            assert await taken(stream, 7) == list(range(1, 8))
            with pytest.raises(ActorUnavailableError):
                await anext(stream)
        await unhurt(actor, runtime, 2)

    rehearse(scene)


@everywhere
def test_a_runtime_that_closes_ends_its_streams(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "made"

    async def scene(runtime: Runtime) -> Any:
        actor = await engine.start(shutdown=0.3)
        stream = actor.forever.remote(str(path))
        await anext(stream)
        return stream

    stream = rehearse(scene)
    assert stream.stream.feed.call.ended


# -- many --------------------------------------------------------------------------------------------


@everywhere
def test_a_hundred_streams_at_once_all_end(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        sums: list[int] = []

        async def read(n: int) -> None:
            sums.append(sum([i async for i in actor.count.options(ahead=10)(n)]))

        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon(read, n)
        assert sorted(sums) == sorted(n * (n - 1) // 2 for n in range(100))
        await unhurt(actor, runtime)

    rehearse(scene)


@pytest.mark.slow
@across([engine for engine in loops(River) if engine.in_process and engine.trusted])
def test_ten_thousand_streams_run_at_once_in_one_guest(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        executor = replace(
            engine.executor, ladder=Ladder(interrupt=10.0)
        )  # all are closed at once, in their time
        actor = await replace(engine, executor=executor).start(max_concurrency=10_000)
        streams = [actor.forever.options(ahead=1)(os.devnull) for _ in range(10_000)]
        for stream in streams:
            stream.begin()
        for turn in range(3):
            for stream in streams:
                assert await anext(stream) == turn
        for stream in streams:
            stream.close()
        await unhurt(actor, runtime)

    rehearse(scene, seconds=50)
