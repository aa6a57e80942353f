"""Where an actor's code runs, as small frozen values: `Local()`, `Thread(...)`, `Process(...)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .checks import (
    Checks,
    check_fields,
    is_natural,
    is_optional_text,
    is_positive,
    is_seconds,
    is_texts,
    one_of,
)
from .environment import Environment, is_policy
from .limits import Limits
from .sandbox import Mode, Sandbox, is_sandbox
from .takers import MEANING, is_output

if TYPE_CHECKING:
    from .takers import Takers

SECONDS = (is_seconds, "a number of seconds, 0 or more")
COUNT = (is_positive, "a count above 0")

FLAG = (one_of(True, False), "True or False")

LADDER_CHECKS: Checks = {"interrupt": SECONDS, "terminate": SECONDS, "collateral": FLAG}
BOUNDS_CHECKS: Checks = {"max_bytes": COUNT, "max_depth": COUNT, "max_elements": COUNT}


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Executor:
    """Base of all executors."""


@dataclass(frozen=True, slots=True)
class Local(Executor):
    """An object in this process, Erlang's cheap kind.

    A plain method that runs cannot be stopped from outside, a generator between two items can, and `async` methods
    wherever they wait: they run in tasks of this very event loop.
    """


@dataclass(frozen=True, slots=True)
class Ladder:
    """Seconds on each rung, when something must end: after `interrupt` comes `terminate`, after that a kill.

    The harder rungs end all that runs in the actor.  While it runs other calls beside the one that must end,
    they are taken only with `collateral=True`; without it the call is interrupted again and again.
    """

    interrupt: float = 1.0
    terminate: float = 1.0
    collateral: bool = False

    def __post_init__(self) -> None:
        check_fields(self, LADDER_CHECKS)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one message may hold; `max_depth` and `max_elements` bound untrusted data only."""

    max_bytes: int = 64 * 1024 * 1024
    max_depth: int = 64
    max_elements: int = 1_000_000

    def __post_init__(self) -> None:
        check_fields(self, BOUNDS_CHECKS)


@dataclass(frozen=True, slots=True)
class Thread(Executor):
    """A thread of its own in this process; arguments and results are the very same objects, not copies.

    A method can be interrupted between two steps of Python, not in a call that blocks.  What does not end is
    abandoned, with an event: it goes on in its thread, its actor is restarted without it, and nothing it
    says is heard any more.  `loop` runs `async` methods.
    """

    loop: Literal["trio", "asyncio"] = "trio"
    ladder: Ladder = Ladder()

    def __post_init__(self) -> None:
        check_fields(self, THREAD_CHECKS)


