"""Why an incarnation ended: a value, passed from the actor up to the root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NORMAL, SHUTDOWN, ERROR, SIGNAL = "normal", "shutdown", "error", "signal"
INTERRUPTED, TIMEOUT, UNREACHABLE, ABANDONED = "interrupted", "timeout", "unreachable", "abandoned"
RECYCLED = "recycled"


@dataclass(frozen=True, slots=True)
class ExitReason:
    """Why an incarnation ended.

    `kind` is one of normal, shutdown, error, signal, interrupted, timeout, unreachable, abandoned,
    recycled; `text` tells it to a person; `exception` is what an *error* raised; `status` is a process's exit status
    (negative: a signal); `stderr` and `stdout` are the last 64 KiB of what it wrote there.  `ordered` deaths are ours
    (a kill, a stop, an injected fault): no message is blamed for them.  `uprooted` are those that died with the
    keeper: no restart is counted for them.
    """

    kind: str
    text: str = ""
    exception: BaseException | None = field(default=None, compare=False)
    status: int | None = None
    stderr: str = field(default="", repr=False, compare=False)
    ordered: bool = False
    uprooted: bool = False
    stdout: str = field(default="", repr=False, compare=False)

    @property
    def abnormal(self) -> bool:
        """Would a transient child be restarted?"""
        return self.kind not in (NORMAL, SHUTDOWN, RECYCLED)

    @property
    def recycled(self) -> bool:
        """Does a fresh incarnation follow, whatever the restart type, and does that count for nothing?"""
        return self.kind == RECYCLED

    @property
    def interrupted(self) -> bool:
        """Did it end because somebody interrupted or cancelled what it ran, so that a restart counts for nothing?"""
        return self.kind == INTERRUPTED and self.ordered

    @property
    def crash(self) -> bool:
        """Was it a fault of the actor's own, that nobody ordered?"""
        return self.abnormal and not self.ordered and not self.uprooted

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}" if self.text else self.kind

    def __reduce__(self) -> Any:
        known = self.kind, self.text, self.status, self.stderr, self.ordered, self.uprooted, self.stdout
        return remade, (packed(self.exception), *known)


def packed(error: BaseException | None) -> bytes | None:
    """An exception and its causes as a pickle of their own, or what can be told of it."""
    if error is None:
        return None
    from ..transports.guests.causes import dumps_error, fit

    return dumps_error(fit(error))


def remade(
    exception: bytes | None,
    kind: str,
    text: str,
    status: int | None,
    stderr: str,
    ordered: bool,
    uprooted: bool,
    stdout: str = "",
) -> ExitReason:
    """A reason that has travelled; an exception that this interpreter does not know is named."""
    from ..transports.guests.causes import LostError, loads_error

    error: BaseException | None = None
    try:
        error = loads_error(exception) if exception is not None else None
    except Exception:
        error = LostError(text)
    return ExitReason(kind, text, error, status, stderr, ordered, uprooted, stdout)


NORMAL_EXIT = ExitReason(NORMAL)
SHUTDOWN_EXIT = ExitReason(SHUTDOWN, ordered=True)
DECLINED_EXIT = ExitReason(NORMAL, "it said that it need not run", ordered=True)
BRUTAL_EXIT = ExitReason(SIGNAL, "killed by its supervisor", ordered=True)


def last_lines(stderr: str, count: int = 20) -> str:
    """The end of a guest's standard error, for an error message."""
    lines = stderr.rstrip().splitlines()
    return "\n".join(lines[-count:])
