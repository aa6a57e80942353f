"""A run's events as bytes: one JSON line each, the same for the same scenario and seed on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import Any

import msgspec

from ..actors.events import Event
from ..actors.reasons import ExitReason

PRIVATE = frozenset(("at", "actor", "incarnation", "pid"))  # said already; and what only one machine knows


def write_log(events: Iterable[Event]) -> bytes:
    """One line for each event: its time in nanoseconds, its type, the actor, the incarnation, and the rest by name."""
    return b"".join(msgspec.json.encode(row(event)) + b"\n" for event in events)


def row(event: Event) -> list[Any]:
    kind: Any = type(event)
    rest = {name: plain(getattr(event, name)) for name in details(kind)}
    return [event.at, kind.__name__, event.actor, event.incarnation, *([rest] if rest else [])]


@cache
def details(kind: Any) -> tuple[str, ...]:
    """The fields of a type of events that a log tells by name."""
    return tuple(field.name for field in fields(kind) if field.name not in PRIVATE)


def plain(value: Any) -> Any:
    """What a log says of a value: reasons by kind, exceptions by type."""
    if isinstance(value, ExitReason):
        return value.kind if not value.ordered else f"{value.kind}, ordered"
    if isinstance(value, BaseException):
        return type(value).__name__
    return value
