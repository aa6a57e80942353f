"""`Sandbox(...)`: what a guest sees of the system it runs on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

from .checks import Checks, check_fields, is_positive, one_of

Mode = Literal["off", "best-effort", "required"]
OFF, BEST_EFFORT, REQUIRED = MODES = ("off", "best-effort", "required")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A guest behind walls: it sees the system's programs, its interpreter and its import path, all read-only.

    `read` and `write` are absolute paths that it sees beside those; `network=True` leaves it the host's network.
    `scratch` bounds its private /tmp and its /dev/shm, in bytes each.  Where the system cannot build the walls,
    a guest that requires them does not start; with `"best-effort"` it starts without, and an event says so.
    `Process(sandbox=Sandbox("required", write=("/srv/results",)))`.

    Raises:
        ValueError: for a mode there is not, or a path that is not absolute.
    """

    mode: Mode = "required"
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    network: bool = False
    scratch: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        check_fields(self, SANDBOX_CHECKS)


def sandbox_of(value: Mode | Sandbox) -> Sandbox:
    """The sandbox that `Process(sandbox=...)` names."""
    return value if isinstance(value, Sandbox) else Sandbox(value)


def is_sandbox(value: object) -> bool:
    return isinstance(value, Sandbox) or value in MODES


def are_paths(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(is_path, value))  # pyright: ignore[reportUnknownArgumentType]


def is_path(value: object) -> bool:
    return isinstance(value, str) and os.path.isabs(value) and "\0" not in value


PATHS = (are_paths, "a tuple of absolute paths")

SANDBOX_CHECKS: Checks = {
    "mode": (one_of(*MODES), "'off', 'best-effort' or 'required'"),
    "read": PATHS,
    "write": PATHS,
    "network": (lambda value: isinstance(value, bool), "True or False"),
    "scratch": (is_positive, "bytes above 0"),
}
