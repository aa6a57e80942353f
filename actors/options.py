"""The options of actors and methods, checked by name and value when they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypedDict

from ..transports.guests.protocol import MOST_GROUPS
from .backoff import Backoff
from .checks import (
    UNLIMITED,
    Checks,
    check_fields,
    is_count,
    is_exceptions,
    is_label,
    is_limit,
    is_mapping,
    is_optional_count,
    is_positive,
    is_retry,
    is_seconds,
    is_timeout,
    one_of,
)
from .executor import Executor, Process

RestartType = Literal["permanent", "transient", "temporary"]
BRUTAL = "brutal"
RESTART_TYPES = ("permanent", "transient", "temporary")


class MethodOptions(TypedDict, total=False):
    """What `@method(...)` takes."""

    max_task_retries: int
    retry_exceptions: bool | Sequence[type[BaseException]]
    timeout: float | None
    interrupt: bool
    cancel: Literal["now", "wait"]
    concurrency_group: str
    ahead: int
    num_returns: Literal["streaming"]


class ActorOptions(TypedDict, total=False):
    """What `class X(Actor, ...)` and `X.options(...)` take."""

    executor: Executor
    id: str
    name: str
    namespace: str
    get_if_exists: bool
    lifetime: Literal["detached"] | None
    restart: RestartType
    significant: bool
    backoff: Backoff | None
    shutdown: float | Literal["brutal"]
    start_timeout: float
    call_timeout: float | None
    cancel: Literal["now", "wait"]
    crash_on: tuple[type[BaseException], ...]
    after_interrupt: Literal["keep", "restart"]
    max_restarts: int | None
    max_task_retries: int
    retry_exceptions: bool | Sequence[type[BaseException]]
    max_pending_calls: int
    max_concurrency: int | None
    concurrency_groups: Mapping[str, int]
    reentrant: bool


@dataclass(frozen=True, slots=True)
class Options:
    """How an actor runs.

    Seconds: `shutdown` (5; for a polite end, before the ladder's harder rungs; math.inf: without end, "brutal":
    it is killed at once), `start_timeout` (30),
    `call_timeout` (None: wait without end).  Counts: `max_restarts` (None: the supervisor's intensity
    decides; -1: without end; 0: never), `max_task_retries` (0; -1: as often as allowed),
    `max_pending_calls` (-1: no limit), `max_concurrency` (None: 1, or 1,000 for a class with `async` methods;
    a class without them runs its calls in so many threads), `concurrency_groups` (a limit of its own for
    the methods of each group).  `reentrant`: a call that comes back to the actor within one chain of calls
    begins at once, though its turn has not come.  `name` is unique in its `namespace`; with `get_if_exists`
    starting gives the handle of a living actor of that name and class, if there is one.  An actor made inside
    an `open_scope()` ends with it, unless its `lifetime` is "detached".  `cancel="wait"`: a cancelled caller
    returns when its method is known to have ended, not at once.  `restart`, `significant` and `backoff` are its
    supervisor's business (docs/supervision.md).
    """

    executor: Executor = Process()
    id: str | None = None
    name: str | None = None
    namespace: str = ""
    get_if_exists: bool = False
    lifetime: Literal["detached"] | None = None
    restart: RestartType | None = None
    significant: bool = False
    backoff: Backoff | None = None
    shutdown: float | Literal["brutal"] = 5.0
    start_timeout: float = 30.0
    call_timeout: float | None = None
    cancel: Literal["now", "wait"] = "now"
    crash_on: tuple[type[BaseException], ...] = ()
    after_interrupt: Literal["keep", "restart"] = "keep"
    max_restarts: int | None = None
    max_task_retries: int = 0
    retry_exceptions: bool | Sequence[type[BaseException]] = False
    max_pending_calls: int = UNLIMITED
    max_concurrency: int | None = None
    concurrency_groups: Mapping[str, int] = field(default_factory=dict[str, int])
    reentrant: bool = False

    def __post_init__(self) -> None:
        check_fields(self, CHECKS)
        if self.significant and self.restart == "permanent":
            raise ValueError(
                "significant=True needs restart='transient' or 'temporary': a permanent child comes back"
            )

    @property
    def grace(self) -> float:
        """Seconds for a polite end."""
        return 0.0 if isinstance(self.shutdown, str) else self.shutdown

    def changed(self, changes: Mapping[str, Any]) -> Options:
        """These options with some of them replaced.

        Raises:
            TypeError: for an option that does not exist.
            ValueError: for a value that it cannot have.
        """
        for name in changes:
            if name not in NAMES:
                raise TypeError(f"there is no option {name!r}; there are {', '.join(sorted(NAMES))}")
        return replace(self, **changes) if changes else self


NAMES = frozenset(field.name for field in fields(Options))


def retried_kinds(option: bool | Sequence[type[BaseException]]) -> tuple[type[BaseException], ...]:
    """The exceptions that `retry_exceptions` names."""
    if isinstance(option, bool):
        return (Exception,) if option else ()
    return tuple(option)


def is_executor(value: Any) -> bool:
    return isinstance(value, Executor) and type(value) is not Executor


def is_restart(value: Any) -> bool:
    return value is None or value in RESTART_TYPES


def is_aftermath(value: Any) -> bool:
    return value in ("keep", "restart")


def is_backoff(value: Any) -> bool:
    return value is None or isinstance(value, Backoff)


def is_shutdown(value: Any) -> bool:
    return value == BRUTAL or is_seconds(value)


def is_optional_positive(value: Any) -> bool:
    return value is None or is_positive(value)


def is_group(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def is_groups(value: Any) -> bool:
    if not is_mapping(value) or len(value) >= MOST_GROUPS:
        return False
    return all(is_group(name) and is_positive(limit) for name, limit in value.items())


def is_namespace(value: Any) -> bool:
    return value == "" or (value is not None and is_label(value))


def is_streaming(value: Any) -> bool:
    return bool(value == "streaming")


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


CHECKS: Checks = {
    "executor": (is_executor, "an executor such as Process() or Local()"),
    "id": (is_label, "a text without '/'"),
    "name": (is_label, "a text without '/'"),
    "namespace": (is_namespace, "a text without '/'"),
    "get_if_exists": (is_flag, "True or False"),
    "lifetime": (one_of(None, "detached"), "'detached' or None"),
    "cancel": (one_of("now", "wait"), "'now' or 'wait'"),
    "restart": (is_restart, f"one of {', '.join(RESTART_TYPES)}"),
    "significant": (is_flag, "True or False"),
    "backoff": (is_backoff, "Backoff(...) or None"),
    "shutdown": (is_shutdown, "a number of seconds, 0 or more, or 'brutal'"),
    "start_timeout": (is_seconds, "a number of seconds, 0 or more"),
    "call_timeout": (is_timeout, "a number of seconds, or None"),
    "crash_on": (is_exceptions, "a tuple of exception classes"),
    "after_interrupt": (is_aftermath, "'keep' or 'restart'"),
    "max_restarts": (is_optional_count, "-1, 0, a count, or None"),
    "max_task_retries": (is_count, "-1, 0 or a count"),
    "retry_exceptions": (is_retry, "a bool or a tuple of exception classes"),
    "max_pending_calls": (is_limit, "-1 or a count"),
    "max_concurrency": (is_optional_positive, "a count above 0, or None"),
    "concurrency_groups": (is_groups, f"a mapping of at most {MOST_GROUPS} names to counts above 0"),
    "reentrant": (is_flag, "True or False"),
}

METHOD_CHECKS = {
    "timeout": CHECKS["call_timeout"],
    "max_task_retries": CHECKS["max_task_retries"],
    "retry_exceptions": CHECKS["retry_exceptions"],
    "interrupt": (is_flag, "True or False"),
    "cancel": CHECKS["cancel"],
    "concurrency_group": (is_group, "the name of a group"),
    "ahead": (is_positive, "a count of items above 0"),
    "num_returns": (is_streaming, "'streaming'"),
}
