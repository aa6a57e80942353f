"""What is fed to the rulebook of supervision, and what comes out; times are integer nanoseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from .rules import ChildRules, Flags
from .strategies.strategy import Sampled, Woke


class Reason(Protocol):
    """An exit reason, as far as it matters here."""

    @property
    def abnormal(self) -> bool: ...
    @property
    def uprooted(self) -> bool: ...
    @property
    def recycled(self) -> bool: ...
    @property
    def interrupted(self) -> bool: ...


class Cause(Struct, frozen=True):
    """Why a supervisor ended of itself: a `child` (None: no one child), its `reason`, and `why` (see rules.py)."""

    why: str
    child: str | None = None
    reason: Any = None


# -- what is fed in ----------------------------------------------------------------------------------


class Begin(Struct, frozen=True):
    """Start all children, in this order (None: as they were added)."""

    order: tuple[str, ...] | None = None
    failed: Cause | None = None  # a child could not even be made


class Added(Struct, frozen=True):
    """A child was added: before Begin to those that Begin starts, after it to be started at once."""

    id: str
    rules: ChildRules


class Started(Struct, frozen=True):
    """A child is ready."""

    id: str


class Ended(Struct, frozen=True):
    """A child ended; `started` is False if it never became ready, `declined` says that it need not run."""

    id: str
    reason: Any
    started: bool
    declined: bool = False


class Terminate(Struct, frozen=True):
    """Somebody wants this child to end and stay so; `keep`: its spec stays, for a restart by hand."""

    id: str
    keep: bool = False
    reason: Any = None


class Restart(Struct, frozen=True):
    """Somebody starts a child that is down by hand; of what is parked, all that was parked with it."""

    id: str


class Delete(Struct, frozen=True):
    """Somebody wants a child that is down to be forgotten."""

    id: str


class Revised(Struct, frozen=True):
    """New flags and rules, in place; children that are new stay down until somebody starts them."""

    flags: Flags
    rules: Mapping[str, ChildRules]


class Shutdown(Struct, frozen=True):
    """Stop everything, last first; `returns`: it will be started again, and what waits can wait for that."""

    returns: bool = False


Event = Begin | Added | Started | Ended | Terminate | Restart | Delete | Revised | Shutdown | Woke | Sampled

# -- what comes out ----------------------------------------------------------------------------------


class Start(Struct, frozen=True):
    """Start (or restart) a child."""

    id: str
    restart: bool = False


class Stop(Struct, frozen=True):
    """Ask a child to end, and see that it has ended `timeout` later (0: kill it; None: wait without end).

    `returns`: it will be started again, so what waits for it is left for its next incarnation.
    """

    id: str
    timeout: int | None = None
    returns: bool = False


class Delay(Struct, frozen=True):
    """A child stays down until a time; callers wait.  `why` is backoff, intensity or retry."""

    id: str
    until: int
    why: str


class Park(Struct, frozen=True):
    """A child stays down until a person starts it; callers are told."""

    id: str
    reason: Any


class Rest(Struct, frozen=True):
    """Leave a child down, its spec kept; `reason` tells callers why, None lets them wait for its next start."""

    id: str
    reason: Any = None


class Retire(Struct, frozen=True):
    """A child is gone for good; `gave_up` if its restarts ran out."""

    id: str
    reason: Any
    gave_up: bool = False


class Wake(Struct, frozen=True):
    """Feed Woke at this time; it replaces the time told before, None takes it back."""

    at: int | None


class AllStarted(Struct, frozen=True):
    """Every child of the first start is ready, or has declined."""


class Over(Struct, frozen=True):
    """The supervisor has ended and no child runs; without a cause it was told to."""

    cause: Cause | None = None


Effect = Start | Stop | Delay | Park | Rest | Retire | Wake | AllStarted | Over
