"""The rulebook of one actor: the states of an actor and of a call, and what a death does to a call.

Pure and synchronous: tables first, then the few functions that look things up in them.
"""

from __future__ import annotations

from .errors import BEGUN as BEGUN
from .errors import NEVER_SENT as NEVER_SENT
from .errors import NOT_BEGUN as NOT_BEGUN
from .errors import UNKNOWN as UNKNOWN

# -- an actor ----------------------------------------------------------------------------------------

PENDING, STARTING, READY, STOPPING, RESTARTING, DOWN, DEAD = (
    "pending",  # not yet asked to start
    "starting",
    "ready",
    "stopping",
    "restarting",  # between two incarnations; calls wait
    "down",  # ended, its spec kept; may be started again
    "dead",  # for good
)

ACTOR: dict[tuple[str, str], str] = {
    (PENDING, "start"): STARTING,
    (PENDING, "rest"): DOWN,
    (PENDING, "retire"): DEAD,
    (STARTING, "ready"): READY,
    (STARTING, "stop"): STOPPING,
    (STARTING, "end"): RESTARTING,
    (READY, "stop"): STOPPING,
    (READY, "end"): RESTARTING,
    (STOPPING, "stop"): STOPPING,
    (STOPPING, "ready"): STOPPING,
    (STOPPING, "end"): RESTARTING,
    (RESTARTING, "start"): STARTING,
    (RESTARTING, "rest"): DOWN,
    (RESTARTING, "retire"): DEAD,
    (DOWN, "start"): STARTING,
    (DOWN, "rest"): DOWN,
    (DOWN, "retire"): DEAD,
    (DEAD, "retire"): DEAD,
}


class LifecycleError(RuntimeError):
    """A step that the table does not have: a bug of ours, never of the user's."""


def step(state: str, event: str) -> str:
    """The actor's next state."""
    try:
        return ACTOR[state, event]
    except KeyError:
        raise LifecycleError(f"an actor that is {state} cannot {event}") from None


# -- a call ------------------------------------------------------------------------------------------

QUEUED, SENT, RUNNING, ENDED = "queued", "sent", "begun", "ended"

# Where a call was when its incarnation died, and whether the guest had a page: its fate.
FATES: dict[tuple[str, bool], str] = {
    (QUEUED, False): NEVER_SENT,
    (QUEUED, True): NEVER_SENT,
    (SENT, False): UNKNOWN,
    (SENT, True): NOT_BEGUN,
    (RUNNING, False): UNKNOWN,
    (RUNNING, True): BEGUN,
}

# -- what a death does to a call ---------------------------------------------------------------------

KEEP, RETRY, FAIL, POISON = "keep", "retry", "fail", "poison"
MOST_RETRIES = 3  # deaths that one message may cause, whatever its options say


def after_death(fate: str, max_retries: int, deaths: int, ordered: bool) -> str:
    """What becomes of a call whose incarnation died; `deaths` counts this one, if nobody ordered it.

    keep: back to the head of the mailbox, as if nothing had been; retry: the same, one attempt more;
    fail: its caller is told; poison: its retries are used up, it goes to the dead letters.
    """
    if fate in (NEVER_SENT, NOT_BEGUN):
        return KEEP
    if max_retries == 0:
        return FAIL
    if ordered:
        return RETRY
    allowed = MOST_RETRIES if max_retries < 0 else min(max_retries, MOST_RETRIES)
    return RETRY if deaths <= allowed else POISON
