"""What a test may leave behind: nothing.  A census before, another after, and what is new in words."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..transports.places.greenroom import GREEN_ROOM

PROC = Path("/proc")
SHARED = Path("/dev/shm")
PATIENCE = 1.0  # seconds in which what is on its way out may go
CACHED = (
    "Trio thread ",
    "asyncio_",
    "AnyIO worker thread",
)  # kept for the next who needs one, and not waited for


@dataclass(frozen=True)
class Census:
    """What this process has: each thing by what it is, with words for a person."""

    processes: Mapping[int, str]
    descriptors: Mapping[tuple[int, str], str]
    segments: Mapping[str, str]
    threads: Mapping[int, str]


def take_census() -> Census:
    """Count what there is now; what the system does not tell is left out."""
    return Census(dict(processes()), dict(descriptors()), dict(segments()), dict(threads()))


def leaked(before: Census) -> list[str]:
    """What has been added since, in words; what is about to go has a second for that."""
    deadline = time.monotonic() + PATIENCE
    found = list(added(before, take_census()))
    if found:
        gc.collect()  # what only a cycle holds is no leak
    while found and time.monotonic() < deadline:
        time.sleep(0.01)
        found = list(added(before, take_census()))
    return found


def added(before: Census, after: Census) -> Iterator[str]:
    for kind in ("processes", "descriptors", "segments", "threads"):
        old: Mapping[object, str] = getattr(before, kind)
        new: Mapping[object, str] = getattr(after, kind)
        yield from (words for key, words in new.items() if key not in old)


# -- each kind ---------------------------------------------------------------------------------------


def processes() -> Iterator[tuple[int, str]]:
    """All that descends from this one."""
    below, waiting, resting = set[int](), [os.getpid()], GREEN_ROOM.pids
    while waiting:
        children = set(children_of(waiting.pop())) - below - resting
        below |= children
        waiting += children
    for pid in sorted(below):
        yield pid, f"process {pid}: {command_of(pid)}"


def children_of(pid: int) -> Iterator[int]:
    for listed in (PROC / str(pid) / "task").glob("*/children"):
        try:
            yield from map(int, listed.read_text().split())
        except OSError:
            continue  # the thread has ended


def command_of(pid: int) -> str:
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    return " ".join(word.decode(errors="replace") for word in words if word)[:200] or "gone by now"


def descriptors() -> Iterator[tuple[tuple[int, str], str]]:
    folder = PROC / "self/fd" if PROC.is_dir() else Path("/dev/fd")
    try:
        numbers = [int(name) for name in os.listdir(folder) if name.isdigit()]
    except OSError:
        return
    for number in sorted(set(numbers) - GREEN_ROOM.descriptors):
        try:
            target = os.readlink(folder / str(number)) if folder.is_relative_to(PROC) else ident(number)
        except OSError:
            continue  # it was the one that lists them
        yield (number, target), f"descriptor {number}: {target}"


def ident(number: int) -> str:
    status = os.fstat(number)
    return f"{status.st_dev}:{status.st_ino}"


def segments() -> Iterator[tuple[str, str]]:
    """Shared memory: mapped here, or left in /dev/shm by this user while nobody else runs tests."""
    try:
        lines = (PROC / "self/maps").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name = line.partition("/")[2]
        if name.startswith(("memfd:", "dev/shm/", "SYSV")):
            inode = line.split()[4]
            yield f"{inode} {name}", f"shared memory, mapped: /{name}"
    if SHARED.is_dir() and "PYTEST_XDIST_WORKER" not in os.environ:
        for path in sorted(SHARED.iterdir()):
            if is_ours(path):
                yield str(path), f"shared memory: {path}"


def is_ours(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False


def threads() -> Iterator[tuple[int, str]]:
    for thread in threading.enumerate():
        if not thread.name.startswith(CACHED) and thread.ident is not None:
            yield id(thread), f"thread {thread.name!r}"
