"""The ground on which `async` methods run in this process: nurseries, and who is who in their tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from ..transports.guests.context import Running, casts_are_elaborate, role
from .hooks import error_of, first_of, let_through, worse
from .local import LocalIncarnation, name_of
from .reasons import ERROR, SHUTDOWN_EXIT, TIMEOUT, ExitReason

if TYPE_CHECKING:
    from ..transports.guests.backstage import ActorTimer
    from .life import Life

CANCELLED = ExitReason(ERROR, "its nursery was cancelled")


class NurseryIncarnation(LocalIncarnation):
    """The calls' tasks are in one nursery, those that the object starts itself in another around it."""

    __slots__ = ("background", "calls", "scope", "stack")

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        casts_are_elaborate()
        self.background: trio.Nursery | None = None
        self.calls: trio.Nursery | None = None
        self.stack: AsyncExitStack | None = None
        self.scope: trio.CancelScope | None = None  # of the start, or of the end

    # -- from the start to the end --------------------------------------------------------------

    async def start(self) -> ExitReason | None:
        """Make the object and let it start, within `start_timeout`."""
        reason = self.exit
        if reason is not None:
            return reason
        try:
            async with AsyncExitStack() as stack:
                self.background = await stack.enter_async_context(trio.open_nursery())
                reason = await self.make_ready(self.life.spec.options.start_timeout)
                if (self.exit or reason) is None:
                    self.stack = stack.pop_all()
                else:
                    self.background.cancel_scope.cancel()
        except BaseException as error:
            self.disturbed(error)
        return self.exit or reason or (CANCELLED if self.stack is None else None)

    async def make_ready(self, seconds: float) -> ExitReason | None:
        with trio.move_on_after(seconds) as self.scope:
            return await super().start()
        return self.exit or ExitReason(TIMEOUT, f"on_start took longer than start_timeout, {seconds} s")

    async def serve(self) -> ExitReason:
        assert self.stack is not None
        assert self.background is not None
        try:
            async with self.stack:
                async with trio.open_nursery() as self.calls:
                    await self.direct()
                    self.calls.cancel_scope.cancel()
                self.background.cancel_scope.cancel()
        except BaseException as error:
            self.disturbed(error)
        finally:
            if self.agenda is not None:
                self.agenda.close()
            self.over()
        reason = self.exit = self.exit or CANCELLED
        return reason if self.actor is None else await self.bow(reason)

    async def bow(self, reason: ExitReason) -> ExitReason:
        seconds = self.life.spec.options.grace
        if self.agenda is not None:
            seconds = self.agenda.time_left(seconds)
        with trio.move_on_after(seconds) as self.scope:
            return await super().bow(reason)
        if self.actor is None:
            return reason
        return replace(reason, text=f"{reason.text}; its hooks did not end within {seconds:g} s".lstrip("; "))

    def disturbed(self, error: BaseException) -> None:
        """A task of the object's own nursery raised: that ends the incarnation."""
        let_through(error)
        self.exit = worse(self.exit, error_of("a task of its nursery", first_of(error)))

    async def direct(self) -> None:
        """What the actor's own task does between start and end."""
        raise NotImplementedError

    def over(self) -> None:
        """Nothing runs any more."""

    def stop(self, seconds: float) -> None:
        if self.stack is None:
            self.kill(SHUTDOWN_EXIT)  # it has not even started
        else:
            super().stop(seconds)

    def leave(self, seconds: float) -> None:
        if self.stack is None:
            self.kill(SHUTDOWN_EXIT)
        else:
            super().leave(seconds)

    def kill(self, reason: ExitReason) -> None:
        super().kill(reason)
        for nursery in (self.calls, self.background):
            if nursery is not None:
                nursery.cancel_scope.cancel()
        if self.scope is not None:
            self.scope.cancel()

    # -- beside the calls -----------------------------------------------------------------------

    def running_as(self, call: tuple[int, str, Any] | None) -> Running:
        who = Running()
        who.actor, who.backstage, who.call = self.life, self, call
        return who

    @disable_ki_protection
    def act(
        self, call: tuple[int, str, Any] | None, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        token = role.set(self.running_as(call))
        try:
            return function(*args, **kwargs)
        finally:
            role.reset(token)

    @disable_ki_protection
    async def cue(self, function: Callable[..., Any], /, *args: Any) -> Any:
        token = role.set(self.running_as(None))
        try:
            value = function(*args)
            return await unprotected(value) if is_awaitable(value) else value
        finally:
            role.reset(token)

    def finish(self, timer: ActorTimer, value: Any) -> None:
        if is_awaitable(value):
            assert self.calls is not None
            self.calls.start_soon(self.run_timer, timer, name_of(timer.function or value), value)
        else:
            super().finish(timer, value)

    @enable_ki_protection
    async def run_timer(self, timer: ActorTimer, name: str, value: Awaitable[Any]) -> None:
        """The rest of a timer's function that is async."""
        role.set(self.running_as(None))
        try:
            await unprotected(value)
        except BaseException as error:
            let_through(error)
            self.end(error_of(f"{name}()", error))
        else:
            self.open_agenda().ran(timer)

    @property
    def nursery(self) -> trio.Nursery:
        assert self.background is not None
        return self.background


def is_awaitable(value: object) -> bool:
    return isinstance(value, Awaitable)


@disable_ki_protection
async def unprotected(value: Awaitable[Any]) -> Any:
    return await value
