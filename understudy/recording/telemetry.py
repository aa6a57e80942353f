"""Events as OpenTelemetry spans and metrics: `open_runtime(record=Telemetry())`."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

try:
    from opentelemetry import metrics, trace
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode
except ImportError as missing:
    raise ImportError("spans and metrics need OpenTelemetry: pip install 'understudy[otel]'") from missing

from ..actors.events import (
    ActorCrashed,
    ActorEnded,
    ActorReady,
    CallRetried,
    Event,
    LadderClimbed,
    MessageBegun,
    MessageBuried,
    MessageEnded,
    MessageEvent,
    MessageFailed,
    MessageQueued,
    MessageSent,
)
from ..supervisors.events import ChildRestarting, EventReader, EventsMissed

REMEMBERED = 10_000  # calls that have ended, and whose children are still to be told as theirs
OPEN = 100_000  # calls that have not; beyond that the oldest spans are ended as they are


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Tell OpenTelemetry of every call as a span, child of the call that made it, and of crashes and restarts as metrics.

    A span lasts from the mailbox to the end and has events for each step between; its attributes are `rpc.system`,
    `rpc.service` (the actor's path), `rpc.method`, `understudy.call_id` and `understudy.incarnation`.  The metrics are
    `understudy.call.duration`, a histogram in seconds by actor, method and outcome, and the counters
    `understudy.crashes`, `understudy.restarts`, `understudy.retries`, `understudy.dead_letters` and
    `understudy.events.missed`; `understudy.actors` are those ready now.  Providers are the global ones, unless given.

    Example:
        async with open_runtime(tree, record=Telemetry()):
            ...

    Raises:
        ImportError: when this module is imported without OpenTelemetry; install `understudy[otel]`.
    """

    tracer_provider: trace.TracerProvider | None = None
    meter_provider: metrics.MeterProvider | None = None

    @property
    def messages(self) -> bool:
        return True

    async def record(self, events: EventReader) -> None:
        """Tell until no more events come; spans of calls that have not ended by then are ended as they are."""
        offset = time.time_ns() - int(trio.current_time() * 1e9)
        told = Telling(self, offset)
        try:
            while batch := await events.read():
                for event in batch:
                    told.take(event)
        finally:
            told.close()


class Telling:
    """The spans that are open, and the instruments; `offset` makes the events' clock the time of day."""

    def __init__(self, plan: Telemetry, offset: int) -> None:
        self.offset = offset
        self.tracer = trace.get_tracer("understudy", tracer_provider=plan.tracer_provider)
        meter = metrics.get_meter("understudy", meter_provider=plan.meter_provider)
        self.duration = meter.create_histogram("understudy.call.duration", "s", "from the mailbox to the end")
        self.counters: dict[type[Event], Any] = {
            ActorCrashed: meter.create_counter("understudy.crashes"),
            ChildRestarting: meter.create_counter("understudy.restarts"),
            CallRetried: meter.create_counter("understudy.retries"),
            MessageBuried: meter.create_counter("understudy.dead_letters"),
        }
        self.missed = meter.create_counter("understudy.events.missed")
        self.actors = meter.create_up_down_counter("understudy.actors", description="ready now")
        self.ready: set[str] = set()
        self.spans: dict[int, tuple[Span, int]] = {}  # by message id, with the time of its beginning
        self.contexts: OrderedDict[int, SpanContext] = OrderedDict()  # of calls that have ended

    def take(self, event: Event) -> None:
        counter = self.counters.get(type(event))
        if counter is not None:
            counter.add(1, {"understudy.actor": event.actor})
        handler = HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    # -- spans ----------------------------------------------------------------------------------

    def queued(self, event: MessageQueued) -> None:
        if event.call_id in self.spans:
            self.step(event)
            return
        if len(self.spans) >= OPEN:
            self.end(next(iter(self.spans)), event.at)
        span = self.tracer.start_span(
            f"{event.actor}/{event.method}",
            self.context_of(event.parent_id),
            SpanKind.PRODUCER if event.cast else SpanKind.CLIENT,
            {
                "rpc.system": "understudy",
                "rpc.service": event.actor,
                "rpc.method": event.method,
                "understudy.call_id": event.call_id,
            },
            start_time=event.at + self.offset,
        )
        self.spans[event.call_id] = span, event.at

    def context_of(self, parent: int) -> Any:
        """Where a span belongs: below the call that made it; no call, no parent."""
        if parent in self.spans:
            return trace.set_span_in_context(self.spans[parent][0], Context())
        known = self.contexts.get(parent)
        empty = Context()
        return empty if known is None else trace.set_span_in_context(trace.NonRecordingSpan(known), empty)

    def step(self, event: Any) -> None:
        """Something happened to a call on its way."""
        if event.call_id in self.spans:
            details = {"understudy.actor": event.actor, "understudy.incarnation": event.incarnation}
            details |= {name: getattr(event, name) for name in ("attempt", "rung") if hasattr(event, name)}
            self.spans[event.call_id][0].add_event(type(event).__name__, details, event.at + self.offset)

    def ended(self, event: MessageEnded) -> None:
        self.settle(event, "value")

    def failed(self, event: MessageFailed) -> None:
        if event.call_id in self.spans:
            span, _ = self.spans[event.call_id]
            span.record_exception(event.error, timestamp=event.at + self.offset)
            span.set_status(Status(StatusCode.ERROR, f"{type(event.error).__name__}: {event.error}"))
        self.settle(event, type(event.error).__name__)

    def settle(self, event: MessageEvent, outcome: str) -> None:
        if event.call_id not in self.spans:
            return  # it was queued before we listened
        span, begun = self.spans[event.call_id]
        span.set_attribute("understudy.incarnation", event.incarnation)
        details = {"understudy.actor": event.actor, "rpc.method": event.method, "understudy.outcome": outcome}
        self.duration.record((event.at - begun) / 1e9, details)
        self.end(event.call_id, event.at)

    def end(self, call_id: int, at: int) -> None:
        span, _ = self.spans.pop(call_id)
        span.end(at + self.offset)
        self.contexts[call_id] = span.get_span_context()
        if len(self.contexts) > REMEMBERED:
            self.contexts.popitem(last=False)

    # -- actors ---------------------------------------------------------------------------------

    def became_ready(self, event: ActorReady) -> None:
        if event.actor not in self.ready:
            self.ready.add(event.actor)
            self.actors.add(1)

    def no_more_ready(self, event: ActorEnded) -> None:
        if event.actor in self.ready:
            self.ready.remove(event.actor)
            self.actors.add(-1)

    def some_missed(self, event: EventsMissed) -> None:
        self.missed.add(event.count)

    def close(self) -> None:
        """No more is known of what is open."""
        now = time.time_ns() - self.offset
        for call_id in list(self.spans):
            self.end(call_id, now)
        self.actors.add(-len(self.ready))


HANDLERS: dict[type[Event], Callable[[Telling, Any], None]] = {
    MessageQueued: Telling.queued,
    MessageSent: Telling.step,
    MessageBegun: Telling.step,
    CallRetried: Telling.step,
    LadderClimbed: Telling.step,
    MessageEnded: Telling.ended,
    MessageFailed: Telling.failed,
    ActorReady: Telling.became_ready,
    ActorEnded: Telling.no_more_ready,
    EventsMissed: Telling.some_missed,
}
