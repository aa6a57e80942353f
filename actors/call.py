"""The call record: one message to an actor, from its making to its one end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import Abort, current_task

from ..transports.ticks import park, wake
from . import lifecycle
from .errors import NEVER_SENT, TaskCancelledError

if TYPE_CHECKING:
    from .mailbox import Mailbox
    from .method import ActorMethod
    from .reasons import ExitReason


class Call:
    """A message and, in the end, its outcome: waiting tasks are woken with the record itself.

    `payload` is what the executor made of the arguments; `attempt` counts from 1; `deaths` are the exit
    reasons of incarnations that ended while they ran it; `position` is its place among all that one
    incarnation was sent.
    """

    __slots__ = (
        "attempt", "code", "deadline", "deaths", "error", "id", "is_cast", "mailbox", "method", "parent", "payload", "position", "ref",
        "state", "task", "value", "waiters",
    )  # fmt: skip

    def __init__(
        self, mailbox: Mailbox, method: ActorMethod[Any], id: int, parent: int, is_cast: bool, payload: Any, code: Any
    ) -> None:
        self.mailbox = mailbox
        self.method = method
        self.id = id
        self.parent = parent
        self.is_cast = is_cast
        self.payload = payload
        self.code = code
        self.state = lifecycle.QUEUED
        self.attempt = 1
        self.position = 0
        self.deadline = 0.0
        self.deaths: tuple[ExitReason, ...] = ()
        self.value: Any = None
        self.error: BaseException | None = None
        self.task: trio.lowlevel.Task | None = None
        self.waiters: list[trio.lowlevel.Task] | None = None
        self.ref: Any = None

    @property
    def ended(self) -> bool:
        return self.state is lifecycle.ENDED

    def __repr__(self) -> str:
        return f"<call {self.id} {self.method.name}() to {self.mailbox.label}: {self.state}>"

    # -- its end --------------------------------------------------------------------------------

    def succeed(self, value: Any) -> None:
        """End it with a value; a no-op if it has ended."""
        if self.state is not lifecycle.ENDED:
            self.state = lifecycle.ENDED
            self.value = value
            self.tell()

    def fail(self, error: BaseException) -> None:
        """End it with an error; a no-op if it has ended."""
        if self.state is not lifecycle.ENDED:
            self.state = lifecycle.ENDED
            self.error = error
            self.tell()

    def tell(self) -> None:
        task = self.task
        if task is not None:
            self.task = None
            wake(task, self)
        elif self.waiters is not None:
            waiters, self.waiters = self.waiters, None
            for task in waiters:
                wake(task, self)
        if self.ref is not None:
            self.ref.settled(self)

    def unwrap(self) -> Any:
        """The value, or raise the error: trio resumes a waiting task with this."""
        error = self.error
        if error is None:
            return self.value
        try:
            raise error
        finally:
            del error, self  # the traceback holds this frame, and must not hold the record

    # -- waiting for it -------------------------------------------------------------------------

    async def wait_alone(self) -> Any:
        """Wait as the only one who cares: if cancelled, the call is withdrawn."""
        self.task = current_task()
        return await park(self.abandoned)

    def abandoned(self, raise_cancel: Any) -> Abort:
        self.task = None
        self.mailbox.withdraw(self, cancelled(self))
        return Abort.SUCCEEDED

    async def wait_shared(self) -> Any:
        """Wait with others; if cancelled, the call goes on."""
        if self.state is lifecycle.ENDED:
            await trio.lowlevel.checkpoint()
            return self.unwrap()
        task = current_task()
        if self.waiters is None:
            self.waiters = []
        self.waiters.append(task)

        def leave(raise_cancel: Any) -> Abort:
            assert self.waiters is not None
            self.waiters.remove(task)
            return Abort.SUCCEEDED

        return await park(leave)


def cancelled(call: Call) -> TaskCancelledError:
    text = f"call {call.id}, {call.method.name}() to {call.mailbox.label}, was cancelled"
    return TaskCancelledError(text, NEVER_SENT, call.id, call.method.name)
