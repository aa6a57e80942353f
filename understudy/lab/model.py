"""A modelled actor: how long it takes to start and stop, what befalls it, and what calls come to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..actors.checks import Checks, is_tuple
from .distributions import SHARE, WHEN, WHEN_OR_NONE, Distribution, check
from .faults import Fault, is_fault
from .load import Load


@dataclass(frozen=True, slots=True)
class Model:
    """What an actor does, as far as supervision sees it; times are distributions, or seconds.

    `start` is how long a start takes; `restart` the same after a failure, `renewal` after an end that was planned,
    normal or ordered by its supervisor (None: as `start`).  `stop` is how long it takes to end when asked.  Such a share of
    starts, `start_fails`, comes to nothing.  `ageing` is how long it is up before it has aged: then its sample
    says so (one byte of memory), and faults with the clock *aged* can strike.  `load` are the calls that come
    to it (None: nobody calls).

    Example:
        Model(start=0.5, faults=(Crash(Exponential(3600.0)), Hang(Exponential(86400.0))))

    Raises:
        ValueError: for a field that cannot be.
    """

    start: Distribution | float = 0.0
    restart: Distribution | float | None = None
    renewal: Distribution | float | None = None
    stop: Distribution | float = 0.0
    start_fails: float = 0.0
    ageing: Distribution | float | None = None
    faults: tuple[Fault, ...] = ()
    load: Load | None = None

    def __post_init__(self) -> None:
        check(self, MODEL_CHECKS)


def are_faults(value: Any) -> bool:
    return is_tuple(value) and all(map(is_fault, value))


def is_load(value: Any) -> bool:
    return value is None or isinstance(value, Load)


MODEL_CHECKS: Checks = {
    "start": WHEN,
    "restart": WHEN_OR_NONE,
    "renewal": WHEN_OR_NONE,
    "stop": WHEN,
    "start_fails": SHARE,
    "ageing": WHEN_OR_NONE,
    "load": (is_load, "a Load, or None"),
    "faults": (are_faults, "a tuple of faults: Crash, Hang, Leave, Slow"),
}
