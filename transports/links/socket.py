"""A link over a stream socket: what is said in a tick leaves as one frame at its end.

Coalescing is worth more than anything else on a message's way: a send per message costs ten times the rest.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

from ..codec import Codec, own
from ..guests import protocol as p
from ..guests.wire import READ_BYTES, list_header
from ..hub import Hub
from ..session import is_message
from ..ticks import EndOfTick

log = logging.getLogger("understudy.transports.links")
TRACE = 5  # `UNDERSTUDY_LOG=transports=trace` shows every message

EARLY = 64 * 1024  # bytes; a larger batch does not wait for the end of the tick
SLACK = 1024 * 1024  # bytes by which a frame may exceed the longest message: others travel in it


class SocketLink:
    """The host's end.  Never raises from `send` or `flush`: what ends the link is told by `on_end`."""

    __slots__ = (
        "buffer", "codec", "hub", "number", "on_breach", "on_drained", "on_end", "on_messages", "out", "out_bytes", "rest", "size", "sock", "ticks", "traced",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, codec: Codec, hub: Hub, ticks: EndOfTick) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.number = sock.fileno()
        self.codec = codec
        self.hub = hub
        self.ticks = ticks
        self.traced = log.isEnabledFor(TRACE)
        self.buffer = bytearray()
        self.out: list[bytes] = []
        self.out_bytes = 0
        self.size = 0  # bytes of the frame whose messages are delivered
        self.rest: memoryview | None = None
        self.on_messages: Callable[[list[Any]], None] = lambda messages: None
        self.on_end: Callable[[str], None] = lambda why: None
        self.on_breach: Callable[[str], None] = lambda why: None
        self.on_drained: Callable[[], None] = lambda: None

    def open(self) -> None:
        self.hub.watch(self.number, self.read)

    def close(self) -> None:
        """Close our end; idempotent, and nothing is called back afterwards."""
        if self.number >= 0:
            self.hub.forget(self.number)
            self.sock.close()
            self.number = -1
            self.out.clear()
            self.rest = None

    @property
    def congested(self) -> bool:
        """Is the guest slow to read?  Then `on_drained` is called when it has caught up."""
        return self.rest is not None

    def send_now(self, messages: list[bytes]) -> None:
        """Send encoded messages as one frame, at once."""
        self.out += messages
        self.flush()

    def send(self, message: bytes) -> None:
        """Send an encoded message with the others of this tick."""
        if not self.out:
            self.ticks.soon(self.flush)
        self.out.append(message)
        self.out_bytes += len(message)
        if self.out_bytes > EARLY:
            self.flush()

    def flush(self) -> None:
        """Write what is collected as far as the socket takes it."""
        out = self.out
        if not out or self.rest is not None or self.number < 0:
            return
        body = out[0] if len(out) == 1 else b"".join(out)
        header = list_header(len(out))
        if self.traced:
            self.trace("to", own(out))
        out.clear()
        self.out_bytes = 0
        self.write((len(header) + len(body)).to_bytes(4, "big") + header + body)

    def write(self, data: bytes | memoryview) -> None:
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # the guest is gone; its death or the link's end is told by whoever watches them
        if sent < len(data):
            self.rest = memoryview(data)[sent:]
            self.hub.when_writable(self.number, self.write_rest)

    def write_rest(self) -> None:
        rest, self.rest = self.rest, None
        if rest is not None:
            self.write(rest)
        if self.rest is None:
            self.flush()
        if self.rest is None:
            self.on_drained()

    def read(self) -> None:
        """Take one buffer's worth from the socket and hand on the messages in it."""
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.end(f"the link broke: {error}")
            return
        if not data:
            self.end("the guest closed its link")
            return
        # Almost always one read is one frame.
        if not self.buffer and len(data) >= 4 and int.from_bytes(data[:4], "big") + 4 == len(data):
            self.deliver(data[4:])
        else:
            self.buffer += data
            self.take_frames()

    def look(self) -> None:
        """Take what may have come, unasked."""
        self.read()

    def take_frames(self) -> None:
        while self.number >= 0 and len(self.buffer) >= 4:
            length = int.from_bytes(self.buffer[:4], "big")
            if length > self.codec.bounds.max_bytes + SLACK:
                self.breach(f"the guest announced a frame of {length:,} bytes")
                return
            if len(self.buffer) < 4 + length:
                return
            frame = bytes(self.buffer[4 : 4 + length])
            del self.buffer[: 4 + length]
            self.deliver(frame)

    def deliver(self, frame: bytes) -> None:
        try:
            messages = self.codec.decode(frame)
        except ValueError as error:
            self.breach(f"the guest wrote something that is no message: {error}")
        else:
            if self.traced:
                self.trace("from", messages)
            self.size = len(frame)
            self.on_messages(messages)

    def trace(self, direction: str, messages: list[Any]) -> None:
        """One log record a message: its kind and, where it has one, its message id."""
        for message in messages:
            kind, id = kind_and_id(message)
            log.log(TRACE, "%s guest on descriptor %d: %s %s", direction, self.number, kind, id)

    def drain(self) -> None:
        """Read all that has arrived: replies written before a death still count."""
        while self.number >= 0 and self.readable():
            self.read()

    def readable(self) -> bool:
        try:
            return bool(self.sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def breach(self, why: str) -> None:
        if self.number >= 0:
            self.close()
            self.on_breach(why)

    def end(self, why: str) -> None:
        if self.number >= 0:
            self.close()
            self.on_end(why)


def kind_and_id(message: Any) -> tuple[str, str]:
    """What a message says of itself, whatever a guest may have sent in its place."""
    if not is_message(message):
        return "?", ""
    return p.NAMES.get(message[0], "?"), str(message[1]) if len(message) > 1 and type(
        message[1]
    ) is int else ""
