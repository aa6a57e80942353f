"""What is done in the runtime's thread for somebody who waits for it elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import outcome
import trio

from ..actors.errors import NoRuntimeError
from .waiters import Gate

R = TypeVar("R")


class Errand(Generic[R]):
    """A function that is called there."""

    def __init__(self, function: Callable[..., R], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self.over = Gate()
        self.outcome: outcome.Outcome[R] | None = None

    def begin(self) -> None:
        self.outcome = outcome.capture(self.function, *self.args)
        self.over.open()

    def unwrap(self) -> R:
        assert self.outcome is not None
        return self.outcome.unwrap()


class Job(Generic[R]):
    """An async function that runs there, in a task of its own."""

    def __init__(
        self, nursery: trio.Nursery | None, function: Callable[..., Awaitable[R]], args: tuple[Any, ...]
    ) -> None:
        self.nursery = nursery
        self.function = function
        self.args = args
        self.scope = trio.CancelScope()
        self.over = Gate()
        self.outcome: outcome.Outcome[R] = outcome.Error(
            NoRuntimeError("the runtime was closed before this was done")
        )

    def begin(self) -> None:
        try:
            assert self.nursery is not None
            self.nursery.start_soon(self.run)
        except RuntimeError:  # the nursery is closed, or its event loop has ended
            self.over.open()

    async def run(self) -> None:
        try:
            with self.scope:
                self.outcome = outcome.Value(await self.function(*self.args))
        except trio.Cancelled:
            raise  # the runtime closes
        except Exception as error:
            self.outcome = outcome.Error(error)
        finally:
            self.over.open()

    def cancel(self) -> None:
        self.scope.cancel()

    def unwrap(self) -> R:
        return self.outcome.unwrap()
