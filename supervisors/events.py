"""The stream of events: what supervisors add to it, and readers that may be slow but never cost memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import trio

from ..actors.events import Event
from ..actors.reasons import ExitReason

HELD = 10_000  # events a reader may fall behind before it misses some
BEHIND = 1_000  # events, from which on a reader is waited for by who has many more


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
class KeeperLost(Event):
    """A zygote, or a plain keeper, died with all its `guests`: one cause of as many ends.

    `label` tells which; `status` is its exit status (negative: a signal).
    """

    label: str
    pid: int
    status: int
    guests: int


@dataclass(frozen=True, slots=True)
class EventsMissed(Event):
    """This reader fell behind: so many events were dropped before the next one."""

    count: int


class EventReader:
    """Iterate over events as they happen: `async with runtime.events() as events: async for event in events: ...`.

    Everything from the moment the reader was made; with `messages=True` what happens to messages, too.  It
    holds up to 10,000 events for a slow reader, then drops the oldest and says so with EventsMissed.  If
    cancelled while waiting, no event is lost.
    """

    def __init__(self, stream: EventStream, messages: bool = False) -> None:
        self.stream = stream
        self.messages = messages
        self.held: deque[Event] = deque()
        self.missed = 0
        self.wanted = trio.Event()
        stream.enter(self)

    def put(self, event: Event) -> None:
        if len(self.held) >= HELD:
            self.held.popleft()
            self.missed += 1
        self.held.append(event)
        self.wanted.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self.held:
            if self.stream.closed or self not in self.stream.readers:
                raise StopAsyncIteration
            if self.wanted.is_set():
                self.wanted = trio.Event()
            await self.wanted.wait()
        if self.missed:
            return self.gap()
        return self.held.popleft()

    def gap(self) -> EventsMissed:
        count, self.missed = self.missed, 0
        return EventsMissed(self.held[0].at, "", 0, count)

    def take(self) -> list[Event]:
        """All that is held now."""
        first: list[Event] = [self.gap()] if self.missed else []
        rest, self.held = self.held, deque()
        return [*first, *rest]

    async def read(self) -> list[Event]:
        """All events that are held, at least one; [] if no more will come."""
        try:
            first = await anext(self)
        except StopAsyncIteration:
            return []
        return [first, *self.take()]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading; idempotent."""
        self.stream.leave(self)
        self.wanted.set()


class EventStream:
    """Hands every event to every reader; synchronous listeners hear it first.

    What happens to messages goes only to readers that want it; `watch` is told when there are some.
    """

    def __init__(self, watch: Callable[[bool], None] = lambda on: None) -> None:
        self.watch = watch
        self.readers: list[EventReader] = []
        self.message_readers: list[EventReader] = []
        self.listeners: list[Callable[[Event], None]] = []
        self.closed = False

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
        for reader in self.readers:
            reader.put(event)

    @property
    def behind(self) -> bool:
        """Is a reader behind?  One that has missed events is not waited for: perhaps nobody reads."""
        return any(BEHIND < len(reader.held) < HELD for reader in self.readers)

    def tell(self, event: Event) -> None:
        """Hand on what happened to a message."""
        for reader in self.message_readers:
            reader.put(event)

    def enter(self, reader: EventReader) -> None:
        self.readers.append(reader)
        if reader.messages:
            self.message_readers.append(reader)
            if len(self.message_readers) == 1:
                self.watch(True)

    def leave(self, reader: EventReader) -> None:
        if reader not in self.readers:
            return
        self.readers.remove(reader)
        if reader.messages:
            self.message_readers.remove(reader)
            if not self.message_readers:
                self.watch(False)

    def close(self) -> None:
        """No event will follow: readers end when they have read what they hold."""
        self.closed = True
        for reader in self.readers:
            reader.wanted.set()
