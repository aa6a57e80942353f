"""Interleaves the repeats of all cases in a shuffled order, so that a noisy minute is shared by all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from random import Random
from shutil import which

import msgspec

from benchmarks.case import Case, Sample
from benchmarks.measurement import Measurement
from benchmarks.repeat import RepeatError, repeat

Progress = Callable[[str, Measurement], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how often to measure."""

    repeats: int = 7
    seconds: float = 0.4
    """How long one repeat should last."""
    pin: bool = False
    """Keep every case on one core, also those that would use two."""
    seed: int = 0
    """Of the order in which the cases of a round run."""

    def count_for(self, case: Case, first: Sample) -> int:
        """How many operations fill a repeat, judged by a first short run."""
        return case.first if case.fixed else max(1, int(first.count * self.seconds / first.wall))


class Harness:
    """Runs cases by a plan: a first run of each to learn its speed, then the rounds."""

    def __init__(self, cases: Iterable[Case], plan: Plan, progress: Progress) -> None:
        self.plan = plan
        self.measurements = [Measurement(case) for case in cases]
        self._progress = progress
        self._counts: dict[str, int] = {}

    def run(self) -> Sequence[Measurement]:
        """Measure everything; what cannot be measured carries a `problem` instead of samples."""
        for measurement in self.measurements:
            self._calibrate(measurement)
        random = Random(self.plan.seed)
        for number in range(1, self.plan.repeats + 1):
            order = [m for m in self.measurements if self._takes_part(m, number)]
            random.shuffle(order)
            for measurement in order:
                self._measure(measurement, f"round {number} of {self.plan.repeats}")
        return self.measurements

    def _calibrate(self, measurement: Measurement) -> None:
        case = measurement.case
        if missing := [name for name in case.needs if find_spec(name) is None]:
            measurement.problem = f"skipped: needs {', '.join(missing)} (install understudy[{case.extra}])"
            self._progress("first run", measurement)
            return
        if missing := [name for name in case.programs if which(name) is None]:
            measurement.problem = f"skipped: needs the program {', '.join(missing)}"
            self._progress("first run", measurement)
            return
        if case.fixed:
            self._counts[case.name] = case.first
            return
        sample = self._try(measurement, case.first)
        if sample is not None:
            self._counts[case.name] = self.plan.count_for(case, sample)
            self._progress("first run", measurement)

    def _takes_part(self, measurement: Measurement, number: int) -> bool:
        limit = measurement.case.repeats
        return measurement.problem is None and (limit is None or number <= limit)

    def _measure(self, measurement: Measurement, stage: str) -> None:
        sample = self._try(measurement, self._counts[measurement.case.name])
        if sample is not None:
            measurement.samples.append(sample)
            self._progress(stage, measurement)

    def _try(self, measurement: Measurement, count: int) -> Sample | None:
        case = measurement.case
        try:
            return repeat(case, count, pinned=case.pinned or self.plan.pin)
        except RepeatError as error:
            measurement.problem, measurement.broke = f"failed: {str(error).strip()}", True
            self._progress("stopped", measurement)
            return None
