"""What a supervisor refuses, by type; and the table of what it refuses when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..actors.errors import UnderstudyError
from .child import DELAYED, DOWN, LEAVING, PARKED, PENDING, RESTARTING, RUNNING, STARTING, STOPPING, WAITING

if TYPE_CHECKING:
    from ..actors.actor import Handle


class SupervisorError(UnderstudyError):
    """Something a supervisor was asked for and did not do; it goes on as before."""


class SupervisorNotFound(SupervisorError):
    """No supervisor runs at this path."""


class NotFound(SupervisorError):
    """It has no child of this id."""


class AlreadyStarted(SupervisorError):
    """A child of this id runs; `handle` is the handle of it."""

    def __init__(self, text: str, handle: Handle[Any] | None = None) -> None:
        super().__init__(text)
        self.handle = handle


class AlreadyPresent(SupervisorError):
    """There is a child of this id that does not run: restart it, or delete it first."""


class StillRunning(SupervisorError):
    """The child runs; terminate it first."""


class Restarting(SupervisorError):
    """The child is being restarted; terminate it to take it out of that."""


class TooManyChildren(SupervisorError):
    """A dynamic supervisor has `max_children` already, those that are being restarted included."""


class Unsupported(SupervisorError):
    """Not for this kind of supervisor: children of a dynamic one are forgotten when they end."""


# -- what is refused when ----------------------------------------------------------------------------

UP, BETWEEN, UNDEFINED, PARKED_, MISSING = "running", "restarting", "undefined", "parked", "missing"

# A child's state in the rulebook, to how it stands for those who ask.
STANDING: dict[str, str] = {
    WAITING: UNDEFINED,
    STARTING: UP,
    RESTARTING: BETWEEN,
    RUNNING: UP,
    STOPPING: UP,
    LEAVING: UP,
    PENDING: UNDEFINED,
    DELAYED: BETWEEN,
    PARKED: PARKED_,
    DOWN: UNDEFINED,
}

START, RESTART, DELETE, TERMINATE, LOOK = (
    "start_child",
    "restart_child",
    "delete_child",
    "terminate_child",
    "get_childspec",
)

# What is asked and how the child stands, to the error; None: it is done.
REFUSALS: dict[tuple[str, str], type[SupervisorError] | None] = {
    (START, UP): AlreadyStarted,
    (START, BETWEEN): AlreadyPresent,
    (START, UNDEFINED): AlreadyPresent,
    (START, PARKED_): AlreadyPresent,
    (START, MISSING): None,
    (RESTART, UP): StillRunning,
    (RESTART, BETWEEN): Restarting,
    (RESTART, UNDEFINED): None,
    (RESTART, PARKED_): None,
    (RESTART, MISSING): NotFound,
    (DELETE, UP): StillRunning,
    (DELETE, BETWEEN): Restarting,
    (DELETE, UNDEFINED): None,
    (DELETE, PARKED_): None,
    (DELETE, MISSING): NotFound,
    (TERMINATE, UP): None,
    (TERMINATE, BETWEEN): None,
    (TERMINATE, UNDEFINED): None,
    (TERMINATE, PARKED_): None,
    (TERMINATE, MISSING): NotFound,
    (LOOK, UP): None,
    (LOOK, BETWEEN): None,
    (LOOK, UNDEFINED): None,
    (LOOK, PARKED_): None,
    (LOOK, MISSING): NotFound,
}

WORDS: dict[type[SupervisorError], str] = {
    AlreadyStarted: "runs already",
    AlreadyPresent: "is there already and does not run; restart it with restart_child(), or delete_child() it first",
    StillRunning: "runs; terminate_child() it first",
    Restarting: "is being restarted; terminate_child() takes it out of that",
    NotFound: "does not exist",
}
