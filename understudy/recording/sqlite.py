"""Events in a SQLite database, to be asked by SQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..actors.events import Event
from ..supervisors.events import EventReader
from ..supervisors.trace import ids_of
from .plain import event_of, line_of
from .sink import pour

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, event TEXT, actor TEXT, incarnation INTEGER,
    call_id INTEGER, parent_id INTEGER, content TEXT
);
CREATE INDEX IF NOT EXISTS events_by_call ON events (call_id) WHERE call_id != 0;
CREATE INDEX IF NOT EXISTS events_by_actor ON events (actor, number);
"""
INSERT = "INSERT INTO events (at, event, actor, incarnation, call_id, parent_id, content) VALUES (?, ?, ?, ?, ?, ?, ?)"
PATIENCE = 5.0  # seconds that a write waits for somebody who has locked the database


@dataclass(frozen=True, slots=True)
class Sqlite:
    """Write events to a table `events` of a SQLite database; `read()` gives them back.

    The columns are number, at, event, actor, incarnation, call_id, parent_id, and the whole event as JSON in
    `content`.  The last `keep` events are kept.  With `messages=True` what happens to messages, too.

    Example:
        async with open_runtime(tree, record=Sqlite("events.db")):
            ...
        for event in Sqlite("events.db").read("event = 'ActorCrashed'"):
            print(event.reason)

    Raises:
        ValueError: for a number below 1.
    """

    path: str | os.PathLike[str]
    messages: bool = False
    keep: int = 1_000_000

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ValueError(f"keep={self.keep}: it is the number of events to keep, 1 or more")

    async def record(self, events: EventReader) -> None:
        """Write until no more events come."""
        await pour(events, lambda now: Table(self), repr(self))

    def read(self, where: str = "1", parameters: Sequence[Any] = ()) -> Iterator[Event]:
        """The events that a condition in SQL holds for, in their order.

        Raises:
            sqlite3.Error: if there is no such database, or no such column.
        """
        uri = f"file:{os.path.abspath(self.path)}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE)) as base:
            query = f"SELECT content FROM events WHERE {where} ORDER BY number"
            for (content,) in base.execute(query, tuple(parameters)):
                yield event_of(content)


class Table:
    """The open database; a batch is one transaction, so that it is there as a whole or not at all."""

    def __init__(self, plan: Sqlite) -> None:
        self.plan = plan
        try:
            # One thread at a time uses it, but not always the same.
            self.base = sqlite3.connect(plan.path, timeout=PATIENCE, check_same_thread=False)
            self.base.execute("PRAGMA journal_mode = WAL")
            self.base.execute("PRAGMA synchronous = NORMAL")
            self.base.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise OSError(f"{plan.path} cannot be opened: {error}") from error

    def write(self, events: Sequence[Event]) -> None:
        rows = [row_of(event) for event in events]
        try:
            with self.base:
                self.base.executemany(INSERT, rows)
                self.base.execute(
                    "DELETE FROM events WHERE number <= (SELECT max(number) FROM events) - ?",
                    (self.plan.keep,),
                )
        except sqlite3.Error as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        self.base.close()


def row_of(event: Event) -> tuple[Any, ...]:
    kind = type(event).__name__
    return event.at, kind, event.actor, event.incarnation, *ids_of(event), line_of(event).decode()
