"""The call record: one message to an actor, from its making to its one end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import trio
from trio.lowlevel import Abort, Task, current_task

from ..transports.ticks import park, wake
from . import lifecycle
from .channel_ticket import let_go
from .errors import CallError
from .leaving import leave

if TYPE_CHECKING:
    from .mailbox import Mailbox
    from .method import ActorMethod
    from .reasons import ExitReason


class Settled(Protocol):
    """Who is told that a call has ended: a ref's watcher, a stream."""

    def settled(self, call: Call, /) -> None: ...


# A Struct, because one is made for every message: that costs a third of a class with slots.
class Call(msgspec.Struct, eq=False):
    """A message and, in the end, its outcome: waiting tasks are woken with the record itself.

    `payload` and `code` are what the executor made of the arguments; `parent` is the message in whose method
    this one was made (0: none); `attempt` counts from 1; `deaths` are the exit reasons of incarnations that
    ended while they ran it; `position` is its place among all that one incarnation was sent; `maker` is the call
    whose method waits for this one, while it does; `context` is what travels beside the arguments.
    """

    mailbox: Mailbox
    method: ActorMethod[Any]
    id: int
    payload: Any
    code: Any
    is_cast: bool
    parent: int
    state: str = lifecycle.QUEUED
    task: Task | None = None
    value: Any = None
    error: BaseException | None = None
    deadline: float = math.inf
    attempt: int = 1
    position: int = 0
    deaths: tuple[ExitReason, ...] = ()
    waiters: list[Task] | None = None
    ref: Settled | None = None
    maker: Call | None = None
    context: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        return self.state is lifecycle.ENDED

    def __repr__(self) -> str:
        return f"<call {self.id} {self.method.name}() to {self.mailbox.label}: {self.state}>"

    def where(self) -> tuple[str, int]:
        """The actor that has it, and its incarnation (0: none is there)."""
        life = getattr(self.mailbox.receiver, "life", None)
        return self.mailbox.label, 0 if life is None else life.number

    # -- its end --------------------------------------------------------------------------------

    def succeed(self, value: Any) -> None:
        """End it with a value; a no-op if it has ended."""
        if self.state is not lifecycle.ENDED:
            self.state = lifecycle.ENDED
            self.value = value
            task = self.task
            if task is not None:
                self.task = None
                wake(task, self)
            else:
                self.tell()

    def fail(self, error: BaseException) -> None:
        """End it with an error; a no-op if it has ended."""
        if self.state is not lifecycle.ENDED:
            self.state = lifecycle.ENDED
            self.error = error
            if self.code:
                let_go(self.code)
            self.tell()

    def tell(self) -> None:
        if self.task is not None:
            task, self.task = self.task, None
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

    def skipped(self) -> bool:
        """The executor skipped it, though its caller has not cancelled it; False if nobody asked for that."""
        return False

    def let_go(self) -> None:
        """The executor has dealt with a call that had ended before; for kinds of calls to whom that matters."""

    # -- waiting for it -------------------------------------------------------------------------

    def abandoned(self, raise_cancel: Callable[[], Any]) -> Abort:
        """The only one who waited is cancelled: withdraw the call."""
        assert self.task is not None
        return leave(self, self.task, raise_cancel)

    async def wait_shared(self) -> Any:
        """Wait with others; if cancelled, the call goes on."""
        if self.state is lifecycle.ENDED:
            await trio.lowlevel.checkpoint()
            return self.unwrap()
        task = current_task()
        if self.waiters is None:
            self.waiters = []
        self.waiters.append(task)

        def forget(_: Any) -> Abort:
            assert self.waiters is not None
            self.waiters.remove(task)
            return Abort.SUCCEEDED

        return await park(forget)

    async def wait_ended(self) -> None:
        """Wait with others for the end, whatever the outcome."""
        try:
            await self.wait_shared()
        except CallError:
            pass
