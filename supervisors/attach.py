"""Attaching: another program of the same user asks a runtime for snapshots, through a private socket."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import msgspec
import trio

from ..transports.links.private import PrivateSocket, is_ours
from .snapshot import snapshot_of

if TYPE_CHECKING:
    from .runtime import Runtime

log = logging.getLogger("understudy.supervisors.attach")

VARIABLE = "UNDERSTUDY_ATTACH"
ASKED = b"snapshot\n"
GUESTS = 8  # who may look on at once
PATIENCE = 10.0  # seconds that an answer may take to be read


def wants_attach(asked: bool | None) -> bool:
    """May others attach?  As the option says, else the environment."""
    return os.environ.get(VARIABLE, "") not in ("", "0") if asked is None else asked


async def serve_door(runtime: Runtime, door: PrivateSocket) -> None:
    """Answer whoever asks, until cancelled; one that is not of our user is sent away."""
    limit = trio.CapacityLimiter(GUESTS)
    with door:
        listener = trio.socket.from_stdlib_socket(door.socket)
        async with trio.open_nursery() as nursery:
            while True:
                peer, _ = await listener.accept()
                if is_ours(peer):
                    nursery.start_soon(answer, runtime, peer, limit)
                else:
                    log.warning("a program of another user wanted to attach, and was sent away")
                    peer.close()


async def answer(runtime: Runtime, peer: trio.socket.SocketType, limit: trio.CapacityLimiter) -> None:
    """Give one onlooker a snapshot for each line that asks for it."""
    stream = trio.SocketStream(peer)
    try:
        async with stream, limit:
            while await heard(stream):
                told = msgspec.json.encode(snapshot_of(runtime))
                with trio.fail_after(PATIENCE):
                    await stream.send_all(len(told).to_bytes(4, "big") + told)
    except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
        pass  # an onlooker has gone, or looks elsewhere


async def heard(stream: trio.SocketStream) -> bool:
    """Was one more snapshot asked for?  False at the end, and for anything else that is said."""
    said = b""
    while len(said) < len(ASKED):
        more = await stream.receive_some(len(ASKED) - len(said))
        said += more
        if not more or not ASKED.startswith(said):
            return False
    return True
