"""A snapshot and what the system says of its processes, made into the lines of a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..supervisors.snapshot import Row, Snapshot
from ..transports.system.processes import Used, below, listed, shortened, used

HEADINGS = ("actor", "what", "state", "restarts", "queued", "pending", "process", "cpu", "memory")
NUMBERS = frozenset({"restarts", "queued", "pending", "process", "cpu", "memory"})
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A node: its cells under HEADINGS, its depth in the tree, and its state (empty for a supervisor)."""

    depth: int
    state: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is shown: a head line, the nodes, a foot line."""

    head: str
    lines: tuple[Line, ...]
    foot: str


Shows = Callable[[Picture], None]


class Meter:
    """Measures processes; a share of a processor needs two looks."""

    def __init__(self) -> None:
        self.before: dict[
            int, tuple[float, float]
        ] = {}  # by process: when it was looked at, seconds used by then
        self.exact = True  # memory is each process's proportional share

    def look(self, pids: set[int]) -> dict[int, tuple[float | None, int]]:
        """For each process, with all below it: the share of a processor since the last look, and bytes of memory."""
        table = listed()
        now = {pid: self.measure([pid, *(process.pid for _, process in below(pid, table))]) for pid in pids}
        at = time.monotonic()
        found = {pid: (self.share(pid, at, one.seconds), one.memory) for pid, one in now.items() if one}
        self.before = {pid: (at, one.seconds) for pid, one in now.items() if one}
        return found

    def measure(self, pids: list[int]) -> Used | None:
        each = [one for pid in pids if (one := used(pid)) is not None]
        if not each:
            return None
        self.exact = self.exact and not any(one.shared for one in each)
        return Used(sum(one.seconds for one in each), sum(one.memory for one in each), not self.exact)

    def share(self, pid: int, at: float, seconds: float) -> float | None:
        if pid not in self.before:
            return None
        then, before = self.before[pid]
        return max(0.0, (seconds - before) / (at - then)) if at > then else None


def picture(snapshot: Snapshot, meter: Meter) -> Picture:
    """What is to be seen now."""
    measured = meter.look({row.pid for row in snapshot.rows if row.pid} | {snapshot.pid})
    actors = [row for row in snapshot.rows if row.state and row.incarnation]
    own = measured.get(snapshot.pid)
    head = f"process {snapshot.pid}  {shortened(snapshot.command)}"
    head += (
        f"  {len(actors)} actors, {sum(map(restarts, actors))} restarts, {snapshot.dead_letters} dead letters"
    )
    whole = (
        "" if own is None else f"all processes together: cpu {percent(own[0])}, memory {megabytes(own[1])}"
    )
    foot = "; ".join(filter(None, (whole, "" if meter.exact else "memory is what each occupies, shared or not",
                                   f"and {snapshot.omitted:,} more nodes" if snapshot.omitted else "")))  # fmt: skip
    return Picture(head, tuple(line_of(row, measured) for row in snapshot.rows), foot)


def line_of(row: Row, measured: dict[int, tuple[float | None, int]]) -> Line:
    name, what = shortened(row.id), shortened(row.what)
    if not row.state:
        return Line(row.depth, "", (name, what, *[""] * 7))
    share, memory = measured.get(row.pid, (None, 0))
    cells = (
        name,
        what if row.trusted else f"{what}, untrusted",
        row.state,
        str(restarts(row) or ""),
        str(row.queued or ""),
        str(row.pending or ""),
        str(row.pid or ""),
        percent(share) if row.pid else "",
        megabytes(memory) if row.pid and memory else "",
    )
    return Line(row.depth, row.state, cells)


def restarts(row: Row) -> int:
    return max(0, row.incarnation - 1)


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB"
