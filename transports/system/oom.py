"""Whether the kernel has killed processes because memory ran out, in the whole system or in one of its groups."""

from __future__ import annotations

from pathlib import Path

from .proc import read

COUNTERS = Path("/proc/vmstat")


class OomKills:
    """Counts from the first guest on; where the system keeps no count, there are none."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        self.seen: int | None = None

    def begin(self) -> None:
        if self.seen is None:
            self.seen = count()

    def rose(self) -> bool:
        """Have there been more since the last look?"""
        before, self.seen = self.seen, count()
        return before is not None and self.seen > before


def count() -> int:
    for line in read(COUNTERS).splitlines():
        name, _, number = line.partition(" ")
        if name == "oom_kill":
            return int(number)
    return 0
