"""The stream of events: what supervisors add to it, and readers that may be slow but never cost memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import trio

from ..actors.events import Event

if TYPE_CHECKING:
    from ..actors.reasons import ExitReason

HELD = 10_000  # events a reader may fall behind before it misses some


@dataclass(frozen=True, slots=True)
class ChildRestarting(Event):
    """A supervisor starts a child again."""

    restarts: int


@dataclass(frozen=True, slots=True)
class ChildDelayed(Event):
    """A child stays down until a time (nanoseconds); `why` is backoff, intensity or retry."""

    until: int
    why: str


@dataclass(frozen=True, slots=True)
class ChildParked(Event):
    """Restarts ran out, and the child stays down until somebody restarts it."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class SupervisorGaveUp(Event):
    """Restarts ran out: `child` cost its supervisor (or, under the dynamic one, itself) its life."""

    child: str
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class PoolResized(Event):
    """A pool has so many members now, those included that are just starting."""

    size: int


@dataclass(frozen=True, slots=True)
class EventsMissed(Event):
    """This reader fell behind: so many events were dropped before the next one."""

    count: int


class EventReader:
    """Iterate over events as they happen: `async with runtime.events() as events: async for event in events: ...`.

    Everything from the moment the reader was made.  It holds up to 10,000 events for a slow reader, then
    drops the oldest and says so with EventsMissed.  If cancelled while waiting, no event is lost.
    """

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.held: deque[Event] = deque()
        self.missed = 0
        self.wanted = trio.Event()
        stream.readers.append(self)

    def put(self, event: Event) -> None:
        if len(self.held) >= HELD:
            self.held.popleft()
            self.missed += 1
        self.held.append(event)
        self.wanted.set()

    def __aiter__(self) -> EventReader:
        return self

    async def __anext__(self) -> Event:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self.held:
            if self.stream.closed or self not in self.stream.readers:
                raise StopAsyncIteration
            self.wanted = trio.Event()
            await self.wanted.wait()
        if self.missed:
            count, self.missed = self.missed, 0
            return EventsMissed(self.held[0].at, "", 0, count)
        return self.held.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading; idempotent."""
        if self in self.stream.readers:
            self.stream.readers.remove(self)
        self.wanted.set()


class EventStream:
    """Hands every event to every reader; synchronous listeners hear it first."""

    def __init__(self) -> None:
        self.readers: list[EventReader] = []
        self.listeners: list[Callable[[Event], None]] = []
        self.closed = False

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
        for reader in self.readers:
            reader.put(event)

    def close(self) -> None:
        """No event will follow: readers end when they have read what they hold."""
        self.closed = True
        for reader in self.readers:
            reader.wanted.set()
