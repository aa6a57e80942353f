"""A link over a socket: one frame a tick, any slicing of the bytes, and an end that is told once."""

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.lowlevel

from understudy.actors.executor import Bounds
from understudy.transports.codec import Codec
from understudy.transports.guests import msgpack
from understudy.transports.hub import Hub, TaskHub
from understudy.transports.links.socket import EARLY, SLACK, SocketLink
from understudy.transports.ticks import PLAIN, EndOfTick

hubs = pytest.mark.parametrize("kind", [Hub, TaskHub])


class Stand:
    """A link, the far end of its socket, and what was called back."""

    def __init__(self, hub: Hub, ticks: EndOfTick, trusted: bool = True) -> None:
        ours, self.far = socket.socketpair()
        self.far.setblocking(False)
        self.link = SocketLink(ours, Codec(trusted, Bounds(max_bytes=1_000_000)), hub, ticks)
        self.messages: list[Any] = []
        self.ends: list[str] = []
        self.drained = 0
        self.link.on_messages = self.messages.extend
        self.link.on_end = self.ends.append
        self.link.on_breach = self.ends.append
        self.link.on_drained = self.count
        self.link.open()

    def count(self) -> None:
        self.drained += 1

    def say(self, *numbers: int) -> None:
        for number in numbers:
            self.link.send(msgpack.pack([number]))

    def close(self) -> None:
        self.link.close()
        self.far.close()


def play(body: Callable[[Stand], Awaitable[Any]], kind: type[Hub] = Hub, trusted: bool = True) -> None:
    async def main() -> None:
        hub = kind()
        ticks = EndOfTick(hub.arrived)
        async with trio.open_nursery() as nursery:
            await nursery.start(hub.run)
            await nursery.start(ticks.run)
            stand = Stand(hub, ticks, trusted)
            try:
                with trio.fail_after(20):
                    await body(stand)
            finally:
                stand.close()
            nursery.cancel_scope.cancel()

    trio.run(main)


def frame(*messages: Any) -> bytes:
    body = msgpack.pack(list(messages))
    return len(body).to_bytes(4, "big") + body


async def until(condition: Callable[[], Any]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await trio.sleep(0.001)


def received(far: socket.socket) -> bytes:
    try:
        return far.recv(1 << 20)
    except BlockingIOError:
        return b""


async def receive_frames(far: socket.socket, count: int) -> list[Any]:
    """Read as a slow guest does, until `count` messages have come."""
    data = b""
    messages: list[Any] = []
    while len(messages) < count:
        await trio.lowlevel.wait_readable(far)
        data += far.recv(50_000)
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4], "big"):
            end = 4 + int.from_bytes(data[:4], "big")
            messages += msgpack.unpack(data[4:end], lambda *_: None)
            data = data[end:]
    return messages


