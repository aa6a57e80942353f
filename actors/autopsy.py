"""What a guest died of, where its limits or the system's memory tell more than its exit status does."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from .reasons import ExitReason, last_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .limits import Limits

# What programs say on their standard error when they are refused memory.
SIGNS = (
    "MemoryError",
    "std::bad_alloc",
    "Cannot allocate memory",
    "cannot allocate memory",
    "out of memory",
    "Out of memory",
    "memory allocation of",
    "cannot map zero-fill pages",
    "failed to map segment",
)


def examined(reason: ExitReason, limits: Limits, oom_kills: Callable[[], bool]) -> ExitReason:
    """The reason, with the limit that it came from; `oom_kills` tells whether the kernel has killed for memory of late.

    What is not certain is told as probable.
    """
    if reason.ordered or not reason.abnormal:
        return reason
    cause = cause_of(reason, limits, oom_kills)
    return replace(reason, text=f"{cause}: {reason.text}") if cause else reason


def cause_of(reason: ExitReason, limits: Limits, oom_kills: Callable[[], bool]) -> str:
    if isinstance(reason.exception, MemoryError):
        return f"out of memory{bound(limits)}"
    if reason.status == -signal.SIGXCPU and limits.cpu_seconds is not None:
        return f"it used up its {limits.cpu_seconds} CPU seconds"
    if reason.status == -signal.SIGKILL and oom_kills():
        return "probably out of memory, killed by the kernel"
    if reason.exception is None and any(sign in last_lines(reason.stderr) for sign in SIGNS):
        return f"probably out of memory{bound(limits)}"
    return next((text for status, text in suspicions(limits) if status == reason.status), "")


def suspicions(limits: Limits) -> Iterator[tuple[int, str]]:
    """Deaths that a limit explains well, though they have other causes too."""
    if limits.memory is not None:
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            yield -number, f"perhaps out of memory{bound(limits)}"
    if limits.cpu_seconds is not None:
        yield -signal.SIGKILL, f"perhaps it used up its {limits.cpu_seconds} CPU seconds"


def bound(limits: Limits) -> str:
    return "" if limits.memory is None else f" (its limit is {limits.memory:,} bytes)"
