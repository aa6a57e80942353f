"""What writers of events share: batches, written in a thread; a disk that is full for a while, or for good."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from ..actors.events import Event
from ..supervisors.events import EventReader, EventsMissed
from ..supervisors.observing import RecorderFailed
from .plain import Clock, opened

log = logging.getLogger("understudy.recording")


class Sink(Protocol):
    """Where events are written: a file, a database; what it cannot write it raises OSError for, and keeps whole."""

    def write(self, events: Sequence[Event], /) -> None: ...
    def close(self) -> None: ...


class Pouring:
    """Writes a reader's events into a sink; what cannot be written is counted, told, and written as a number."""

    def __init__(self, events: EventReader, sink: Sink, name: str, now: Clock) -> None:
        self.events = events
        self.sink = sink
        self.name = name
        self.now = now
        self.begun = False  # what ties the clock to the time of day is written
        self.lost = 0
        self.failing = False

    def write(self, batch: list[Event]) -> OSError | None:
        """Write a batch; returns why not, the first time that it cannot."""
        first: list[Event] = [] if self.begun else [opened(self.now)]
        if self.lost:
            first.append(EventsMissed(self.now(), "", 0, self.lost))
        try:
            self.sink.write([*first, *batch])
        except OSError as error:
            self.lost += len(batch)
            known, self.failing = self.failing, True
            return None if known else error
        self.begun, self.lost, self.failing = True, 0, False
        return None

    def tell(self, error: OSError) -> None:
        """It is full, or gone: say so, once, and try again with what comes."""
        log.error("%s cannot be written: %s; events are lost until it can be", self.name, error)
        self.events.stream.emit(RecorderFailed(self.now(), "", 0, self.name, str(error)))

    async def run(self) -> None:
        batch: list[Event] = []
        while True:
            await self.put(batch)
            batch = await self.events.read()
            if not batch:
                return

    async def put(self, batch: list[Event]) -> None:
        with trio.CancelScope(shield=True):  # what was read would be lost
            error = await trio.to_thread.run_sync(self.write, batch)
            if error is not None:
                self.tell(error)

    def finish(self) -> None:
        """Write what is left; at the end there is nobody to tell but the log."""
        try:
            rest = self.events.take()
            error = self.write(rest) if rest or self.lost else None
            if self.lost:
                log.error("%s is closed without %d events: %s", self.name, self.lost, error or "it stayed so")
        finally:
            self.sink.close()


async def pour(events: EventReader, open_sink: Callable[[Clock], Sink], name: str) -> None:
    """Write events until no more come; flushed and closed at the end, whatever that is.

    If cancelled, what has come by then is written first.

    Raises:
        OSError: if the sink cannot be opened.
    """
    clock = trio.lowlevel.current_clock()

    def now() -> int:
        return int(clock.current_time() * 1e9)

    sink = await trio.to_thread.run_sync(open_sink, now)
    pouring = Pouring(events, sink, name, now)
    try:
        await pouring.run()
    finally:
        events.close()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(pouring.finish)
