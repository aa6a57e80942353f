"""Frames over a descriptor, blocking: the guest's end of a socket link."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from errno import EBADF
from typing import Any, Protocol

from .interrupts import whole

READ_BYTES = 65536  # CPython allocates the whole buffer; from 128 KiB on each read would map fresh pages


class HostGone(Exception):
    """The host closed the link or died; nobody is left to answer to."""


class Link(Protocol):
    """A guest's end of a link, be it to another process or within this one.

    What is put into `out` leaves with the next `flush`.
    """

    out: list[Any]

    def receive(self) -> list[Any]: ...
    def take(self) -> list[Any]: ...
    def feed(self, data: bytes, /) -> list[Any]: ...
    def ready(self, seconds: float, /) -> bool: ...
    def flush(self) -> None: ...
    def fileno(self) -> int: ...
    def listen(self, wake: Callable[[], None], /) -> None: ...


class Wire:
    """Reads frames of messages; collects messages and writes them as one frame."""

    __slots__ = ("buffer", "decode", "fd", "office", "out")

    office: Any  # of channels, once there are any
    shared: type[Wire]  # what it is from then on

    def __init__(self, fd: int, decode: Callable[[bytes], list[Any]]) -> None:
        self.fd = fd
        self.decode = decode
        self.buffer = bytearray()
        self.out: list[bytes] = []

    def receive(self) -> list[Any]:
        """Wait for the next messages; raises HostGone when the link has ended."""
        while True:
            messages = self.take()
            if messages or not self.buffer:
                return messages

    def take(self) -> list[Any]:
        """Read once; returns the messages that are complete now."""
        try:
            data = os.read(self.fd, READ_BYTES)
        except ConnectionError as gone:
            raise HostGone from gone
        return self.feed(data)

    def feed(self, data: bytes) -> list[Any]:
        """The messages that are complete with what was read."""
        if not self.buffer and int.from_bytes(data[:4], "big") + 4 == len(data):
            return self.decode(data[4:])
        if not data:
            raise HostGone
        self.buffer += data
        return self.take_frames()

    def ready(self, seconds: float) -> bool:
        """Wait at most so long until there is something to take; False if there is not."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def fileno(self) -> int:
        """The descriptor that tells when there is something to take."""
        return self.fd

    def listen(self, wake: Callable[[], None]) -> None:
        """The descriptor tells."""

    def cut(self) -> None:
        """From now on the host is gone, for this process: nothing is heard or said."""
        ours, theirs = os.pipe()
        os.close(theirs)
        os.dup2(ours, self.fd, inheritable=False)
        os.close(ours)
        self.buffer.clear()
        self.out.clear()

    def take_frames(self) -> list[Any]:
        messages: list[Any] = []
        at = 0
        while len(self.buffer) - at >= 4:
            end = at + 4 + int.from_bytes(self.buffer[at : at + 4], "big")
            if end > len(self.buffer):
                break
            messages += self.decode(bytes(self.buffer[at + 4 : end]))
            at = end
        del self.buffer[:at]
        return messages

    def flush(self) -> None:
        """Write what is collected as one frame; blocks while the host is slow to read."""
        out = self.out
        if out:
            data = framed(out)
            out.clear()
            self.write(data)

    def write(self, data: bytes) -> None:
        try:
            sent = os.write(self.fd, data)
            while sent < len(data):
                sent += os.write(self.fd, memoryview(data)[sent:])
        except OSError as gone:
            if not isinstance(gone, ConnectionError) and gone.errno != EBADF:
                raise
            raise HostGone from gone


class SharedWire(Wire):
    """The same, where several threads write: what channels have to say leaves ahead of all else, as a frame of its own."""

    __slots__ = ()

    @whole
    def flush(self) -> None:
        office, out = self.office, self.out
        with office.lock:
            data = b""
            if office.out or office.dirty or (out and (office.active or any(office.travelling))):
                messages = office.collect(bool(out))
                data = framed(messages) if messages else b""
            if out:
                size = len(out)
                data += framed(out[:size])
                del out[:size]  # others may have added to it
            if data:
                self.write(data)


Wire.shared = SharedWire


def framed(messages: list[bytes]) -> bytes:
    """A frame of encoded messages."""
    size = len(messages)
    body = messages[0] if size == 1 else b"".join(messages)
    header = bytes((0x90 | size,)) if size < 16 else list_header(size)
    return (len(body) + len(header)).to_bytes(4, "big") + header + body


def list_header(size: int) -> bytes:
    """The msgpack header of a list: encoded messages are joined behind it, not encoded again."""
    if size < 16:
        return bytes((0x90 | size,))
    if size < 65536:
        return b"\xdc" + size.to_bytes(2, "big")
    return b"\xdd" + size.to_bytes(4, "big")
