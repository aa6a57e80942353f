"""`PoolFuture`: what an `Executor` gives for a call, and how that is told when the call has ended."""

from __future__ import annotations

from concurrent import futures
from typing import TYPE_CHECKING, TypeVar

from .actors import lifecycle
from .actors.leaving import cancelled

if TYPE_CHECKING:
    from .actors.call import Call
    from .executor import Executor

T = TypeVar("T")


class PoolFuture(futures.Future[T]):
    """The future of a function that runs in a pool.  Cancelled before it is done, it is stopped even if it runs."""

    def __init__(self, executor: Executor, call: Call) -> None:
        super().__init__()
        self.executor = executor
        self.call = call
        call.ref = self

    def running(self) -> bool:
        """Is it in the hands of a process, and not done?"""
        return not self.done() and self.call.state is not lifecycle.QUEUED

    def cancel(self) -> bool:
        """Stop the function: waiting, it never runs; running, it is interrupted.  False if it is done."""
        if not super().cancel():
            return False
        self.executor.cross(self.withdraw)
        return True

    def put(self) -> None:
        try:
            self.call.mailbox.put(self.call)
        except Exception as error:
            self.call.error = error
            self.settled(self.call)

    def withdraw(self) -> None:
        self.call.mailbox.withdraw(self.call, cancelled(self.call))

    def settled(self, call: Call) -> None:
        if self.set_running_or_notify_cancel():
            if call.error is None:
                self.set_result(call.value)
            else:
                self.set_exception(call.error)
        self.executor.settled(self)
