"""Wall and processor time of a stretch of work, in this process and in those that work for it."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from benchmarks.case import Sample


class Stopwatch:
    """`with Stopwatch(pids) as watch: ...`, then `watch.sample(n)`.

    `pids` are the other processes whose processor time counts; they must outlive the `with` block.
    """

    def __init__(self, pids: Iterable[int] = ()) -> None:
        self.pids = tuple(pids)
        self.wall = 0.0
        self.cpu = 0.0

    def __enter__(self) -> Self:
        gc.collect()  # rubbish of the set-up is not on the bill
        self.cpu = -self._processor_seconds()
        self.wall = -time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += self._processor_seconds()

    def sample(self, count: int, latencies: Iterable[float] = (), memory: int = 0) -> Sample:
        """What was measured, for `count` operations."""
        return Sample(count=count, wall=self.wall, cpu=self.cpu, latencies=tuple(latencies), memory=memory)

    def _processor_seconds(self) -> float:
        return time.process_time() + sum(map(processor_seconds_of, self.pids))


def processor_seconds_of(pid: int) -> float:
    """Processor time of another process: by its nanosecond clock on Linux, else by the ticks in /proc."""
    try:
        return time.clock_gettime(_clock_of(pid))
    except OSError:
        return _ticks_of(pid) / os.sysconf("SC_CLK_TCK")


def _clock_of(pid: int) -> int:
    # What clock_getcpuclockid(3) computes: the inverted pid, then 2 for "scheduler time, all threads".
    return (~pid << 3) | 2


def _ticks_of(pid: int) -> int:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])
