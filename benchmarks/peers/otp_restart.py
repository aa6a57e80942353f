"""Erlang's own supervisor: from the kill of a child to the moment its replacement is initialised."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.case import Case, Sample

SCRIPT = Path(__file__).with_suffix(".escript")


def _run(count: int) -> Sample:
    told = subprocess.run(["escript", SCRIPT, str(count)], check=True, capture_output=True, text=True)
    latencies = tuple(float(line) / 1e6 for line in told.stdout.split())
    return Sample(count=count, wall=sum(latencies), cpu=sum(latencies), latencies=latencies)


CASES = (Case(name="OTP restart", group="peers", unit="p50", run=_run, first=2_000, programs=("escript",)),)
