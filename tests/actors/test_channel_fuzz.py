"""Channels under random deaths: nothing is doubled, and nothing lost but what a dead receiver had taken."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_channels import AsyncPorter, Porter
from tests.rehearsal import rehearse
from understudy import ActorError, BrokenChannelError, Runtime, TaskCancelledError, kill, open_channel


def noted(folder: Path) -> list[int]:
    return [int(line) for log in folder.iterdir() for line in log.read_text().split()]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_receivers_that_are_killed_take_along_only_what_they_had_taken(seed: int, tmp_path: Path) -> None:
    """A killed receiver may have taken one item that it had no time to note."""

    async def scene(runtime: Runtime) -> None:
        chance = random.Random(seed)
        send, receive = open_channel[int](chance.choice([1, 7, 100, 1000]))
        count, kills = 20_000, 0

        async def receiver(name: int, source: Any) -> None:
            nonlocal kills
            async with source:
                for life in range(5):
                    porter = await Porter.options(name=f"p{name}-{life}", max_restarts=0).start()
                    ref = porter.note_all.remote(source, str(tmp_path / f"{name}-{life}"))
                    with trio.move_on_after(chance.uniform(0.0, 0.2)):
                        await ref.wait_done()
                        return
                    kills += 1
                    await kill(porter)

        async def last() -> None:
            got.extend([n async for n in receive])

        async def produce() -> None:
            async with send:
                for n in range(count):
                    await send.send(n)

        got: list[int] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            async with trio.open_nursery() as receivers:
                for name in range(3):
                    receivers.start_soon(receiver, name, receive.clone())
            await last()
        seen = sorted(noted(tmp_path) + got)
        assert len(set(seen)) == len(seen)
        assert set(seen) <= set(range(count))
        assert count - len(seen) <= kills

    rehearse(scene, seconds=50)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_of_a_killed_sender_comes_what_it_had_sent_in_its_order(seed: int) -> None:
    async def scene(runtime: Runtime) -> None:
        chance = random.Random(seed)
        send, receive = open_channel[int](chance.choice([1, 20, 1000]))
        porters = [chance.choice([Porter, AsyncPorter]).options(max_restarts=0) for _ in range(4)]
        base = 10_000_000

        async def sender(name: int, porter: Any, out: Any) -> None:
            handle = await porter.start()
            handle.send_range.cast(out, base * name, base * (name + 1))
            out.close()
            await trio.sleep(chance.uniform(0.05, 0.4))
            await kill(handle)

        got: list[int] = []

        async def collect() -> None:
            while True:
                got.append(await receive.receive())

        async with trio.open_nursery() as nursery:
            for name, porter in enumerate(porters):
                nursery.start_soon(sender, name, porter, send.clone())
            send.close()
            with pytest.raises(BrokenChannelError, match="was lost with"):
                await collect()
        for name in range(4):
            own = [n for n in got if n // base == name]
            assert own == list(range(base * name, base * name + len(own)))

    rehearse(scene, seconds=50)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_cancelled_and_interrupted_calls_lose_and_double_nothing(seed: int, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        chance = random.Random(seed)
        send, receive = open_channel[int](chance.choice([1, 7, 100]))
        count = 300
        handles: list[Any] = [await Porter.start(), await AsyncPorter.start()]
        got: list[int] = []

        async def consume(handle: Any) -> None:
            """Calls that are called off take nothing along unless they had begun to; so each takes one."""
            while True:
                with trio.move_on_after(chance.uniform(0.0, 0.003)):
                    try:
                        got.extend(await handle.receive(receive, 1))
                    except (TaskCancelledError, ActorError):
                        return

        async with trio.open_nursery() as nursery:
            for handle in handles:
                nursery.start_soon(consume, handle)
            for n in range(count):
                await send.send(n)
            nursery.cancel_scope.cancel()
        with trio.move_on_after(1):
            while True:
                got.append(await receive.receive())
        assert len(set(got)) == len(got)
        assert set(got) <= set(range(count))

    rehearse(scene, seconds=50)
