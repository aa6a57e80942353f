"""What was measured, as tables for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import msgspec

from benchmarks.case import Figure, Sample
from benchmarks.goal import Verdict
from benchmarks.harness import Plan
from benchmarks.measurement import Measurement, Spread
from benchmarks.units import shown, shown_bounds, shown_value
from benchmarks.writer import PlainWriter, RichWriter, Writer

MET = {True: "met", False: "missed", None: "–"}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One case in the JSON report, in seconds, bytes and operations a second."""

    name: str
    group: str
    figures: dict[Figure, Spread]
    samples: list[Sample]
    problem: str | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    when: datetime
    python: str
    system: str
    cores: int
    plan: Plan
    verdicts: Sequence[Verdict]
    cases: list[Record]


def write_json(
    path: Path, plan: Plan, measurements: Sequence[Measurement], verdicts: Sequence[Verdict]
) -> None:
    """Write a run to a file, whose folder is made if it is missing."""
    report = Report(
        when=datetime.now(UTC),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        plan=plan,
        verdicts=verdicts,
        cases=[_record(measurement) for measurement in measurements],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))


def print_tables(measurements: Sequence[Measurement], verdicts: Sequence[Verdict]) -> None:
    """Print all cases, then the goals: what matters most stands nearest to the prompt."""
    measured = {measurement.case.name: measurement for measurement in measurements}
    writer: Writer = RichWriter() if find_spec("rich") else PlainWriter()
    writer.table("Cases", CASE_COLUMNS, [_case_row(m) for m in measurements if m.samples])
    writer.table("Goals", GOAL_COLUMNS, [_goal_row(verdict, measured) for verdict in verdicts])
    for measurement in measurements:
        if measurement.problem is not None:
            writer.line(f"{measurement.case.name}: {measurement.problem.splitlines()[-1]}")


CASE_COLUMNS = ("case", "median", "lowest", "highest", "wall", "CPU")
GOAL_COLUMNS = ("goal", "understudy", "reference", "ratio", "promised", "", "wall", "CPU")


def _case_row(measurement: Measurement) -> tuple[str, ...]:
    unit = measurement.case.unit
    spread = measurement.spread(unit)
    return (
        measurement.case.name,
        *(shown(unit, value) for value in (spread.median, spread.lowest, spread.highest)),
        shown("wall", measurement.figure("wall")),
        shown("cpu", measurement.figure("cpu")),
    )


def _goal_row(verdict: Verdict, measured: Mapping[str, Measurement]) -> tuple[str, ...]:
    goal = verdict.goal
    return (
        goal.what,
        shown(goal.figure, verdict.ours),
        shown(goal.figure, verdict.reference),
        shown_value(verdict),
        shown_bounds(goal),
        MET[verdict.met],
        shown("wall", measured[goal.ours].figure("wall")),
        shown("cpu", measured[goal.ours].figure("cpu")),
    )


def _record(measurement: Measurement) -> Record:
    case = measurement.case
    figures: dict[Figure, Spread] = {f: measurement.spread(f) for f in _figures(measurement)}
    return Record(
        name=case.name,
        group=case.group,
        figures=figures,
        samples=measurement.samples,
        problem=measurement.problem,
    )


def _figures(measurement: Measurement) -> tuple[Figure, ...]:
    if not measurement.samples:
        return ()
    latencies: tuple[Figure, ...] = ("p50", "p99") if measurement.samples[0].latencies else ()
    memory: tuple[Figure, ...] = ("memory",) if measurement.samples[0].memory else ()
    return ("wall", "cpu", "rate", *latencies, *memory)
