"""Calls, streams, casts, cancellations and kills at random: every call ends exactly once, and nothing is left."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio

from tests.cast_guest_async import Crew
from tests.cast_guest_streams import Mixed
from tests.engines import Engine, across, loops
from tests.rehearsal import pending_everywhere, rehearse, until
from understudy import Runtime, UnderstudyError, interrupt, kill, statistics

TALLY = ("answered", "failed", "cancelled")


class Everything(Crew, Mixed):
    """Calls and streams of every kind."""


class Play:
    """One random play; `tally` counts how what was asked has ended."""

    def __init__(self, actor: Any, chance: random.Random) -> None:
        self.actor = actor
        self.chance = chance
        self.tally = dict.fromkeys(TALLY, 0)

    async def asked(self, ask: Any) -> None:
        """Ask for something, and perhaps lose patience."""
        patience = self.chance.choice([0.0, 0.002, 0.02, 20.0])
        ended = "cancelled"
        with trio.move_on_after(patience):
            try:
                await ask()
                ended = "answered"
            except (UnderstudyError, StopAsyncIteration):
                ended = "failed"
        self.tally[ended] += 1

    async def call(self) -> None:
        assert await self.actor.add(1) == 2

    async def plain(self) -> None:
        assert await self.actor.plain(2) == 3

    async def grouped(self) -> None:
        assert await self.actor.one_plain(self.chance.random())

    async def stay(self) -> None:
        await self.actor.who(0.01)

    async def fail(self) -> None:
        await self.actor.fail_by_name("on purpose")

    async def late(self) -> None:
        await self.actor.who.options(timeout=0.005)(0.01)

    async def again(self) -> None:
        assert await self.actor.add.options(max_task_retries=2)(4) == 5

    async def stream(self) -> None:
        n = self.chance.randrange(200)
        numbers = self.actor.count.options(ahead=self.chance.choice([1, 7, 256]))(n)
        assert [i async for i in numbers] == list(range(n))

    async def part_of_a_stream(self) -> None:
        async with self.actor.slowly(0.001, 100) as numbers:
            for _ in range(self.chance.randrange(5)):
                await anext(numbers)

    async def refs(self) -> None:
        refs = [self.actor.who.remote(0.005) for _ in range(5)]
        del refs[::2]
        for ref in refs:
            await ref

    async def disturb(self) -> None:
        for _ in range(6):
            await trio.sleep(self.chance.random() * 0.05)
            if self.chance.random() < 0.5:
                await kill(self.actor, no_restart=False)
            else:
                with trio.move_on_after(0.1):
                    await interrupt(self.actor)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@across(loops(Everything))
def test_whatever_happens_every_call_ends_once_and_nothing_is_left(engine: Engine, seed: int) -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await engine.start(max_restarts=-1, max_concurrency=20)
        chance = random.Random(seed)
        play = Play(actor, chance)
        asks = [play.call, play.plain, play.grouped, play.stay, play.fail, play.late, play.again, play.stream,
                play.part_of_a_stream, play.refs]  # fmt: skip
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play.disturb)
            for _ in range(300):
                nursery.start_soon(play.asked, chance.choice(asks))
                if chance.random() < 0.2:
                    await trio.sleep(chance.random() * 0.005)
        assert sum(play.tally.values()) == 300
        assert play.tally["answered"] > 0
        await until(lambda: not pending_everywhere(runtime))
        assert await actor.add(1) == 2
        await until(lambda: not actor._life.incarnation.sent)
        assert all(lane.out == 0 for lane in actor._life.incarnation.lanes)
        assert statistics(actor).pending == 0

    rehearse(scene, seconds=30)
