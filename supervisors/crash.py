"""Crash reports: what a person wants to know of an incarnation that ended by a fault, in one log record."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..actors.reasons import last_lines
from ..transports.system.processes import printable

if TYPE_CHECKING:
    from ..actors.events import ActorCrashed, CallAtDeath

SECOND = 1_000_000_000
SHOWN = 5  # calls named; of others the number
STDERR = 20  # lines of a guest's standard error

# What became of a call that the incarnation had, by its fate.
WORDS = {
    "ended": "ended it",
    "begun": "had begun",
    "not_begun": "had not begun",
    "never_sent": "was not sent",
    "unknown": "had perhaps begun",
}


class CrashReport:
    """A report that is written when somebody reads it: that costs several times a restart."""

    __slots__ = ("event",)

    def __init__(self, event: ActorCrashed) -> None:
        self.event = event

    def __str__(self) -> str:
        return report_of(self.event)


def report_of(event: ActorCrashed) -> str:
    """The report as text: a line that says it all, then what there is of time, calls, exception and stderr."""
    first = f"{event.actor}, incarnation {event.incarnation}, ended: {event.reason}"
    text = "\n".join([first, *(f"  {line}" for line in details(event))])
    # Some of it is a guest's own words, on their way to somebody's terminal.
    return "\n".join(printable(line) for line in text.expandtabs().splitlines())


def details(event: ActorCrashed) -> Iterator[str]:
    where = f", process {event.pid}" if event.pid else ""
    yield f"up {event.up / SECOND:.3f} s{where}" if event.started else f"it never was ready{where}"
    if event.calls:
        yield f"last calls: {'; '.join(named(event.calls))}"
    if event.reason.exception is not None:
        yield from "".join(traceback.format_exception(event.reason.exception)).rstrip().splitlines()
    if event.reason.stderr.strip():
        yield "its standard error ended with"
        yield from (f"  {line}" for line in last_lines(event.reason.stderr, STDERR).splitlines())


def named(calls: tuple[CallAtDeath, ...]) -> list[str]:
    texts = [f"call {call.call_id}, {call.method}(), {WORDS[call.fate]}" for call in calls[:SHOWN]]
    more = len(calls) - SHOWN
    return [*texts, f"and {more} more"] if more > 0 else texts