@dataclass(frozen=True, slots=True)
class Process(Executor):
    """A process of its own, with its own process group; it cannot outlive its host.

    `python` is a path to an interpreter (None: this one).  `environ` is the whole environment: `"clean"` is
    empty, a mapping is all there is, `"inherit"` is the host's, `Environment(...)` says more.  `limits` bound
    what the guest uses, `sandbox` what it sees: `"off"`, `"best-effort"`, `"required"`, or `Sandbox(...)` with
    paths and more.  `packages="host"` gives the guest this process's import path, `"none"` the standard library
    alone.  With `trusted=False` only data travels, and nothing the guest says is believed: neither
    unpickled nor taken for a length.  `stdout` and `stderr` say where what it writes goes: `"show"` to the
    host's own streams, each line after the actor's name; `"keep"` nowhere, but for its end in error messages;
    `"events"` to `runtime.events()`; to a `Path(...)` or a `RotatedFile(...)`; to a function that takes an
    `Output`; to several of these, as a tuple; `"leave"` leaves the host's own streams to it, `"null"` throws it
    away.  `output="chunks"` gives functions and events what came instead of lines.  `stdin="pipe"` is for `feed`.
    A guest that is stopped (SIGSTOP) for `stopped_timeout` seconds is
    killed.  `loop` runs `async` methods; a class that has none needs none.  `debug` says what
    `breakpoint()` does: `"terminal"` opens pdb at the host's terminal, `"debugpy"` waits for an editor,
    `"off"` goes on; None: as `UNDERSTUDY_DEBUG` says, else `"terminal"` if it is trusted.  With `spin=True` a
    guest of plain methods looks for its next call for some 30 µs before it sleeps: one caller is served sooner,
    where a second core is free.

    `launch="zygote"` forks guests off a process that has their code loaded, `"spawn"` starts an interpreter for each.
    Modules to `preload` are imported once, by the zygote, and must start no threads.  Untrusted guests of one
    `domain` share a zygote, and with no others.  `flags` are for the interpreter: `("-O",)`, `("-X", "dev")`.
    `standby` guests wait with the class's code loaded (its `__init__` not run), so that a restart takes one of them.
    """

    python: str | None = None
    environ: Mapping[str, str] | Environment | Literal["clean", "inherit"] = "clean"
    packages: Literal["host", "none"] = "host"
    folder: str | None = None
    trusted: bool = True
    bounds: Bounds = Bounds()
    ladder: Ladder = Ladder()
    stdout: Takers = "show"
    stderr: Takers = "show"
    stdin: Literal["null", "pipe"] = "null"
    output: Literal["lines", "chunks"] = "lines"
    stopped_timeout: float = 1.0
    loop: Literal["trio", "asyncio"] = "trio"
    debug: Literal["terminal", "debugpy", "off"] | None = None
    limits: Limits = UNLIMITED
    sandbox: Mode | Sandbox = "off"
    spin: bool = False
    launch: Literal["zygote", "spawn"] = "zygote"
    preload: Sequence[str] = ()
    domain: str = ""
    flags: Sequence[str] = ()
    standby: int = 0

    def __post_init__(self) -> None:
        check_fields(self, PROCESS_CHECKS)


def is_bounds(value: object) -> bool:
    return isinstance(value, Bounds)


def is_ladder(value: object) -> bool:
    return isinstance(value, Ladder)


def is_limits(value: object) -> bool:
    return isinstance(value, Limits)


def is_module_names(value: Any) -> bool:
    return is_texts(value) and all(part.isidentifier() for name in value for part in name.split("."))


def is_domain(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= 80


def is_flags(value: Any) -> bool:
    return is_texts(value) and all(flag and "\0" not in flag for flag in value)


LOOP = (one_of("trio", "asyncio"), "'trio' or 'asyncio'")

PROCESS_CHECKS: Checks = {
    "python": (is_optional_text, "a path as text, or None"),
    "environ": (is_policy, "'clean', 'inherit', Environment(...) or a mapping of text to text"),
    "packages": (one_of("host", "none"), "'host' or 'none'"),
    "folder": (is_optional_text, "a path as text, or None"),
    "trusted": FLAG,
    "bounds": (is_bounds, "Bounds(...)"),
    "ladder": (is_ladder, "Ladder(...)"),
    "stdout": (is_output, MEANING),
    "stderr": (is_output, MEANING),
    "stdin": (one_of("null", "pipe"), "'null' or 'pipe'"),
    "output": (one_of("lines", "chunks"), "'lines' or 'chunks'"),
    "stopped_timeout": SECONDS,
    "loop": LOOP,
    "debug": (one_of(None, "terminal", "debugpy", "off"), "'terminal', 'debugpy', 'off' or None"),
    "limits": (is_limits, "Limits(...)"),
    "sandbox": (is_sandbox, "'off', 'best-effort', 'required' or Sandbox(...)"),
    "spin": FLAG,
    "launch": (one_of("zygote", "spawn"), "'zygote' or 'spawn'"),
    "preload": (is_module_names, "a list of names of modules"),
    "domain": (is_domain, "a short name as text"),
    "standby": (is_natural, "a count of 0 or more"),
    "flags": (is_flags, "a list of flags for the interpreter, as texts"),
}

THREAD_CHECKS: Checks = {"loop": LOOP, "ladder": (is_ladder, "Ladder(...)")}
