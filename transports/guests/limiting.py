"""How far a guest may go, as the system enforces it: set in the forked child, before any code of the user's runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

SECOND_CHANCE = 1  # seconds of processor time between the signal that says it is used up, and the kill


def bear(limits: Mapping[str, int]) -> None:
    """Take limits on; what is limited cannot be raised again but by root.

    Raises:
        PermissionError: for a limit that is more than we have ourselves, or that the system does not know.
    """
    for name, limit in limits.items():
        try:
            LIMITS[name](limit)
        except (OSError, ValueError) as error:
            raise PermissionError(f"limit {name}={limit} cannot be set: {error}") from error


def memory(limit: int) -> None:
    """What it may write to and shares with nobody: its heap, not the libraries it maps or a loader's reserves.

    Where that cannot be limited by itself, all its address space is.
    """
    import resource

    cap(getattr(resource, "RLIMIT_DATA", resource.RLIMIT_AS), limit)


def cpu_seconds(limit: int) -> None:
    import resource

    cap(resource.RLIMIT_CPU, limit, limit + SECOND_CHANCE)


def open_files(limit: int) -> None:
    import resource

    cap(resource.RLIMIT_NOFILE, limit)


def processes(limit: int) -> None:
    import resource

    cap(resource.RLIMIT_NPROC, limit)


def niceness(limit: int) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, limit)


def cap(which: int, soft: int, hard: int | None = None) -> None:
    import resource

    resource.setrlimit(which, (soft, soft if hard is None else hard))


LIMITS: dict[str, Callable[[int], None]] = {
    "memory": memory,
    "cpu_seconds": cpu_seconds,
    "open_files": open_files,
    "processes": processes,
    "niceness": niceness,
}
