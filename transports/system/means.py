"""The table of means: what each system offers, and what stands in where it does not.

`UNDERSTUDY_PORTABLE=1` switches the Linux-only means off, so that the fallbacks can be tested on Linux.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Means:
    """One thing we need of the system."""

    name: str
    purpose: str
    linux: str
    elsewhere: str
    fallback: str
    symbol: tuple[object, str] | None  # where Python shows that it is there


TABLE = (
    Means("page", "fate of calls, targeted cancel and interrupt", "memfd, sealed", "none",
          "one call at a time in the guest; the fate of a sent call is unknown", (os, "memfd_create")),
    Means("pidfd", "signals that cannot hit a reused process id", "pidfd_send_signal", "none",
          "signals to its number, while the keeper has not told of its end", (signal, "pidfd_send_signal")),
    Means("zygote", "guests start as forks of a process that has their code loaded", "fork", "none",
          "each guest starts an interpreter of its own", (os, "fork")),
    Means("parent_death", "guests die with the keeper", "PR_SET_PDEATHSIG", "none",
          "the keeper kills process groups; a guest ends when its link does", None),
    Means("subreaper", "what a dead guest leaves behind is found, in any session", "PR_SET_CHILD_SUBREAPER", "none",
          "only the guest's process group is killed", None),
    Means("sandbox", "walls around a guest", "bubblewrap, where it is installed", "none",
          "no sandbox: one that is required refuses to start", None),
    Means("epoll", "one task for all links", "nested epoll", "none",
          "a task per link", (select, "epoll")),
)  # fmt: skip


def portable() -> bool:
    """Is this run to do without the Linux-only means?"""
    return os.environ.get("UNDERSTUDY_PORTABLE", "") not in ("", "0")


def has(name: str) -> bool:
    """Is this means in use here?"""
    if portable() or not sys.platform.startswith("linux"):
        return False
    means = next(row for row in TABLE if row.name == name)
    return means.symbol is None or hasattr(*means.symbol)


def capabilities() -> dict[str, str]:
    """What is in use, by name: the means, or the fallback that stands in."""
    return {row.name: row.linux if has(row.name) else row.fallback for row in TABLE}


def usable_cores() -> int:
    """Processor cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def yield_core() -> None:
    """Let another process have the core now, where the system knows how."""
    if hasattr(os, "sched_yield"):
        os.sched_yield()
