"""Channels at the doors: between tasks of asyncio, or threads, and actors; nothing is lost, whoever leaves early."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.cast_channels import AsyncPorter, Porter
from tests.doors import sleep_until, visit
from understudy import (
    BrokenChannelError,
    ClosedChannelError,
    Empty,
    Full,
    NoRuntimeError,
    TaskError,
    Thread,
    aio,
    blocking,
    open_channel,
)
from understudy.crossing.runtime import FarRuntime

PORTERS = [Porter, AsyncPorter, Porter.options(executor=Thread())]


@pytest.mark.parametrize("porters", PORTERS)
def test_under_asyncio_items_go_to_actors_and_come_back(porters: Any) -> None:
    async def scene(runtime: FarRuntime) -> None:
        there, back = aio.open_channel[int](10), aio.open_channel[int](10)
        porter = await porters.start()
        ref = porter.double.remote(there[1], back[0])
        there[1].close()
        back[0].close()

        async def produce() -> None:
            async with there[0] as numbers:
                for n in range(50):
                    await numbers.send(n)

        task = asyncio.create_task(produce())
        assert [n async for n in back[1]] == [2 * n for n in range(50)]
        await task
        assert await ref == 50

    visit(scene)


def test_under_asyncio_a_cancelled_receive_takes_nothing() -> None:
    async def scene(runtime: FarRuntime) -> None:
        send, receive = aio.open_channel[int](10)
        for n in range(20):
            task = asyncio.ensure_future(receive.receive())
            await asyncio.sleep(0.001 * (n % 3))
            sending = asyncio.ensure_future(send.send(n))
            task.cancel()
            await asyncio.wait([task, sending])
            if task.cancelled():
                assert await receive.receive() == n
            else:
                assert task.result() == n
        with pytest.raises(Empty):
            receive.receive_nowait()

    visit(scene)


def test_under_asyncio_both_ends_tell_of_the_other() -> None:
    async def scene(runtime: FarRuntime) -> None:
        send, receive = aio.open_channel[int](1)
        other = send.clone()
        send.close()
        await other.send(1)
        with pytest.raises(Full):
            other.send_nowait(2)
        other.close()
        assert await receive.receive() == 1
        with pytest.raises(ClosedChannelError):
            await receive.receive()
        send, receive = aio.open_channel[int](1)
        receive.close()
        with pytest.raises(BrokenChannelError):
            await send.send(1)

    visit(scene)


def test_what_is_sent_after_an_end_was_closed_finds_it_closed() -> None:
    async def scene(runtime: FarRuntime) -> None:
        for _ in range(100):
            send, receive = aio.open_channel[int](1)
            receive.close()
            with pytest.raises(BrokenChannelError):
                send.send_nowait(1)
            send, receive = aio.open_channel[int](1)
            send.close()
            with pytest.raises(ClosedChannelError):
                receive.receive_nowait()

    visit(scene)


@pytest.mark.parametrize("porters", PORTERS)
def test_threads_wait_for_room_and_for_items(porters: Any) -> None:
    with blocking.open_runtime():
        there, back = blocking.open_channel[int](10), blocking.open_channel[int](10)
        porter = porters.remote()
        ref = porter.double.remote(there[1], back[0])
        there[1].close()
        back[0].close()

        def produce() -> None:
            with there[0] as numbers:
                for n in range(50):
                    numbers.send(n)

        thread = threading.Thread(target=produce)
        thread.start()
        assert list(back[1]) == [2 * n for n in range(50)]
        thread.join()
        assert blocking.get(ref) == 50


def test_an_end_that_a_thread_forgets_is_closed() -> None:
    with blocking.open_runtime():
        send, receive = blocking.open_channel[int](10)
        assert isinstance(send, blocking.SendChannel)
        assert isinstance(receive, blocking.ReceiveChannel)
        send.send_nowait(1)
        del send
        assert list(receive) == [1]
        sleep_until(lambda: not receive._store.senders)  # type: ignore[attr-defined]


def test_without_a_runtime_of_this_door_it_is_refused() -> None:
    with pytest.raises(NoRuntimeError):
        blocking.open_channel(1)


def test_a_method_has_channels_in_a_runtime_of_its_own() -> None:
    with blocking.open_runtime():
        porter = Porter.remote()
        assert blocking.call(porter.open_own, [1, 2, 3]) == [1, 2, 3]


@pytest.mark.parametrize("porters", [Porter, Porter.options(executor=Thread())])
def test_one_for_tasks_is_refused_where_there_are_none(porters: Any) -> None:
    with pytest.raises(NoRuntimeError, match=r"blocking\.open_channel"):
        open_channel(1)
    with blocking.open_runtime():
        with pytest.raises(TaskError, match=r"blocking\.open_channel"):
            blocking.call(porters.remote().open_for_tasks)


def test_under_asyncio_one_for_tasks_of_trio_is_refused() -> None:
    async def scene(runtime: FarRuntime) -> None:
        with pytest.raises(NoRuntimeError, match=r"aio\.open_channel"):
            open_channel(1)

    visit(scene)


def test_an_end_that_a_thread_closes_is_closed_for_what_it_sends_next() -> None:
    with blocking.open_runtime():
        for _ in range(50):
            send, receive = blocking.open_channel[int](1)
            receive.close()
            with pytest.raises(BrokenChannelError):
                send.send(1)
