"""What a keeper tells on its link: messages in frames, and with some of them a descriptor."""

from __future__ import annotations

import marshal
import socket
import sys
from collections.abc import Iterator
from typing import Any

RECEIVE = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def receive(link: socket.socket) -> tuple[bytes, list[int]]:
    """Read what there is; with it comes one descriptor at most, -1 if we have no number left for it."""
    data, ancillary, flags, _ = link.recvmsg(65536, socket.CMSG_SPACE(4), RECEIVE)
    found = [
        int.from_bytes(content[:4], sys.byteorder)
        for level, kind, content in ancillary
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
    ]
    return data, [-1] if flags & socket.MSG_CTRUNC and not ancillary else found


def messages(buffer: bytearray) -> Iterator[tuple[Any, ...]]:
    """Take those that are whole."""
    while len(buffer) >= 4 and len(buffer) >= 4 + (length := int.from_bytes(buffer[:4], "big")):
        message: tuple[Any, ...] = marshal.loads(bytes(buffer[4 : 4 + length]))
        del buffer[: 4 + length]
        yield message
