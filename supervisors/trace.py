"""`runtime.trace(id)`: everything known of one message and of those it caused, from a log of the last events."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..actors.events import Event, MessageBuried, MessageEvent
from .events import HELD, EventReader, EventStream

DEEP = 100  # messages that caused one another; a trace goes no deeper
MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of one message: its events, and the traces of the messages made in its method.

    As text it is a tree, with milliseconds since the first event.

    Example:
        async with open_runtime(trace=True) as runtime:
            ref = counter.add.remote(5)
            await ref
            print(runtime.trace(ref.id))
    """

    call_id: int
    parent_id: int
    events: tuple[Event, ...]
    children: tuple[Trace, ...]

    def __str__(self) -> str:
        return "\n".join(lines_of(self, min((event.at for event in all_of(self)), default=0)))


class TraceLog(EventReader):
    """The last events, kept from the moment somebody wants to trace."""

    def __init__(self, stream: EventStream, most: int = HELD) -> None:
        super().__init__(stream, messages=True)
        self.held = deque(maxlen=most)

    def put(self, event: Event) -> None:
        """Keep an event in the place of the oldest."""
        self.held.append(event)

    def trace(self, call_id: int) -> Trace:
        """What the log knows of a message; a trace without events if that is nothing."""
        events: defaultdict[int, list[Event]] = defaultdict(list)
        children: defaultdict[int, dict[int, None]] = defaultdict(dict)
        parents: dict[int, int] = {}
        for event in self.held:
            id, parent = ids_of(event)
            if id:
                events[id].append(event)
            if parent:
                children[parent][id] = None
                parents[id] = parent

        def known(id: int, depth: int) -> Trace:
            below = tuple(known(child, depth - 1) for child in children[id]) if depth else ()
            return Trace(id, parents.get(id, 0), tuple(events[id]), below)

        return known(call_id, DEEP)


def ids_of(event: Any) -> tuple[int, int]:
    """The message that an event is about, and its parent; 0 for none."""
    told = event.letter if isinstance(event, MessageBuried) else event
    return getattr(told, "call_id", 0), getattr(told, "parent_id", 0)


# -- as text -------------------------------------------------------------------------------------------


def all_of(trace: Trace) -> Iterator[Event]:
    yield from trace.events
    for child in trace.children:
        yield from all_of(child)


def lines_of(trace: Trace, start: int, indent: str = "") -> Iterator[str]:
    made = next((event for event in trace.events if isinstance(event, MessageEvent)), None)
    what = f", {made.method}()" if made is not None else ""
    yield f"{indent}call {trace.call_id}{what}" + ("" if trace.events else ": nothing is known of it")
    for event in trace.events:
        after = f"{(event.at - start) / MILLISECOND:.3f}"
        yield f"{indent}  {after:>10} ms  {type(event).__name__:<14}  {where(event)}{why(event)}"
    for child in trace.children:
        yield from lines_of(child, start, indent + "    ")


def where(event: Event) -> str:
    return f"{event.actor}, incarnation {event.incarnation}" if event.incarnation else event.actor


def why(event: Any) -> str:
    """What an event tells beside its time and place."""
    error = getattr(event, "error", None)
    if error is not None:
        return f": {type(error).__name__}: {error}"
    for name in ("rung", "attempt"):
        if hasattr(event, name):
            return f": {name} {getattr(event, name)}"
    return f": {event.letter.cause}" if isinstance(event, MessageBuried) else ""
