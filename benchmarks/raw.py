"""The limit: framed msgpack over a blocking socket pair to a forked child, without event loop, scheduling or errors.

A request is `[id, name, args]`, a reply `[id, value]`, each in a frame of its own. The child calls what `name` stands
for and the parent matches replies by `id`: the least that makes a message a call.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import islice

from msgspec.msgpack import Decoder, Encoder

from benchmarks.case import Case, Sample
from benchmarks.frames import Frames, framed
from benchmarks.stopwatch import Stopwatch

CALLERS = 100

encode = Encoder().encode

Exchange = Callable[[socket.socket, int], None]


def echo(x: int) -> int:
    """What the child calls."""
    return x


METHODS = {"echo": echo}


def serve(sock: socket.socket) -> None:
    """The child: answer every request, all replies to one `recv` in one `send`."""
    decode = Decoder(tuple[int, str, list[int]]).decode
    frames = Frames(sock)
    while bodies := frames.receive():
        replies: list[bytes] = []
        for body in bodies:
            identity, name, args = decode(body)
            replies.append(framed(encode((identity, METHODS[name](*args)))))
        sock.sendall(b"".join(replies))


def ping_pong(sock: socket.socket, count: int) -> None:
    """One request at a time."""
    decode = Decoder(tuple[int, int]).decode
    frames = Frames(sock)
    for number in range(count):
        sock.sendall(framed(encode((number, "echo", (1,)))))
        identity, _ = decode(frames.receive()[0])
        assert identity == number


def outstanding(sock: socket.socket, count: int) -> None:
    """A hundred requests under way: as many as one `recv` answers are asked anew in one `send`."""
    decode = Decoder(tuple[int, int]).decode
    frames = Frames(sock)
    pending: set[int] = set()
    numbers = iter(range(count))
    ask(sock, pending, list(islice(numbers, CALLERS)))
    while pending:
        bodies = frames.receive()
        for body in bodies:
            identity, _ = decode(body)
            pending.remove(identity)
        ask(sock, pending, list(islice(numbers, len(bodies))))


def ask(sock: socket.socket, pending: set[int], numbers: list[int]) -> None:
    """Send a request for each number, a frame each, all in one `send`."""
    pending.update(numbers)
    sock.sendall(b"".join([framed(encode((number, "echo", (1,)))) for number in numbers]))


@contextmanager
def child(serve: Callable[[socket.socket], None] = serve) -> Generator[tuple[socket.socket, int], None, None]:
    """A forked child that serves, as the socket to it and its pid."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        serve(theirs)
        os._exit(0)
    theirs.close()
    try:
        yield ours, pid
    finally:
        ours.close()
        os.waitpid(pid, 0)


def measure(exchange: Exchange, count: int) -> Sample:
    """Run one exchange with a child, warmed up."""
    with child() as (sock, pid):
        exchange(sock, count // 10 + CALLERS)
        with Stopwatch([pid]) as watch:
            exchange(sock, count)
    return watch.sample(count)


def _sequential(count: int) -> Sample:
    return measure(ping_pong, count)


def _concurrent(count: int) -> Sample:
    return measure(outstanding, count)


CASES = (
    Case(name="raw sequential, one core", group="raw", unit="wall", run=_sequential, pinned=True, first=5000),
    Case(name="raw sequential", group="raw", unit="wall", run=_sequential, first=2000),
    Case(name="raw 100, one core", group="raw", unit="rate", run=_concurrent, pinned=True, first=50_000),
    Case(name="raw 100", group="raw", unit="rate", run=_concurrent, first=50_000),
)
