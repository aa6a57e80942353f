"""What can be seen of a runtime: its events, the trace of a message, the tree, a snapshot of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..transports.system.means import capabilities
from ..transports.system.processes import listed
from .events import EventReader
from .observing import Observers
from .processes import ProcessStatus, processes_of
from .trace import Trace
from .tree import draw

if TYPE_CHECKING:
    from collections import deque

    from ..actors.deadletter import DeadLetter
    from .house import RuntimeHouse
    from .runtime import Runtime
    from .supervisor import SupervisorNode


class Observed:
    """The part of a runtime that tells of itself."""

    house: RuntimeHouse
    observers: Observers
    tree_node: SupervisorNode
    dynamic: SupervisorNode

    @property
    def dead_letters(self) -> deque[DeadLetter]:
        """Messages nobody could deal with, oldest first; the last 10,000."""
        return self.house.dead_letters

    def events(self, *, messages: bool = False) -> EventReader:
        """A reader of every event from now on; use it with `async with`, iterate with `async for`.

        With `messages=True` each step of each message is an event too, which costs some microseconds a call.
        """
        return EventReader(self.house.stream, messages)

    def tracing(self, on: bool = True) -> None:
        """Keep the last 10,000 events for `trace()`, those of messages too; or keep them no longer."""
        if on:
            self.observers.trace_on()
        else:
            self.observers.trace_off()

    def trace(self, call_id: int) -> Trace:
        """Everything known of one message, by its id, and of those that were made in its method.

        Raises:
            UnderstudyError: if no events are kept; write `open_runtime(trace=True)`, or `runtime.tracing()` before.
        """
        return self.observers.trace(call_id)

    def tree(self, *, all: bool = False) -> str:  # noqa: A002  that is what is asked for
        """The tree as text; with `all=True` also every process below it, as the system lists them.

        Reading that list takes some milliseconds.
        """
        return draw([self.tree_node, self.dynamic], self.house.stage.keepers, listed() if all else None)

    def processes(self) -> tuple[ProcessStatus, ...]:
        """Every process below this one, as the system lists them: what it is for, and what it has used.

        Reading that takes about half a millisecond for each.
        """
        return processes_of(cast("Runtime", self))

    def capabilities(self) -> dict[str, str]:
        """Which of the system's means are in use, and what stands in for the others."""
        return capabilities()
