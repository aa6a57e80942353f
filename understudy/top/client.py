"""The onlooker's end: which runtimes can be attached to, and a snapshot of one."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Self

import msgspec

from ..supervisors.attach import ASKED, VARIABLE
from ..supervisors.snapshot import Snapshot
from ..transports.links.private import is_ours, sockets

LARGEST = 64 * 1024 * 1024  # bytes of a snapshot
PATIENCE = 10.0  # seconds that a runtime may take to answer; one whose loop is blocked does not


class CannotAttach(Exception):
    """There is nothing to attach to, or too much; the text says what to do."""


class Gone(Exception):
    """The runtime has ended."""


def choose(pid: int | None) -> Path:
    """The socket of the runtime to look at: that of a process, or the only one there is.

    Raises:
        CannotAttach: if there is none, or more than one.
    """
    found = sockets()
    if pid is not None and pid not in found:
        raise CannotAttach(f"process {pid} has no runtime that can be attached to; {HOW}")
    paths = found.get(pid, []) if pid is not None else [path for each in found.values() for path in each]
    if not paths:
        raise CannotAttach(f"no runtime of yours can be attached to; {HOW}")
    if pid is None and len(found) > 1:
        raise CannotAttach(f"choose one by --attach: {', '.join(map(str, sorted(found)))}")
    return paths[-1]


HOW = f"open it with open_runtime(tree, attach=True), or set {VARIABLE}=1 in its environment"


class Attached:
    """A connection to a runtime."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(str(path))
            if not is_ours(self.socket):
                raise CannotAttach(f"{path} is served by another user's program")
        except OSError as error:
            self.socket.close()
            raise CannotAttach(f"{path} does not answer: {error}") from error
        except BaseException:
            self.socket.close()
            raise

    def snapshot(self) -> Snapshot:
        """What the runtime is doing now.

        Raises:
            Gone: if it has ended, or does not answer any more.
        """
        try:
            self.socket.sendall(ASKED)
            size = int.from_bytes(self.take(4), "big")
            if size > LARGEST:
                raise Gone(f"it answers with {size:,} bytes, which is too much")
            return msgspec.json.decode(self.take(size), type=Snapshot)
        except TimeoutError as error:
            raise Gone(f"it has not answered for {PATIENCE:g} s; something blocks its event loop") from error
        except (OSError, EOFError) as error:
            raise Gone("the runtime has ended") from error
        except msgspec.MsgspecError as error:
            raise Gone(f"it answers what this version does not understand: {error}") from error

    def take(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            more = self.socket.recv(min(size - len(data), 65536))
            if not more:
                raise EOFError
            data += more
        return bytes(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.socket.close()
