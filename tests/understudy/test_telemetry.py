"""OpenTelemetry: each call is a span below the call that made it, and crashes and restarts are counted."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.cast import Faller, Player
from tests.cast_calls import Asker, Target
from tests.rehearsal import BOTH, LOCAL, NAMES, run
from understudy import Runtime, kill, open_runtime
from understudy.actors.events import MessageQueued
from understudy.recording import telemetry
from understudy.recording.telemetry import Telemetry


class Collected:
    """A recorder, and what it has told."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.recorder = Telemetry(tracers, MeterProvider([self.reader]))

    def spans(self) -> dict[str, Any]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def metrics(self) -> dict[str, list[Any]]:
        data: Any = self.reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics if data is not None else []
        return {metric.name: list(metric.data.data_points) for metric in found}

    def play(self, scene: Any) -> None:
        async def play() -> None:
            async with open_runtime(record=self.recorder) as runtime:
                await scene(runtime)

        run(play)


each = pytest.mark.parametrize("executor", BOTH, ids=NAMES)


@each
def test_a_call_is_a_span_and_those_it_makes_are_below_it(executor: Any) -> None:
    collected = Collected()
    begun = time.time_ns()
    ids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        asker = await Asker.options(executor=executor, id="asker").start()
        target = await Target.options(executor=executor, id="target").start()
        ref = asker.cast_on.remote(target, "note", "x")
        ids.append(ref.id)
        await ref
        await target.noted()

    collected.play(scene)
    spans = collected.spans()
    outer, inner, alone = spans["asker/cast_on"], spans["target/note"], spans["target/noted"]
    assert outer.parent is None
    assert alone.parent is None
    assert inner.parent.span_id == outer.context.span_id
    assert inner.context.trace_id == outer.context.trace_id != alone.context.trace_id
    assert (outer.kind, inner.kind) == (SpanKind.CLIENT, SpanKind.PRODUCER)
    assert dict(outer.attributes) == {
        "rpc.system": "understudy", "rpc.service": "asker", "rpc.method": "cast_on",
        "understudy.call_id": ids[0], "understudy.incarnation": 1,
    }  # fmt: skip
    assert [event.name for event in outer.events] == ["MessageBegun" if executor is LOCAL else "MessageSent"]
    assert begun <= outer.start_time <= outer.end_time <= time.time_ns()


def test_a_failure_is_the_status_of_its_span() -> None:
    collected = Collected()

    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=LOCAL, id="f").start()
        with pytest.raises(ValueError, match="x"):
            await faller.fail(ValueError("x"))

    collected.play(scene)
    span = collected.spans()["f/fail"]
    assert span.status.status_code is StatusCode.ERROR
    assert "x" in span.status.description
    assert "exception" in [event.name for event in span.events]


def test_durations_crashes_restarts_and_dead_letters_are_metrics() -> None:
    collected = Collected()

    async def scene(runtime: Runtime) -> None:
        await Player.options(executor=LOCAL).start()
        faller = await Faller.options(executor=LOCAL, id="f", max_restarts=1, crash_on=(ValueError,)).start()
        await faller.add()
        with pytest.raises(ValueError, match="x"):
            await faller.fail(ValueError("x"))
        await faller.add()
        faller.note.cast("late")
        await kill(faller)

    collected.play(scene)
    metrics = collected.metrics()
    durations = {point.attributes["understudy.outcome"]: point for point in metrics["understudy.call.duration"]
                 if point.attributes["rpc.method"] in ("add", "fail")}  # fmt: skip
    assert durations["value"].count == 2
    assert 0 < durations["value"].sum < 5
    for name in ("crashes", "restarts", "dead_letters"):
        (point,) = metrics[f"understudy.{name}"]
        assert (point.value, dict(point.attributes)) == (1, {"understudy.actor": "f"})
    assert [point.value for point in metrics["understudy.actors"]] == [0]
    assert "understudy.retries" not in metrics


def test_what_is_open_and_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "OPEN", 3)
    monkeypatch.setattr(telemetry, "REMEMBERED", 2)
    collected = Collected()
    told = telemetry.Telling(collected.recorder, 0)
    for number in range(1, 11):
        told.take(MessageQueued(number, "a", 1, number, "add", 0))
    assert (len(told.spans), len(told.contexts)) == (3, 2)
    told.close()
    assert len(collected.exporter.get_finished_spans()) == 10


@pytest.mark.slow
def test_without_opentelemetry_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None\nimport understudy.recording\nimport understudy.recording.telemetry"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: spans and metrics need OpenTelemetry: pip install 'understudy[otel]'" in done.stderr
