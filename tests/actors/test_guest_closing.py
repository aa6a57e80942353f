"""What holds for a stream that is left early: its generator is closed, in peace, and its end is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.cast_closing import Tidy, TidyAsync, TidyMixed
from tests.engines import Engine, across, loops, plain
from tests.rehearsal import LOCAL, QUIET, held, rehearse, until
from understudy import CallError, Process, Runtime, interrupt, statistics
from understudy.actors.events import ActorEnded, FailureUnseen

ENGINES = [
    *plain(Tidy),
    *loops(TidyAsync),
    Engine("mixed-trio", TidyMixed, QUIET),
    Engine("mixed-asyncio", TidyMixed, Process(stderr="keep", loop="asyncio")),
]
LOCALS = [Engine("local", Tidy, LOCAL), Engine("local-async", TidyAsync, LOCAL)]
everywhere = across(ENGINES)
and_local = across([*ENGINES, *LOCALS])


@pytest.mark.slow
@everywhere
@pytest.mark.parametrize("ahead", [1, 256])
def test_a_generator_that_is_closed_may_take_its_time(engine: Engine, ahead: int, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.linger.options(ahead=ahead)(str(path)) as stream:
            assert await anext(stream) == 0
        await until(lambda: not actor._life.incarnation.sent)
        assert path.exists()
        assert path.read_text() == "closed"
        assert await actor.add(1) == 2
        assert statistics(actor).incarnation == 1

    rehearse(scene)


@and_local
@pytest.mark.parametrize("ahead", [1, 256])
def test_leaving_a_stream_is_no_interrupt_that_costs_the_state(engine: Engine, ahead: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(after_interrupt="restart")
        for _ in range(3):
            async with actor.forever.options(ahead=ahead)() as stream:
                assert [await anext(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
        assert await actor.add(1) == 2
        await until(lambda: not list(actor._life.incarnation.in_flight()))
        assert await actor.add(1) == 2
        assert statistics(actor).incarnation == 1

    rehearse(scene)


@and_local
def test_interrupting_a_stream_that_waits_for_its_reader_does(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(after_interrupt="restart")
        events = runtime.events()
        async with actor.forever.options(ahead=1)() as stream:
            assert await anext(stream) == 0
            await trio.sleep(0.02)
            await interrupt(actor)
            with pytest.raises(CallError):
                assert [n async for n in stream] == []
        await until(lambda: statistics(actor).incarnation == 2)
        assert [event.reason.kind for event in held(events, ActorEnded)] == ["interrupted"]

    rehearse(scene)


@everywhere
def test_a_generator_that_never_comes_to_its_next_item_is_interrupted_and_costs_it(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(after_interrupt="restart", max_restarts=-1)
        async with actor.ponder(str(path)) as stream:
            assert await anext(stream) == 0
            await until(path.exists)
        await until(lambda: statistics(actor).incarnation == 2)
        assert await actor.add(1) == 2

    rehearse(scene)


@and_local
@pytest.mark.parametrize("ahead", [1, 256])
def test_what_a_generator_raises_while_it_is_closed_is_an_event(engine: Engine, ahead: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        events = runtime.events()
        async with actor.fail_at_the_end.options(ahead=ahead)() as stream:
            assert await anext(stream) == 0
        await until(lambda: held(events, FailureUnseen))
        (unseen,) = held(events, FailureUnseen)
        assert (unseen.method, unseen.call_id) == ("fail_at_the_end", stream.feed.call.id)
        assert isinstance(unseen.error, ValueError)
        assert await actor.add(1) == 2
        assert statistics(actor).incarnation == 1

    rehearse(scene)


@across(plain(Tidy))
def test_leaving_a_map_between_two_of_its_calls_costs_no_state(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(after_interrupt="restart", max_concurrency=1)
        async with actor.add.map(range(100_000)) as sums:
            assert [await anext(sums) for _ in range(500)] == list(range(1, 501))
        assert await actor.add(1) == 2
        await until(lambda: not actor._life.incarnation.sent)
        assert statistics(actor).incarnation == 1

    rehearse(scene)


@across([engine for engine in plain(Tidy) if engine.name.startswith("turns")])
def test_what_a_map_raises_after_it_was_left_is_an_event(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "go"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        events = runtime.events()
        async with actor.fail_after_all.map([str(path)]) as results:
            with trio.move_on_after(0.1):
                await anext(results)
        path.touch()
        await until(lambda: held(events, FailureUnseen))
        assert [event.method for event in held(events, FailureUnseen)] == ["fail_after_all"]
        assert await actor.add(1) == 2

    rehearse(scene)
