"""Channels between the tasks of one program."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing

from tests.rehearsal import run
from understudy import BrokenChannelError, ClosedChannelError, Empty, Full, open_channel


def play(scene: Callable[[], Awaitable[None]]) -> None:
    run(scene, virtual=True)


def test_items_come_out_in_the_order_they_went_in() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](3)
        for n in (1, 2, 3):
            await send.send(n)

        assert [await receive.receive() for _ in range(3)] == [1, 2, 3]

    play(scene)


def test_a_full_channel_makes_senders_wait_and_then_it_is_empty() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](20)
        ahead = 0

        async def produce() -> None:
            nonlocal ahead
            for n in range(1, 41):
                await send.send(n)
                ahead = n

        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            await trio.testing.wait_all_tasks_blocked()
            assert ahead == 20
            assert [await receive.receive() for _ in range(40)] == list(range(1, 41))
        with pytest.raises(Empty):
            receive.receive_nowait()

    play(scene)


def test_without_capacity_a_sender_waits_for_a_receiver() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](0)
        with pytest.raises(Full):
            send.send_nowait(1)
        with trio.move_on_after(1) as time:
            await send.send(1)
        assert time.cancelled_caught
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send.send, 2)
            await trio.testing.wait_all_tasks_blocked()
            assert await receive.receive() == 2
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive.receive)
            await trio.testing.wait_all_tasks_blocked()
            await send.send(3)

    play(scene)


def test_each_item_goes_to_one_receiver_and_who_waited_longest_is_first() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](1)
        got: list[tuple[str, int]] = []

        async def take(name: str) -> None:
            got.append((name, await receive.receive()))

        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(take, name)
                await trio.testing.wait_all_tasks_blocked()
            for n in range(3):
                await send.send(n)

        assert sorted(got) == [("a", 0), ("b", 1), ("c", 2)]

    play(scene)


def test_when_the_last_sender_is_closed_receivers_take_what_is_left_and_end() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](10)
        async with send, send.clone() as other:
            await send.send(1)
            await other.send(2)

        assert [n async for n in receive] == [1, 2]
        with pytest.raises(ClosedChannelError, match="nothing more comes"):
            await receive.receive()
        with pytest.raises(ClosedChannelError, match="nothing more comes"):
            receive.receive_nowait()

    play(scene)


def test_who_waits_is_told_when_the_last_of_the_others_is_closed() -> None:
    async def scene() -> None:
        for side in (0, 1):
            ends: Any = open_channel[int](1)
            ends[0].send_nowait(1)
            failures: list[Exception] = []
            first, second = ends[side], ends[1 - side]
            if side:
                first.receive_nowait()

            async def use(end: Any = first, side: int = side, found: list[Exception] = failures) -> None:
                try:
                    await (end.receive() if side else end.send(2))
                except (BrokenChannelError, ClosedChannelError) as error:
                    found.append(error)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(use)
                await trio.testing.wait_all_tasks_blocked()
                second.close()
            assert len(failures) == 1
            assert isinstance(failures[0], ClosedChannelError if side else BrokenChannelError)

    play(scene)


def test_a_closed_end_is_not_used_again_and_the_others_go_on() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](2)
        other = send.clone()
        send.close()
        await send.aclose()
        for use in (lambda: send.send_nowait(1), send.clone):
            with pytest.raises(ClosedChannelError, match="this end of the channel is closed"):
                use()
        with pytest.raises(ClosedChannelError):
            await send.send(1)
        other.send_nowait(2)
        assert receive.receive_nowait() == 2
        receive.close()
        with pytest.raises(BrokenChannelError, match="nobody can receive"):
            await other.send(3)
        with pytest.raises(ClosedChannelError):
            await receive.receive()

    play(scene)


def test_an_end_that_nobody_holds_any_more_is_closed() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](2)
        await send.send(1)
        del send
        gc.collect()

        assert [n async for n in receive] == [1]

    play(scene)


def test_a_cancelled_wait_loses_nothing_and_doubles_nothing() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](1)
        with trio.move_on_after(1):
            await receive.receive()
        await send.send(1)
        with trio.move_on_after(1):
            await send.send(2)

        assert await receive.receive() == 1
        with pytest.raises(Empty):
            receive.receive_nowait()

    play(scene)


def test_a_sender_and_a_receiver_that_never_wait_let_the_others_have_their_turn() -> None:
    async def scene() -> None:
        send, receive = open_channel[int](1000)
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            for n in range(1000):
                await send.send(n)
            between = turns
            for _ in range(1000):
                await receive.receive()
            nursery.cancel_scope.cancel()

        assert 2 < between < turns

    play(scene)


def test_long_texts_count_in_bytes_too() -> None:
    async def scene() -> None:
        send, receive = open_channel[bytes](100, max_bytes=10_000)
        for _ in range(3):
            for text in (bytes(5000), b"short", bytes(5000)):
                await send.send(text)
            with pytest.raises(Full):
                send.send_nowait(b"short")
            assert [len(await receive.receive()) for _ in range(3)] == [5000, 5, 5000]

    play(scene)


@pytest.mark.parametrize("capacity", [-1, 1.5, None, "3", True])
def test_a_capacity_is_a_count(capacity: Any) -> None:
    with pytest.raises(ValueError, match="capacity of a channel must be a count"):
        open_channel(capacity)


def test_many_senders_and_receivers_pass_all_items_once() -> None:
    async def scene() -> None:
        send, receive = open_channel[tuple[int, int]](7)
        got: list[tuple[int, int]] = []

        async def produce(name: int, end: Any) -> None:
            async with end:
                for n in range(300):
                    await end.send((name, n))

        async def consume(end: Any) -> None:
            got.extend([item async for item in end])

        async with trio.open_nursery() as nursery:
            async with send, receive:
                for name in range(10):
                    nursery.start_soon(produce, name, send.clone())
                for _ in range(5):
                    nursery.start_soon(consume, receive.clone())

        assert sorted(got) == [(name, n) for name in range(10) for n in range(300)]

    play(scene)
