"""Length-prefixed frames cut from a stream of bytes, with as little Python as the limit deserves."""

from __future__ import annotations

import socket
from struct import Struct

PREFIX = Struct(">I")

# From 128 KiB up CPython's buffer comes from mmap and costs page faults: 50 µs for each recv.
CHUNK = 65536


def framed(body: bytes) -> bytes:
    """The frame that carries `body`."""
    return PREFIX.pack(len(body)) + body


class Frames:
    """Receives from a blocking socket and hands out the bodies of the frames that are complete."""

    def __init__(self, sock: socket.socket) -> None:
        self._recv = sock.recv
        self._rest = b""

    def receive(self) -> list[bytes]:
        """Wait for bytes and return the bodies that are complete; an empty list at the end of the stream."""
        bodies: list[bytes] = []
        while not bodies:
            data = self._recv(CHUNK)
            if not data:
                break
            bodies = self._cut(self._rest + data if self._rest else data)
        return bodies

    def _cut(self, data: bytes) -> list[bytes]:
        bodies = []
        start, available = 0, len(data)
        while available - start >= 4:
            end = start + 4 + PREFIX.unpack_from(data, start)[0]
            if end > available:
                break
            bodies.append(data[start + 4 : end])
            start = end
        self._rest = data[start:]
        return bodies
