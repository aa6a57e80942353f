"""What is measured: a case, and the sample that one repeat of it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Figure = Literal["wall", "cpu", "rate", "p50", "p99", "memory"]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One repeat: `count` operations took `wall` and `cpu` seconds, the processor time of all processes together."""

    count: int
    wall: float
    cpu: float
    latencies: tuple[float, ...] = ()
    """Seconds of each single operation, where a case is about its worst ones."""
    memory: int = 0
    """Bytes that all operations together left allocated."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Something to measure: `run(n)` sets up, warms up, does `n` operations on the clock and cleans up."""

    name: str
    group: str
    unit: Figure
    """The figure people compare this case by."""
    run: Callable[[int], Sample]
    first: int = 200
    """Operations of the first run, from which the harness works out how many fill a repeat."""
    fixed: bool = False
    """Always do `first` operations: the case is about their number, not their speed."""
    pinned: bool = False
    """Keep all processes on one core: shows the work itself, free of the cost of waking another core."""
    repeats: int | None = None
    """At most so many repeats, for cases that are slow to set up or hardly vary."""
    needs: tuple[str, ...] = ()
    """Modules without which the case is skipped."""
    programs: tuple[str, ...] = ()
    """Programs without which the case is skipped."""
    extra: str = "bench"
    """The extra of understudy that installs `needs`."""
