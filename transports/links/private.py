"""Private sockets: a Unix socket that only programs of the same user can reach, found by the process's id.

It stands in a directory that is ours alone (0700), is ours alone itself (0600), and whoever connects is asked of the
system who it is.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import stat
import struct
import tempfile
from pathlib import Path
from typing import Protocol, Self

SUFFIX = ".socket"
BACKLOG = 8

numbers = itertools.count(1)


class NotPrivate(OSError):
    """The place for private sockets is somebody else's, or open to others."""


def folder() -> Path:
    """Where this user's private sockets stand; made if it is not there.

    Raises:
        NotPrivate: if it belongs to another user, or others may enter it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(base, "understudy") if base else Path(tempfile.gettempdir(), f"understudy-{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise NotPrivate(
            f"{path} is not a directory of yours alone (mode 0700); remove it, or set XDG_RUNTIME_DIR"
        )
    return path


class PrivateSocket:
    """A listening socket under this process's id; closed, its file goes with it."""

    def __init__(self, listener: socket.socket, path: Path) -> None:
        self.socket = listener
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.path.unlink(missing_ok=True)
        self.socket.close()


def private_socket() -> PrivateSocket:
    """Listen.

    Raises:
        NotPrivate: if it could be reached by others.
        OSError: if the system refuses.
    """
    sweep()
    path = folder() / f"{os.getpid()}-{next(numbers)}{SUFFIX}"
    path.unlink(missing_ok=True)  # of a dead process that had our id
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # from its first moment nobody else can connect
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return PrivateSocket(listener, path)


def sockets() -> dict[int, list[Path]]:
    """The private sockets of this user's processes that live, by the process's id."""
    found: dict[int, list[Path]] = {}
    for path in sorted(folder().glob(f"*-*{SUFFIX}")):
        owner = owner_of(path)
        if owner and lives(owner):
            found.setdefault(owner, []).append(path)
    return found


def sweep() -> None:
    """Remove what processes that were killed have left."""
    for path in folder().glob(f"*-*{SUFFIX}"):
        owner = owner_of(path)
        if owner and not lives(owner):
            path.unlink(missing_ok=True)


def owner_of(path: Path) -> int:
    number = path.name.partition("-")[0]
    return int(number) if number.isdigit() else 0


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Connected(Protocol):
    """A socket, of whatever library."""

    def getsockopt(self, level: int, name: int, size: int, /) -> bytes: ...


def is_ours(peer: Connected) -> bool:
    """Does a program of the same user hold the other end?  Where the system does not tell, the directory must do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    layout = struct.Struct("3i")  # process, user, group
    _, user, _ = layout.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, layout.size))
    return bool(user == os.getuid())
