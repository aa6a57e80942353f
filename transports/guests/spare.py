"""A spare: a child that a zygote has forked ahead, so that the next guest waits for no fork.

It has done already what every guest does: a fork shares all memory, and copies each page when it first writes to it.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.machinery import PathFinder
from typing import Any

from . import zygote
from .birth import Birth
from .label import SPARE
from .lineage import kill
from .prctl import PR_SET_PDEATHSIG, Prctl

MOST = 1 << 20  # bytes of a request; one that is longer waits for a fork


class Spare:
    """The zygote's side: the child, and the line on which it is told whom to become."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self.line = line

    def become(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> bool:
        """Hand it a request, with the descriptors that came with it; False if that cannot be."""
        data = marshal.dumps(dict(request))
        if len(data) > MOST:
            return False
        with self.line, suppress(OSError):
            return socket.send_fds(self.line, [data], descriptors, socket.MSG_DONTWAIT) == len(data)
        return False

    def end(self) -> None:
        """It is of no use."""
        kill(self.pid)
        self.line.close()


class Waiting:
    """The child's side."""

    def __init__(self, line: socket.socket, keeper: int, prctl: Prctl | None) -> None:
        self.line = line
        self.keeper = keeper
        self.prctl = prctl

    def wait(self, scan: Sequence[str]) -> Birth:
        """Wait to be told whom to become; ends the process if that will not be."""
        try:
            return self.told(scan)
        except Exception:
            os._exit(1)

    def told(self, scan: Sequence[str]) -> Birth:
        if self.prctl:
            self.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != self.keeper:
                os._exit(0)
        os.setpgid(0, 0)
        zygote.label.show(SPARE)
        with suppress(Exception):
            warm_up(scan)
        with self.line:
            data, descriptors, _, _ = socket.recv_fds(self.line, MOST, 16, socket.MSG_CMSG_CLOEXEC)
        if not data:
            os._exit(0)  # nobody needs us
        return Birth(marshal.loads(data), descriptors, self.keeper, self.prctl)


def warm_up(scan: Sequence[str]) -> None:
    """Touch what every guest touches on its way to its first call."""
    from .interrupts import Doorbell
    from .main import ProcessGuest
    from .values import Values
    from .wire import Wire

    values = Values()
    values.use_msgspec()
    values.decode(values.encode([[1, 2, "warm", (), {}]]))
    guest: Any = ProcessGuest(Wire(-1, values.decode), values, None, Doorbell(None))  # pyright: ignore[reportArgumentType]
    guest.values.result(1, None)
    PathFinder.find_spec("understudy_guest_scan", list(scan))
    actor: Any = sys.modules.get("understudy.actors.actor")
    if actor is not None:
        type("Warm", (actor.Actor,), {"warm": sys.modules["understudy.actors.method"].method(nothing)})


def nothing(_: Any) -> None:
    """A method that is never called."""
