"""The command line of the benchmarks."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from benchmarks.case import Case
from benchmarks.catalogue import CASES, GOALS, goals_of, select
from benchmarks.goal import Verdict
from benchmarks.harness import Harness, Plan
from benchmarks.measurement import Measurement
from benchmarks.report import print_tables, write_json
from benchmarks.units import shown, shown_bounds

RESULTS = Path("build/bench.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report; 1 if a case broke, or with --strict if a goal was missed."""
    options = parser().parse_args(arguments)
    cases = select(options.only)
    if not cases:
        parser().error(f"no case or goal holds {options.only!r}; --list shows them")
    if options.list:
        print_list()
        return 0
    try:
        return measure(cases, options)
    except KeyboardInterrupt:
        print("Stopped; nothing was written.")
        return 130  # what a shell gives for Ctrl-C


def measure(cases: Sequence[Case], options: Namespace) -> int:
    """Run the cases, print the tables and write the samples."""
    plan = plan_of(options)
    measurements = Harness(cases, plan, Progress()).run()
    measured = {measurement.case.name: measurement for measurement in measurements}
    verdicts = [goal.judge(measured) for goal in goals_of(cases)]
    print_tables(measurements, verdicts)
    write_json(options.json, plan, measurements, verdicts)
    print(f"All samples are in {options.json}.")
    return exit_code(measurements, verdicts, strict=options.strict)


def parser() -> ArgumentParser:
    """The options."""
    made = ArgumentParser(
        prog="python -m benchmarks", description="Measure understudy, the raw limits and its peers."
    )
    made.add_argument(
        "--only", metavar="PATTERN", default="", help="cases and goals whose name holds PATTERN"
    )
    made.add_argument(
        "--quick", action="store_true", help="two short repeats: to see that all works, not how fast"
    )
    made.add_argument(
        "--repeats", type=positive, metavar="N", help=f"repeats of each case ({Plan().repeats})"
    )
    made.add_argument(
        "--json", type=Path, metavar="FILE", default=RESULTS, help=f"where samples go ({RESULTS})"
    )
    made.add_argument("--list", action="store_true", help="show the cases and goals, measure nothing")
    made.add_argument("--pin", action="store_true", help="keep every case on one core")
    made.add_argument("--strict", action="store_true", help="exit with 1 if a goal is missed or not measured")
    return made


def positive(text: str) -> int:
    """A count of at least one."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def plan_of(options: Namespace) -> Plan:
    """The plan that the options ask for."""
    plan = Plan(repeats=2, seconds=0.1) if options.quick else Plan()
    return Plan(repeats=options.repeats or plan.repeats, seconds=plan.seconds, pin=options.pin)


def exit_code(measurements: Sequence[Measurement], verdicts: Sequence[Verdict], *, strict: bool) -> int:
    """A missed goal is a result; a case that broke is not, and neither is excused by --strict."""
    broke = any(measurement.broke for measurement in measurements)
    fell_short = strict and not all(verdict.met for verdict in verdicts)
    return int(broke or fell_short)


def print_list() -> None:
    """The cases by group, then the goals."""
    for case in CASES:
        print(f"{case.group:12}{case.name}")
    for goal in GOALS:
        print(f"{'goal':12}{goal.what}: {goal.figure} {shown_bounds(goal)}")


class Progress:
    """A line for each thing measured, with the seconds since the start."""

    def __init__(self) -> None:
        self._begun = monotonic()

    def __call__(self, stage: str, measurement: Measurement) -> None:
        """Print one line."""
        seconds = monotonic() - self._begun
        print(
            f"{seconds:6.1f} s  {stage:14}{measurement.case.name:32}{self._latest(measurement)}", flush=True
        )

    def _latest(self, measurement: Measurement) -> str:
        if measurement.problem is not None:
            return measurement.problem
        return shown(measurement.case.unit, measurement.latest()) if measurement.samples else ""
