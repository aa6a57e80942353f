"""`Limits(...)`: how much of the system a guest may use, and when it is replaced by a fresh one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .checks import Checks, check_fields, is_positive

# What the system itself enforces, as the guest is told it before any code of the user's runs.
HARD = ("memory", "cpu_seconds", "open_files", "processes", "niceness")
LEAST_MEMORY = 16 * 2**20  # bytes; a guest that has loaded nothing yet has some 12 MiB


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a guest may use; None: as much as the host.

    The system enforces the first five.  `memory` is bytes of its own that it may write to (heap, private maps),
    16 MiB at least, beyond which it is refused more; `cpu_seconds` its processor time, after which it is killed;
    `open_files` descriptors; `processes` the processes and threads of its *user*, all together (root is not bound
    by it), in a sandbox its own; `niceness` from -20 to 19.

    The others replace the guest by a fresh one, at a moment in which it runs no call; its callers only wait.
    `soft_memory` is its proportional share of memory in bytes, looked at every second; `max_calls` counts calls
    and casts, `max_age` seconds since it was ready.  `Process(limits=Limits(memory=2**30, max_calls=1000))`.

    Raises:
        ValueError: for a limit that cannot be.
    """

    memory: int | None = None
    cpu_seconds: int | None = None
    open_files: int | None = None
    processes: int | None = None
    niceness: int | None = None
    soft_memory: int | None = None
    max_calls: int | None = None
    max_age: float | None = None

    def __post_init__(self) -> None:
        check_fields(self, LIMITS_CHECKS)

    @property
    def hard(self) -> dict[str, int]:
        """What the system is to enforce."""
        given = {name: getattr(self, name) for name in HARD}
        return {name: limit for name, limit in given.items() if limit is not None}

    @property
    def recycles(self) -> bool:
        """Is a guest ever replaced by a fresh one?"""
        return self.soft_memory is not None or self.max_calls is not None or self.max_age is not None


def is_optional_positive(value: Any) -> bool:
    return value is None or is_positive(value)


def is_enough(value: Any) -> bool:
    return value is None or (is_positive(value) and value >= LEAST_MEMORY)


def is_niceness(value: Any) -> bool:
    return value is None or (type(value) is int and -20 <= value <= 19)


def is_age(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and value > 0)


BYTES = (is_optional_positive, "bytes above 0, or None")
NUMBER = (is_optional_positive, "a count above 0, or None")

LIMITS_CHECKS: Checks = {
    "memory": (is_enough, "16 MiB (16 * 2**20 bytes) or more, as a guest begins with some 12, or None"),
    "cpu_seconds": (is_optional_positive, "whole seconds above 0, or None"),
    "open_files": NUMBER,
    "processes": NUMBER,
    "niceness": (is_niceness, "a whole number from -20 to 19, or None"),
    "soft_memory": BYTES,
    "max_calls": NUMBER,
    "max_age": (is_age, "seconds above 0, or None"),
}
