"""Who is whose child, and the end of those who should not be there."""

from __future__ import annotations

import contextlib
import os
import signal


def next_change(options: int) -> tuple[int, int] | None:
    """The next child that changed state; None if there is none (or no child at all)."""
    try:
        pid, status = os.waitpid(-1, options)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def children_of(pid: int) -> list[int]:
    """Direct children, by the kernel's list, or by reading every process where it keeps none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listing:
            return [int(number) for number in listing.read().split()]
    except OSError:
        return [child for child in all_processes() if parent_of(child) == pid]


def all_processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def parent_of(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def kill_group(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
