"""The tables of supervision: what follows an end, what follows when restarts run out, and the flags that decide it.

(OTP's rules, except that the clock counts nanoseconds and not whole seconds.)
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from ..actors.backoff import Backoff
from .strategies.one_for_one import OneForOne
from .strategies.strategy import Strategy

SECOND = 1_000_000_000

# -- restart types -----------------------------------------------------------------------------------

RESTART, KEEP, FORGET = "restart", "keep", "forget"

# Restart type and whether the end was abnormal, to what becomes of the child.
RESTARTS: dict[tuple[str, bool], str] = {
    ("permanent", False): RESTART,
    ("permanent", True): RESTART,
    ("transient", False): KEEP,
    ("transient", True): RESTART,
    ("temporary", False): FORGET,
    ("temporary", True): FORGET,
}

# -- when restarts run out ---------------------------------------------------------------------------

# Why a supervisor ended of itself.
START, INTENSITY, STRATEGY, FLAW, SIGNIFICANT = (
    "start",  # a child did not start
    "intensity",  # more restarts than are allowed
    "strategy",  # the strategy gave up
    "flaw",  # the strategy raised, or decided what cannot be
    "significant",  # a significant child has done its work
)

END, WAIT, PARK = "end", "wait", "park"

# `when_exhausted` and what has run out, to what follows.  There is no window that a strategy could wait for.
EXHAUSTED: dict[tuple[str, str], str] = {
    ("escalate", INTENSITY): END,
    ("escalate", STRATEGY): END,
    ("throttle", INTENSITY): WAIT,
    ("throttle", STRATEGY): END,
    ("park", INTENSITY): PARK,
    ("park", STRATEGY): PARK,
}

AUTO_SHUTDOWN = ("never", "any_significant", "all_significant")


def shuts_down(mode: str, others: bool) -> bool:
    """Does the end of a significant child end the supervisor, if there are `others` that are significant?"""
    return mode == "any_significant" or (mode == "all_significant" and not others)


# -- flags -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChildRules:
    """How a child's end is treated.

    `max_restarts` counts in its life (None: the intensity decides, -1: no limit); `timeout` is what a polite stop
    may take (nanoseconds; 0: kill at once, None: without end).
    """

    restart: str = "permanent"
    max_restarts: int | None = None
    significant: bool = False
    backoff: Backoff | None = None
    timeout: int | None = 5 * SECOND


@dataclass(frozen=True, slots=True)
class Flags:
    """How a supervisor decides: `intensity` restarts are allowed `within` nanoseconds.

    `dynamic`: children come and go, start when they are added, stop all at once and are not kept.  `per_child`:
    each has an intensity of its own, and when it runs out only that child is given up.
    """

    intensity: int = 3
    within: int = 5 * SECOND
    strategy: Strategy = field(default_factory=OneForOne)
    auto_shutdown: str = "never"
    when_exhausted: str = "escalate"
    dynamic: bool = False
    per_child: bool = False


def spend(times: list[int], now: int, flags: Flags) -> bool:
    """Count a restart; False if it is one too many for the window."""
    times.append(now)
    if times[0] < now - flags.within:
        del times[: bisect_left(times, now - flags.within)]
    return len(times) <= flags.intensity


def postpone(times: list[int], flags: Flags) -> int:
    """The restart that was one too many is allowed later: when that is, and counted there."""
    del times[-1]
    at = times[-flags.intensity] + flags.within + 1
    times.append(at)
    return at
