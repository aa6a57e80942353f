"""Ends of channels in the hands of actors that nobody trusts: only data travels, and nothing grows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast_channels import Porter, Rogue
from tests.rehearsal import rehearse
from understudy import ActorError, Runtime, TaskError, open_channel
from understudy.transports.guests import protocol as p


def test_data_goes_to_and_fro() -> None:
    items = [1, "two", [3, [4]], {"five": None}, b"six", 1 << 60]

    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[Any](20)
        rogue, porter = await Rogue.options(max_restarts=0).start(), await Porter.start()
        await rogue.send(send, items)
        assert [await receive.receive() for _ in items] == items
        await rogue.send(send, items)
        assert await porter.receive(receive, len(items)) == items
        await porter.send(send, items)
        assert await rogue.receive(receive, len(items)) == items

    rehearse(scene)


def test_what_is_no_data_stays_for_who_can_take_it() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[Any](20)
        rogue = await Rogue.options(max_restarts=0).start()
        thing = object()
        await send.send(thing)
        with pytest.raises(TaskError, match="cannot travel"):
            await rogue.receive(receive, 1)
        assert await receive.receive() is thing
        with pytest.raises(TaskError, match="from here: an untrusted actor answers in plain data only"):
            await rogue.send_object(send)

    rehearse(scene)


@pytest.mark.parametrize(
    "message",
    [
        [p.PUT, "end", [1] * 1000, 0],
        [p.PUT, 77, [1], 0],
        [p.WANT, 77, 1, 0, 0],
        [p.WANT, "end", 1, 5, 0],
        [p.RETURN, "end", 5],
        [p.DETACH, 77, 0],
        [p.ATTACH, 1, 1, 0],
    ],
    ids=str,
)
def test_what_no_honest_guest_says_ends_it(message: list[Any]) -> None:
    async def scene(runtime: Runtime) -> None:
        ends = open_channel[int](20)
        rogue = await Rogue.options(max_restarts=0).start()
        end = ends[message[0] == p.WANT]
        if message[0] == p.ATTACH:
            await rogue.keep(end)
        rogue.say.cast(end, message)
        with pytest.raises(ActorError):
            await rogue.nap()

    rehearse(scene)


def test_it_cannot_use_a_ticket_that_it_was_not_given() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](20)
        rogue, porter = await Rogue.options(max_restarts=0).start(), await Porter.start()
        await porter.keep(send)
        await rogue.keep(receive)
        members = len(send._store.senders)  # type: ignore[attr-defined]
        for number in range(1, 50):
            await rogue.say(receive, [p.ATTACH, 1000 + number, number, 0])
        assert len(send._store.senders) == members  # type: ignore[attr-defined]
        for number in range(1, 100):
            rogue.say.cast(receive, [p.ATTACH, 2000 + number, number, 0])
        with pytest.raises(ActorError):
            await rogue.nap()

    rehearse(scene)


def test_it_cannot_fill_the_memory_of_its_host() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[Any](1000)
        rogue = await Rogue.options(max_restarts=0).start()
        with pytest.raises(ActorError):
            await rogue.flood(send, 200_000)
        assert send._store.bytes < 24 * 1024 * 1024  # type: ignore[attr-defined]
        del receive

    rehearse(scene)


@pytest.mark.parametrize(
    "messages",
    [
        [[p.PUT, "end", [1] * 10, 0]],
        [[p.WANT, "end", 5, 0, 0], [p.PUT, "end", [1] * 10, 0]],
        [[p.WANT, "end", 10, 0, 0], *[[p.PUT, "end", [bytes(1 << 20)], 0]] * 10],
        [[p.WANT, "end", 5, 0, 0], [p.RETURN, "end", 9]],
    ],
    ids=["nothing granted", "more than granted", "too heavy", "more given back"],
)
def test_a_channel_that_it_misused_has_all_its_room_for_others(messages: list[Any]) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[Any](20)
        rogue, porter = await Rogue.options(max_restarts=0).start(), await Porter.start()
        rogue.say.cast(send, *messages)
        with pytest.raises(ActorError):
            await rogue.nap()
        store: Any = send._store  # type: ignore[attr-defined]
        assert store.free == 20 - len(store.items)
        while store.items:
            await receive.receive()
        assert (store.free, store.bytes, store.away) == (20, 0, 0)
        await porter.send(send, list(range(20)))
        assert [await receive.receive() for _ in range(20)] == list(range(20))

    rehearse(scene)
