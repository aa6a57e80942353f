"""The guest's end of a link: whole messages out of any slicing of the bytes, one frame out of many messages."""

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from understudy.transports.guests import msgpack
from understudy.transports.guests.wire import HostGone, Wire, list_header

Ends = tuple[Wire, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Wire(ours.fileno(), lambda data: msgpack.unpack(data, lambda *_: None)), theirs


def frame(*messages: object) -> bytes:
    body = msgpack.pack(list(messages))
    return len(body).to_bytes(4, "big") + body


def test_one_frame_is_one_list_of_messages(ends: Ends) -> None:
    wire, host = ends
    host.sendall(frame([1, "a"], [2]))

    assert wire.receive() == [[1, "a"], [2]]


def test_frames_that_come_together_are_taken_together_and_in_order(ends: Ends) -> None:
    wire, host = ends
    host.sendall(frame([1]) + frame([2], [3]) + frame([4]))

    assert wire.receive() == [[1], [2], [3], [4]]


def test_a_frame_cut_at_any_byte_is_put_together(ends: Ends) -> None:
    wire, host = ends
    data = frame([1, "message"])
    for cut in range(1, len(data)):
        host.sendall(data[:cut])
        late = threading.Timer(0.002, host.sendall, [data[cut:]])
        late.start()

        assert wire.receive() == [[1, "message"]]
        late.join()


def test_the_beginning_of_the_next_frame_is_kept_for_the_next_time(ends: Ends) -> None:
    wire, host = ends
    data = frame([2])
    host.sendall(frame([1]) + data[:3])
    first = wire.receive()
    host.sendall(data[3:] + frame([3]))

    assert (first, wire.receive()) == ([[1]], [[2], [3]])


def test_a_frame_longer_than_any_buffer_is_taken_whole(ends: Ends) -> None:
    wire, host = ends
    big = b"x" * 3_000_000
    sender = threading.Thread(target=host.sendall, args=(frame([big]),))
    sender.start()
    messages = wire.receive()
    sender.join()

    assert messages == [[big]]


def test_an_empty_frame_is_no_message(ends: Ends) -> None:
    wire, host = ends
    host.sendall(frame())

    assert wire.receive() == []


def test_what_is_collected_leaves_as_one_frame(ends: Ends) -> None:
    wire, host = ends
    wire.out += [msgpack.pack([n]) for n in range(20)]
    wire.flush()

    assert host.recv(1000) == frame(*([n] for n in range(20)))
    assert wire.out == []


def test_nothing_collected_is_nothing_sent(ends: Ends) -> None:
    wire, host = ends
    wire.flush()
    host.setblocking(False)
    with pytest.raises(BlockingIOError):
        host.recv(1)


def test_a_flush_waits_for_a_slow_reader_and_loses_nothing(ends: Ends) -> None:
    wire, host = ends
    big = [b"%d" % n * 400_000 for n in range(5)]
    wire.out += [msgpack.pack([n]) for n in big]
    writer = threading.Thread(target=wire.flush)
    writer.start()
    length = int.from_bytes(host.recv(4, socket.MSG_WAITALL), "big")
    body = b""
    while len(body) < length:
        body += host.recv(4096)
    writer.join()

    assert msgpack.unpack(body, lambda *_: None) == [[n] for n in big]


def test_a_closed_link_is_host_gone(ends: Ends) -> None:
    wire, host = ends
    host.close()
    wire.out.append(msgpack.pack([1]))
    with pytest.raises(HostGone):
        wire.receive()
    with pytest.raises(HostGone):
        wire.flush()


def test_a_link_that_ends_in_the_middle_of_a_frame_is_host_gone(ends: Ends) -> None:
    wire, host = ends
    host.sendall(frame([1, 2, 3])[:-1])
    host.close()
    with pytest.raises(HostGone):
        wire.receive()


def test_a_reset_link_is_host_gone(ends: Ends) -> None:
    wire, host = ends
    os.write(wire.fd, b"unread")
    host.close()
    with pytest.raises(HostGone):
        wire.receive()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 255, 65535, 65536, 1 << 20])
def test_the_header_of_a_list_is_what_msgpack_writes(size: int) -> None:
    assert msgpack.pack([None] * size)[: len(list_header(size))] == list_header(size)
