"""Ends of channels in the hands of actors: given as arguments, used wherever the actor runs."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_channels import AsyncPorter, Porter
from tests.rehearsal import LOCAL, QUIET, rehearse, until
from understudy import (
    BrokenChannelError,
    CallInterruptedError,
    Empty,
    Process,
    Runtime,
    TaskError,
    Thread,
    interrupt,
    kill,
    open_channel,
)

PLAIN: dict[str, Any] = {
    "process": Porter.options(executor=QUIET),
    "process with threads": Porter.options(executor=QUIET, max_concurrency=4),
    "thread": Porter.options(executor=Thread()),
    "thread with threads": Porter.options(executor=Thread(), max_concurrency=4),
}
ASYNC: dict[str, Any] = {
    "async local": AsyncPorter.options(executor=LOCAL),
    "async thread": AsyncPorter.options(executor=Thread()),
    "async process": AsyncPorter.options(executor=QUIET),
    "async process, asyncio": AsyncPorter.options(executor=Process(loop="asyncio", stderr="keep")),
}
ELSEWHERE = PLAIN | {name: porter for name, porter in ASYNC.items() if name != "async local"}

plain = pytest.mark.parametrize("porters", PLAIN.values(), ids=PLAIN)
everywhere = pytest.mark.parametrize("porters", (PLAIN | ASYNC).values(), ids=PLAIN | ASYNC)
elsewhere = pytest.mark.parametrize("porters", ELSEWHERE.values(), ids=ELSEWHERE)


async def emptied(receive: Any) -> None:
    with pytest.raises(Empty):
        receive.receive_nowait()


@everywhere
def test_ten_rounds_each_way_give_the_same_back(porters: Any) -> None:
    items = [1, "two", (3, {4}), None, 2.5, b"five", 1 << 80, "\udcff", [6], {"seven": 7}]

    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[Any](20)
        porter = await porters.start()
        for item in items:
            await porter.send(send, [item])
            assert await receive.receive() == item
            await send.send(item)
            assert await porter.receive(receive, 1) == [item]
            await send.send(item)
            await send.send(-1)
            assert await porter.receive(receive, 2) == [item, -1]
        await emptied(receive)

    rehearse(scene)


@everywhere
def test_a_consumer_takes_forty_in_order_while_a_producer_puts_them_into_room_for_twenty(
    porters: Any,
) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](20)
        porter, other = await porters.start(), await porters.start()
        for producer, consumer in ((porter, other), (other, porter)):
            ref = producer.send_range.remote(send, 1, 41)
            assert await consumer.receive(receive, 40) == list(range(1, 41))
            assert await ref == 40
            await emptied(receive)

    rehearse(scene)


@elsewhere
def test_a_sender_waits_where_there_is_no_room(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](3)
        porter = await porters.start()
        ref = porter.send_range.remote(send, 0, 10)
        await until(lambda: len(send._store.items) == 3)  # type: ignore[attr-defined]
        await trio.sleep(0.02)
        assert not ref.done
        assert len(send._store.items) == 3  # type: ignore[attr-defined]
        assert [await receive.receive() for _ in range(10)] == list(range(10))
        assert await ref == 10

    rehearse(scene)


@everywhere
def test_through_two_actors_and_back(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = await porters.start(), await porters.start()
        a, b, c = (open_channel[int](10) for _ in range(3))
        refs = [first.double.remote(a[1], b[0]), second.double.remote(b[1], c[0])]
        if porters is not ASYNC["async local"]:
            for end in (a[1], b[0], b[1], c[0]):
                end.close()
        got: list[int] = []

        async def collect() -> None:
            got.extend([n async for n in c[1]])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(collect)
            async with a[0] as numbers:
                for n in range(200):
                    await numbers.send(n)

        assert got == [4 * n for n in range(200)]
        assert [await ref for ref in refs] == [200, 200]

    rehearse(scene)


@elsewhere
def test_the_end_comes_when_every_sender_is_closed_wherever_it_is(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](10)
        porter, other = await porters.start(), await porters.start()
        ref = other.receive_all.remote(receive)
        receive.close()
        porter.send_range.cast(send, 0, 50)
        send.close()

        assert await ref == list(range(50))

    rehearse(scene)


@elsewhere
def test_an_end_is_open_until_the_call_it_came_with_has_ended(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](10)
        porter = await porters.start()
        ref = porter.send.remote(send, [1, 2])
        send.close()
        await ref
        assert [n async for n in receive] == [1, 2]

    rehearse(scene)


@elsewhere
def test_an_end_that_an_actor_keeps_is_open_until_it_drops_it(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](10)
        porter = await porters.start()
        await porter.keep(send)
        send.close()
        with trio.move_on_after(0.05) as time:
            await receive.receive()
        assert time.cancelled_caught
        await porter.drop()
        assert [n async for n in receive] == []

    rehearse(scene)


@elsewhere
def test_receivers_that_are_gone_are_told_to_senders(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](3)
        porter = await porters.start()
        ref = porter.what_sending.remote(send)
        await receive.receive()
        receive.close()
        assert (await ref).startswith("BrokenChannelError: nobody can receive")
        with pytest.raises(BrokenChannelError):
            await send.send(1)

    rehearse(scene)


@elsewhere
def test_an_end_is_an_argument_of_the_class_too(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](3)
        porter = await porters.start(receive)
        await send.send(1)
        assert await porter.receive_own(1) == [1]
        send.close()

    rehearse(scene)


@everywhere
def test_an_end_can_come_back(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](3)
        porter = await porters.start()
        back, again = await porter.give_back(send), await porter.give_back([receive])
        await back.send(5)
        assert await again[0].receive() == 5

    rehearse(scene)


def test_an_actor_gives_an_end_to_another() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](3)
        one, other = await Porter.start(), await Porter.start()
        for n in range(3):
            await send.send(n)
        assert await one.hand_on(other, receive, 3) == [0, 1, 2]

    rehearse(scene)


@plain
def test_what_need_not_wait_is_said_at_once(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](2)
        porter = await porters.start()
        assert await porter.at_once(send, receive) == ["empty", None, "full", 3, 4]

    rehearse(scene)


@pytest.mark.parametrize("porters", [ASYNC[name] for name in ASYNC if name != "async local"])
def test_in_an_event_loop_it_is_refused(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](2)
        porter = await porters.start()
        said = await porter.refused(send, receive)
        assert [("send_nowait" in said[0]), ("receive_nowait" in said[1])] == [True, True]

    rehearse(scene)


@elsewhere
def test_an_interrupted_wait_leaves_the_channel_whole(porters: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](1)
        porter = await porters.start()
        for there, ref in (("a", porter.wait_for_one.remote(receive, str(tmp_path / "a"))),):
            await until((tmp_path / there).exists)
            await trio.sleep(0.02)
            assert await interrupt(porter)
            with pytest.raises(CallInterruptedError):
                await ref
        await send.send(1)
        with trio.move_on_after(0.05):
            await porter.wait_to_send(send, 2, str(tmp_path / "b"))
        assert await receive.receive() == 1
        await emptied(receive)
        await send.send(3)
        assert await porter.receive(receive, 1) == [3]

    rehearse(scene)


@everywhere
def test_what_is_no_channel_is_refused_and_the_actor_answers_afterwards(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](1)
        porter = await porters.start()
        with pytest.raises(TaskError):
            await porter.receive(5, 1)
        with pytest.raises(TaskError, match="on purpose"):
            await porter.fail(receive)
        await send.send(1)
        assert await porter.receive(receive, 1) == [1]

    rehearse(scene)


@pytest.mark.parametrize("porters", [ASYNC[name] for name in ASYNC if name != "async local"])
def test_plain_for_is_refused_in_an_event_loop(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        porter = await porters.start()
        with pytest.raises(TaskError, match="async for"):
            await porter.loop_plainly(open_channel[int](2)[1])

    rehearse(scene)


@pytest.mark.parametrize("name", ["process with threads", "thread with threads"])
def test_a_thread_that_a_method_starts_is_told_that_it_cannot_wait(name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        porter = await PLAIN[name].start()
        send, receive = open_channel[int](2)
        assert "thread that runs the methods" in await porter.receive_in_a_thread(receive)
        await send.send(1)
        assert await porter.receive(receive, 1) == [1]

    rehearse(scene)


def test_an_end_does_not_go_on_into_a_runtime_of_the_actor() -> None:
    async def scene(runtime: Runtime) -> None:
        porter = await Porter.start()
        with pytest.raises(TaskError, match="cannot go on from an actor to the actors of a runtime"):
            await porter.give_below(open_channel[int](2)[0])

    rehearse(scene)


def test_an_item_that_cannot_travel_is_refused_where_it_is_sent() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[Any](3)
        porter = await Porter.start()
        lock = threading.Lock()
        await send.send(lock)
        await send.send(1)
        with pytest.raises(TaskError, match="cannot travel to this actor"):
            await porter.receive(receive, 1)
        assert await receive.receive() is lock
        assert await porter.receive(receive, 1) == [1]

    rehearse(scene)


@pytest.mark.parametrize("porters", [Porter, AsyncPorter])
def test_what_a_dead_sender_had_sent_is_received_and_then_its_death_is_told(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](100)
        porter = await porters.options(name="victim").start()
        await porter.keep(send)
        await porter.send(send, [1, 2, 3])
        send.close()
        await kill(porter)
        assert [await receive.receive() for _ in range(3)] == [1, 2, 3]
        with pytest.raises(BrokenChannelError, match="victim"):
            await receive.receive()

    rehearse(scene)


def test_another_sender_that_lives_keeps_the_channel_going() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](100)
        porter = await Porter.start()
        await porter.keep(send)
        await kill(porter)
        await send.send(1)
        send.close()
        assert [n async for n in receive] == [1]

    rehearse(scene)


def test_what_a_dead_receiver_had_not_taken_goes_to_the_next(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](1000)
        for n in range(500):
            await send.send(n)
        porter = await Porter.start()
        log = tmp_path / "log"
        ref = porter.take_and_die.remote(receive, 200, str(log))
        await ref.wait_done()
        send.close()
        taken = [int(line) for line in log.read_text().split()]
        assert taken + [n async for n in receive] == list(range(500))
        assert len(taken) == 200

    rehearse(scene)


def test_what_a_method_leaves_lying_is_taken_back_from_it() -> None:
    """A receiver that was quick and now is busy with something else does not keep from others what it was sent."""

    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](1000)
        for n in range(500):
            await send.send(n)
        porter = await Porter.start()
        porter.take_then_nap.cast(receive, 100, 30.0)
        await until(lambda: len(send._store.items) <= 400)  # type: ignore[attr-defined]
        got = []
        with trio.fail_after(5):
            got += [await receive.receive() for _ in range(400)]
        assert sorted(got) == list(range(100, 500))
        await kill(porter)

    rehearse(scene)


def test_what_a_method_has_sent_leaves_while_it_does_something_else() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](100)
        porter = await Porter.start()
        porter.send_then_nap.cast(send, list(range(50)), 30.0)
        with trio.fail_after(5):
            assert [await receive.receive() for _ in range(50)] == list(range(50))
        await kill(porter)

    rehearse(scene)


def test_an_actor_that_hoards_room_gives_it_back() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = open_channel[int](100)
        porter = await Porter.start()
        porter.send_then_nap.cast(send, list(range(60)), 30.0)
        with trio.fail_after(5):
            for _ in range(60):
                await receive.receive()
            for n in range(100):
                await send.send(n)
        await kill(porter)

    rehearse(scene)


@elsewhere
def test_a_thousand_channels_at_once_and_nothing_is_left_of_them(porters: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        porter = await porters.start()
        pairs = [(open_channel[int](1), open_channel[int](1)) for _ in range(1000)]
        if not hasattr(porters, "many"):
            return
        for n, (there, _) in enumerate(pairs):
            await there[0].send(n)
        assert await porter.many([(there[1], back[0]) for there, back in pairs]) == 1000
        assert [await back[1].receive() for _, back in pairs] == list(range(1, 1001))

    rehearse(scene)


def test_tables_are_empty_afterwards_on_both_sides() -> None:
    async def scene(runtime: Runtime) -> None:
        from understudy.actors import channel_lending, channel_ticket

        porter = await Porter.options(name="porter").start()
        for _ in range(1000):
            send, receive = open_channel[int](1)
            send.send_nowait(1)
            await porter.receive(receive, 1)
        del send, receive
        await porter.pid()
        gc.collect()
        incarnation: Any = runtime.house.registry.find("porter", "")._life.incarnation
        lending = incarnation.belongings.lending
        assert (await porter.tables())["ends"] == 0
        await until(lambda: not lending.ends)
        assert not lending.given
        assert not lending.early
        assert not channel_lending.lent
        assert not channel_ticket.tickets

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("executor", [QUIET, Thread()], ids=["process", "thread"])
def test_calls_that_bring_the_first_ends_at_the_same_time_all_get_theirs(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        for _ in range(4):
            porter = await Porter.options(executor=executor, max_concurrency=4).start()
            pairs = [open_channel[int](5) for _ in range(4)]
            refs = [porter.receive.remote(receive, 1) for _, receive in pairs]
            for n, (send, _) in enumerate(pairs):
                await send.send(n)
            with trio.fail_after(5):
                assert [await ref for ref in refs] == [[0], [1], [2], [3]]
            await kill(porter)

    rehearse(scene)