@hubs
def test_what_is_said_in_a_tick_leaves_as_one_frame_at_its_end(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        stand.say(1, 2, 3)
        early = received(stand.far)
        for _ in range(2 if PLAIN else 1):
            await trio.lowlevel.checkpoint()

        assert (early, received(stand.far)) == (b"", frame([1], [2], [3]))

    play(body, kind)


def test_a_large_batch_does_not_wait_for_the_end_of_the_tick() -> None:
    async def body(stand: Stand) -> None:
        stand.link.send(msgpack.pack(["x" * (EARLY + 1)]))

        assert received(stand.far) == frame(["x" * (EARLY + 1)])

    play(body)


@hubs
def test_what_a_slow_guest_does_not_take_waits_and_arrives_whole_and_in_order(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        big = [[n, "x" * 300_000] for n in range(10)]
        for message in big:
            stand.link.send(msgpack.pack(message))
        congested = stand.link.congested
        got = await receive_frames(stand.far, 10)
        await until(lambda: stand.drained)

        assert congested
        assert (got, stand.link.congested, stand.drained) == (big, False, 1)

    play(body, kind)


@hubs
def test_what_is_said_while_the_guest_is_slow_follows_in_order(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        stand.link.send(msgpack.pack([0, "x" * 2_000_000]))
        await trio.sleep(0.01)
        stand.say(1, 2)
        await trio.sleep(0.01)
        stand.say(3)

        assert [message[0] for message in await receive_frames(stand.far, 4)] == [0, 1, 2, 3]

    play(body, kind)


@hubs
def test_a_frame_cut_at_every_byte_is_put_together(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        data = frame([1, "a message"])
        for cut in range(1, len(data)):
            stand.messages.clear()
            stand.far.send(data[:cut])
            await trio.lowlevel.checkpoint()
            stand.link.drain()
            assert stand.messages == []
            stand.far.send(data[cut:])
            await until(lambda: stand.messages)
            assert stand.messages == [[1, "a message"]]

    play(body, kind)


def test_frames_that_come_byte_by_byte_are_put_together() -> None:
    async def body(stand: Stand) -> None:
        for byte in frame([1]) + frame([2], [3]) + frame() + frame([4]):
            stand.far.send(bytes([byte]))
            stand.link.drain()

        assert stand.messages == [[1], [2], [3], [4]]

    play(body)


def test_frames_that_come_together_are_taken_apart() -> None:
    async def body(stand: Stand) -> None:
        stand.far.send(frame([1]) + frame([2], [3]) + frame([4])[:-1])
        await until(lambda: stand.messages)

        assert stand.messages == [[1], [2], [3]]

    play(body)


def test_a_frame_larger_than_a_read_is_taken_whole() -> None:
    async def body(stand: Stand) -> None:
        stand.far.setblocking(True)
        data = frame(["x" * 900_000])
        await trio.to_thread.run_sync(stand.far.sendall, data)
        await until(lambda: stand.messages)

        assert stand.messages == [["x" * 900_000]]

    play(body)


GARBAGE = {
    "words": b"Segmentation fault (core dumped)\n" * 10,
    "zeros": bytes(64),
    "no list": b"\x00\x00\x00\x01\x07",
    "cut short": b"\x00\x00\x00\x02\x92\x01",
    "empty": b"\x00\x00\x00\x00",
    "deep": (200_000).to_bytes(4, "big") + b"\x91" * 200_000,
    "4 GiB": b"\xff\xff\xff\xff",
    "just too long": (1_000_000 + SLACK + 1).to_bytes(4, "big"),
}


@hubs
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_ends_the_link_once_with_words(kind: type[Hub], trusted: bool, what: str) -> None:
    async def body(stand: Stand) -> None:
        stand.far.setblocking(True)
        await trio.to_thread.run_sync(stand.far.sendall, GARBAGE[what])
        await until(lambda: stand.ends)
        await trio.sleep(0.002)

        assert (len(stand.ends), stand.messages, stand.link.number) == (1, [], -1)
        assert "announced a frame of" in stand.ends[0] or "no message" in stand.ends[0]

    play(body, kind, trusted)


def test_the_longest_announcement_that_is_allowed_is_waited_for() -> None:
    async def body(stand: Stand) -> None:
        stand.far.send((1_000_000 + SLACK).to_bytes(4, "big") + b"\x91")
        await trio.sleep(0.01)

        assert (stand.ends, stand.link.number >= 0) == ([], True)

    play(body)


@hubs
def test_a_closed_far_end_is_told_once(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        stand.far.close()
        await until(lambda: stand.ends)
        stand.link.end("again")

        assert stand.ends == ["the guest closed its link"]

    play(body, kind)


def test_what_was_said_before_the_end_is_heard_first() -> None:
    async def body(stand: Stand) -> None:
        stand.far.send(frame([1]) + frame([2]))
        stand.far.close()
        stand.link.drain()

        assert (stand.messages, stand.link.readable()) == ([[1], [2]], False)

    play(body)


def test_a_drain_takes_more_than_one_read() -> None:
    async def body(stand: Stand) -> None:
        for n in range(3):
            stand.far.send(frame([n, "x" * 50_000]))
        stand.far.close()
        stand.link.drain()

        assert [message[0] for message in stand.messages] == [0, 1, 2]

    play(body)


@hubs
def test_sending_to_a_guest_that_has_gone_raises_nothing(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        stand.far.close()
        stand.say(1)
        stand.link.send(msgpack.pack(["x" * 200_000]))
        await until(lambda: stand.ends)
        stand.say(2)
        await trio.sleep(0.002)

        assert len(stand.ends) == 1

    play(body, kind)


@hubs
def test_a_link_closed_while_its_guest_is_slow_calls_nobody_back(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        stand.link.send(msgpack.pack(["x" * 2_000_000]))
        await trio.sleep(0.002)
        stand.link.close()
        stand.link.close()
        while received(stand.far):
            pass
        await trio.sleep(0.01)

        assert (stand.drained, stand.ends) == (0, [])

    play(body, kind)


@hubs
def test_a_link_closed_by_what_it_heard_hears_no_more(kind: type[Hub]) -> None:
    async def body(stand: Stand) -> None:
        def hear(messages: list[Any]) -> None:
            stand.messages.extend(messages)
            stand.link.close()

        stand.link.on_messages = hear
        stand.far.send(frame([1]) + frame([2]))
        await until(lambda: stand.messages)
        await trio.sleep(0.002)

        assert (stand.messages, stand.ends) == ([[1]], [])

    play(body, kind)
