"""A stream whose reader is slow holds few items where they are large: what is ahead is bounded in bytes, too."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
import trio

from tests.cast_guest_streams import Fountain, Mixed, River
from tests.engines import Engine, across, loops, plain
from tests.rehearsal import LOCAL, QUIET, rehearse, until
from understudy import Process, Runtime
from understudy.transports.guests.weights import MOST, ROOM, Weights

MEGABYTE = 1 << 20
ENGINES = [
    *plain(Fountain),
    *loops(River),
    Engine("mixed-trio", Mixed, QUIET),
    Engine("mixed-asyncio", Mixed, Process(stderr="keep", loop="asyncio")),
    Engine("local", Fountain, LOCAL),
    Engine("local-async", River, LOCAL),
]
everywhere = across(ENGINES)


async def at_rest(stream: Any) -> None:
    """Wait until nothing more comes, though nobody takes anything."""
    held = -1
    while held != len(stream.items):
        held = len(stream.items)
        await trio.sleep(0.05)


@pytest.mark.slow
@everywhere
def test_a_slow_reader_of_large_items_holds_few(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        most = number = 0
        async with actor.big(MEGABYTE, 100) as stream:
            assert len(await anext(stream)) == MEGABYTE
            number = 1
            await at_rest(stream)
            async for item in stream:
                assert (len(item), item[0]) == (MEGABYTE, number)
                number += 1
                most = max(most, len(stream.items))
                if number < 10:
                    await trio.sleep(0.01)
        assert number == 100
        # What a generator in this process gives in its first go cannot be told before it is there.
        assert most * MEGABYTE <= ROOM + (16 if engine.name == "local" else 1) * MEGABYTE

    rehearse(scene, seconds=40)


@pytest.mark.slow
@across([Engine("process", Fountain, QUIET)])
def test_the_memory_of_such_a_stream_is_bounded(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        assert await actor.add(1) == 2
        tracemalloc.start()
        try:
            async for _ in actor.big(MEGABYTE, 100):
                await trio.sleep(0.005)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 3 * ROOM  # items, and what of the next has been read; all at once they are 100 MiB

    rehearse(scene, seconds=40)


@everywhere
def test_an_item_larger_than_all_the_room_passes(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        sizes = [len(item) async for item in actor.big(MOST + 1, 3)]
        assert sizes == [MOST + 1] * 3

    rehearse(scene, seconds=40)


@across([engine for engine in ENGINES if engine.name in ("turns-process", "trio-process", "threads-process")])
def test_many_small_items_far_ahead_wait_for_room_too(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        many = 200 * MOST // 65536
        async with actor.big.options(ahead=100_000)(65536 // 200, 200) as stream:
            assert [len(item) async for item in stream] == [65536 // 200] * 200
        async with actor.count.options(ahead=10_000_000)(many) as stream:
            assert await anext(stream) == 0
            await until(lambda: len(stream.items) > 1)
            assert [n async for n in stream] == list(range(1, many))

    rehearse(scene, seconds=40)


def test_a_batch_weighs_until_its_last_item_was_taken() -> None:
    weights = Weights()
    weights.give(3, 30)
    weights.give(1, 5)

    weights.take(2)
    assert weights.bytes == 35
    weights.take(1)
    assert weights.bytes == 5
    weights.take(1)
    assert weights.bytes == 0
