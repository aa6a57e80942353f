"""Guests that lie about streams: a typed error for the reader, nothing for anyone else."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.transports.test_hostile import Make, hostile, play
from understudy import ActorError, CallError
from understudy.transports.guests.weights import MOST
from understudy.transports.system.means import has

pytestmark = [pytest.mark.slow]
__all__ = ["hostile"]  # the fixture

LIES = {
    "more items than its credit": "say([p.ITEM, id, [0] * 257]); stay()",
    "more and more items": "while True: say([p.ITEM, id, [0] * 64])",
    "no items, for ever": "while True: say([p.ITEM, id, []])",
    "items that are no list": "say([p.ITEM, id, 7]); stay()",
    "items of a call it does not have": "say([p.ITEM, id + 1, [0]]); stay()",
    "items after the end": "say([p.RESULT, id, None], [p.ITEM, id, [0]]); stay()",
    "a pickle": "say([p.ITEM, id, [msgpack.Extension(p.PICKLED, b'cos\\nabort\\n(tR.')]]); stay()",
    "a million items at once": "say([p.ITEM, id, [0] * 1000001]); stay()",
    "the end twice": "say([p.RESULT, id, None], [p.RESULT, id, None]); stay()",
    "a flaw in what is no map": "say([p.FLAW, id, FAULT]); stay()",
    "dies": "say([p.ITEM, id, [0]]); os._exit(3)",
    "closes": "link.close(); stay()",
}
if has("page"):  # without one nobody knows what had begun when it was interrupted
    LIES["skips what nobody cancelled"] = "say([p.SKIPPED, id]); stay()"


async def read_all(actor: Any) -> None:
    async for item in actor.numbers(10):
        assert item == 0


@pytest.mark.parametrize("what", LIES)
def test_a_guest_that_lies_about_a_stream_costs_its_reader_a_typed_error(what: str, hostile: Make) -> None:
    async def scene(actor: Any) -> None:
        if "end" not in what:
            with pytest.raises(CallError):
                await read_all(actor)
        else:
            await read_all(actor)  # it was told the end before it lied
        with pytest.raises(ActorError):
            await actor.echo(1)

    play(hostile("ready(); id = hear(p.STREAM)[1]\n" + LIES[what]), scene)


def test_items_for_a_call_that_is_no_stream_cost_that_call(hostile: Make) -> None:
    async def scene(actor: Any) -> None:
        with pytest.raises(CallError):
            await actor.echo(1)

    play(hostile("ready(); id = ask(); say([p.ITEM, id, [1]], [p.RESULT, id, 1]); stay()"), scene)


def test_a_guest_that_keeps_to_its_credit_is_heard_to_the_end(hostile: Make) -> None:
    body = "ready(); id = hear(p.STREAM)[1]; say([p.ITEM, id, [0] * 256])\nhear(p.CREDIT); say([p.ITEM, id, [0] * 10], [p.RESULT, id, None]); stay()"

    async def scene(actor: Any) -> None:
        assert len([item async for item in actor.numbers(10)]) == 266

    play(hostile(body), scene)


def test_a_guest_that_sends_more_bytes_than_there_is_room_for_is_stopped(hostile: Make) -> None:
    async def scene(actor: Any) -> None:
        stream = actor.numbers(10)
        assert await anext(stream) == bytes(1 << 20)
        with trio.fail_after(5):
            await stream.feed.call.wait_ended()
        assert len(stream.items) << 20 <= MOST + (1 << 20)
        with pytest.raises(CallError):
            async for _ in stream:
                pass

    body = "ready(); id = hear(p.STREAM)[1]\nfor _ in range(200): say([p.ITEM, id, [bytes(1 << 20)]])\nstay()"
    play(hostile(body), scene)
