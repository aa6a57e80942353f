"""A look at one actor, for strategies that restart before something fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .strategies.strategy import Sample

if TYPE_CHECKING:
    from ..actors.life import Life


def sample(life: Life) -> Sample:
    """What it has to do, and what its process uses."""
    waiting = sum(1 for call in life.mailbox.waiting() if not call.ended)
    running = life.mailbox.pending() - waiting
    pid = life.incarnation.pid if life.incarnation is not None else 0
    memory, cpu = usage_of(pid) if pid else (0, 0.0)
    return Sample(waiting, running, memory, cpu)


def usage_of(pid: int) -> tuple[int, float]:
    """Bytes in memory and CPU seconds of a process, as /proc tells; zeros where it does not."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except (OSError, ValueError, IndexError):
        return 0, 0.0
    return pages * os.sysconf("SC_PAGE_SIZE"), sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
