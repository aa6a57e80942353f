"""The host's end of a guest's diagnostics channel: stacks come on it, and sockets of those who stopped."""

from __future__ import annotations

import array
import contextlib
import os
import re
import socket
from collections.abc import Callable

import trio

from ..guests.bootstrap import __file__ as bootstrap
from ..guests.diagnostics import DUMP
from ..hub import Hub

MOST = 1024 * 1024  # bytes of stacks; faulthandler itself writes less
QUIET = 0.1  # seconds without more, after which stacks whose end is not known are taken for whole
MAX_DESCRIPTORS = 4

# The oldest thread comes last, and this is where it began.
LAST_LINE = re.compile(rb'File "%s", line \d+ in <module>\n\Z' % re.escape(os.fsencode(bootstrap)))

CONTROL = dict.fromkeys({*range(32), *range(127, 160)} - {9, 10, 13})


class Diagnostics:
    """Reads one guest's channel.  `on_stop` is given what a breakpoint sent: a socket and the place in the code."""

    __slots__ = ("came", "dumped", "hub", "on_stop", "sock", "wanted")

    def __init__(self, sock: socket.socket, hub: Hub) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.hub = hub
        self.dumped = bytearray()
        self.wanted = False
        self.came = trio.Event()
        self.on_stop: Callable[[socket.socket, str], None] = lambda sock, place: sock.close()
        hub.watch(sock.fileno(), self.read)

    def close(self) -> None:
        if self.sock.fileno() >= 0:
            self.hub.forget(self.sock.fileno())
            self.sock.close()
            self.tell()

    def tell(self) -> None:
        came, self.came = self.came, trio.Event()
        came.set()

    def read(self) -> None:
        try:
            data, given = receive(self.sock)
        except BlockingIOError:
            return
        except OSError:
            data, given = b"", []
        if given:
            self.stopped(given, plain(data))
        elif data and self.wanted:
            self.dumped += data[: MOST - len(self.dumped)]
            self.tell()
        elif not data:
            self.close()

    def stopped(self, given: list[int], place: str) -> None:
        for descriptor in given[1:]:
            os.close(descriptor)
        try:
            sock = socket.socket(fileno=given[0])
        except OSError:  # no socket: an honest guest sends one
            os.close(given[0])
        else:
            self.on_stop(sock, place)

    async def stacks(self, signal: Callable[[int], None], seconds: float) -> str:
        """Ring for the stacks of all threads, and wait that long for them; "" if none came.

        One who asks while another does is given the same.
        """
        if not self.wanted:
            self.wanted, self.dumped = True, bytearray()
            signal(DUMP)
        with trio.move_on_after(seconds):
            await self.whole()
        self.wanted = False
        return plain(bytes(self.dumped))

    async def whole(self) -> None:
        while self.wanted and not LAST_LINE.search(self.dumped) and self.sock.fileno() >= 0:
            with trio.move_on_after(QUIET if self.dumped else float("inf")) as quiet:
                await self.came.wait()
            if quiet.cancelled_caught:
                return


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """What has come, and the descriptors that came with it."""
    size = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
    data, ancillary, _, _ = sock.recvmsg(65536, size, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
    numbers = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    return data, list(numbers)


def plain(data: bytes) -> str:
    """Text for a terminal: a guest's bytes, without what would steer it."""
    return data.decode("utf-8", "replace").translate(CONTROL)


def hang_up(sock: socket.socket, why: str) -> None:
    """Tell a guest that stopped why nobody comes."""
    with contextlib.suppress(OSError):
        sock.send(why.encode() + b"\n", socket.MSG_DONTWAIT)
    sock.close()
