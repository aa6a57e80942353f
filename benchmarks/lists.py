"""The limit of what travels in lists: a frame is one msgpack list of requests, the answer one list of replies."""

from __future__ import annotations

import socket

from msgspec.msgpack import Decoder, Encoder

from benchmarks import raw
from benchmarks.case import Case, Sample
from benchmarks.frames import Frames, framed
from benchmarks.stopwatch import Stopwatch

BATCH = 100

encode = Encoder().encode


def serve(sock: socket.socket) -> None:
    """The child: answer every list with a list."""
    decode = Decoder(list[tuple[int, str, list[int]]]).decode
    frames = Frames(sock)
    while bodies := frames.receive():
        for body in bodies:
            replies = [(identity, raw.METHODS[name](*args)) for identity, name, args in decode(body)]
            sock.sendall(framed(encode(replies)))


def exchange(sock: socket.socket, count: int) -> None:
    """Two lists of a hundred requests under way: while one is answered the next is made."""
    decode = Decoder(list[tuple[int, int]]).decode
    frames = Frames(sock)
    pending: set[int] = set()
    batches = iter(range(0, count, BATCH))
    for first in (next(batches), next(batches)):
        ask(sock, pending, first)
    while pending:
        for body in frames.receive():
            for identity, _ in decode(body):
                pending.remove(identity)
            if (first := next(batches, None)) is not None:
                ask(sock, pending, first)


def ask(sock: socket.socket, pending: set[int], first: int) -> None:
    """Send a list of requests."""
    numbers = range(first, first + BATCH)
    pending.update(numbers)
    sock.sendall(framed(encode([(number, "echo", (1,)) for number in numbers])))


def measure(count: int) -> Sample:
    """Requests in lists, warmed up."""
    count = max(2 * BATCH, count // BATCH * BATCH)
    with raw.child(serve) as (sock, pid):
        exchange(sock, 20 * BATCH)
        with Stopwatch([pid]) as watch:
            exchange(sock, count)
    return watch.sample(count)


CASES = (
    Case(name="raw lists, one core", group="raw", unit="rate", run=measure, pinned=True, first=50_000),
    Case(name="raw lists", group="raw", unit="rate", run=measure, first=50_000),
)
