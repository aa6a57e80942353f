"""Incarnations of `Local()` for classes with `async` methods: each such call runs in a task of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    current_task,
    disable_ki_protection,
    enable_ki_protection,
    wait_task_rescheduled,
)

from ..transports.guests.context import Running, role
from . import lifecycle
from .chain import comes_back
from .concurrency import Group, group_name, groups_of
from .errors import BEGUN, NEVER_SENT, NOT_BEGUN
from .hooks import error_of, first_of, let_through, split_off, worse
from .kinds import Kind, kind_of
from .local import TURNS, LocalIncarnation, name_of
from .reasons import SHUTDOWN_EXIT, TIMEOUT, ExitReason
from .source import Source, drain, pour

if TYPE_CHECKING:
    from ..transports.guests.backstage import ActorTimer
    from .call import Call
    from .life import Life

FATES = {lifecycle.RUNNING: BEGUN, lifecycle.SENT: NOT_BEGUN}


class Turn:
    """A call that runs in a task of its own, and its place in its group."""

    __slots__ = ("call", "group", "kind", "scope", "source", "struck")

    def __init__(self, call: Call, group: Group) -> None:
        self.call = call
        self.group = group
        self.kind = kind_of(call.method.__wrapped__)
        self.scope = trio.CancelScope()
        self.source = Source(call) if self.kind.streams else None
        self.struck = False  # by interrupt()


class TaskIncarnation(LocalIncarnation):
    """The actor's own task begins calls, runs plain methods and sees to timers and hooks.

    The calls' tasks are in one nursery, those that the object starts itself in another around it.
    """

    __slots__ = (
        "admitted", "background", "calls", "groups", "hurt", "line", "over", "scope", "stack", "striking", "turns",
    )  # fmt: skip

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.groups = groups_of(life.spec.options)
        self.turns: dict[int, Turn] = {}
        self.line: deque[Turn] = deque()  # whose task has not begun
        self.admitted = 0
        self.background: trio.Nursery | None = None
        self.calls: trio.Nursery | None = None
        self.stack: AsyncExitStack | None = None
        self.scope: trio.CancelScope | None = None  # of the start, or of the end
        self.hurt = False  # a method was interrupted half-way
        self.striking = 0  # calls that were interrupted and have not ended
        self.over: trio.Event | None = None  # of their end

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
        return self.exit or reason

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
            if self.over is not None:
                self.over.set()
        assert self.exit is not None
        return self.exit if self.actor is None else await self.bow(self.exit)

    async def bow(self, reason: ExitReason) -> ExitReason:
        seconds = self.life.spec.options.shutdown
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
        """The actor's own task: do what there is to do, sleep, until the actor ends."""
        while self.exit is None:
            if await self.work():
                await cancel_shielded_checkpoint()
            elif self.finished_all():
                self.exit = SHUTDOWN_EXIT
            else:
                self.awake = False
                self.parked = current_task()
                await wait_task_rescheduled(self.unpark)

    async def work(self) -> bool:
        """Take what came, begin what may; True if there is more to do."""
        agenda, queue = self.agenda, self.life.mailbox.queue
        if agenda is not None and agenda.due:
            self.run_due(agenda)
        if not self.striking and (self.hurt or self.over is not None):
            await self.settle_strike()
        more = self.admit(queue) if queue else False
        more = self.begin_waiting() or more
        due = self.agenda is not None and bool(self.agenda.due)
        return more or due or self.hurt or self.exit is not None

    def finished_all(self) -> bool:
        """Told to stop, and nothing left to do?"""
        stopping = self.agenda is not None and self.agenda.limit is not None
        return stopping and not self.turns and not any(group.waiting for group in self.groups.values())

    async def settle_strike(self) -> None:
        """All that was interrupted has ended."""
        hurt, self.hurt = self.hurt, False
        if hurt:
            await self.struck()
        over, self.over = self.over, None
        if over is not None:
            over.set()

    # -- calls begin ----------------------------------------------------------------------------

    def admit(self, queue: deque[Any]) -> bool:
        """Put what came into its group; True if there is more."""
        mailbox = self.life.mailbox
        for _ in range(min(TURNS, len(queue))):
            item = queue.popleft()
            call: Call = mailbox.record(item) if item.__class__ is tuple else item
            if call.ended:
                continue
            self.admitted = call.position = self.admitted + 1
            call.state = lifecycle.SENT
            self.groups[group_name(call.method)].waiting.append(call)
        return bool(queue)

    def let_in(self, group: Group) -> None:
        """Begin what comes back within its chain, though its turn has not come: who has the turn waits for it."""
        back = [call for call in group.waiting if call.maker is not None and comes_back(call)]
        for call in back:
            if self.exit is None:
                group.waiting.remove(call)
                self.begin(call, group)

    def begin_waiting(self) -> bool:
        """Begin what has a place in its group, for a while; True if there is more."""
        begun = 0
        for group in self.groups.values():
            if self.life.spec.options.reentrant and group.waiting:
                self.let_in(group)
            while self.exit is None and (call := group.next_call()) is not None:
                self.begin(call, group)
                begun += 1
                if begun == TURNS:
                    return True
        return False

    def begin(self, call: Call, group: Group) -> None:
        call.state = lifecycle.RUNNING
        if kind_of(call.method.__wrapped__) is Kind.CALL:
            return self.answer(call)
        turn = self.turns[call.id] = Turn(call, group)
        group.running += 1
        # trio begins tasks in any order, so they are all alike: the first to begin takes the first call.
        self.line.append(turn)
        assert self.calls is not None
        self.calls.start_soon(self.run_next, name=self.life.path)

    def answer(self, call: Call) -> None:
        """Run a plain method here and now."""
        name = call.method.name
        try:
            value = self.act((call.id, name, call), getattr(self.actor, name), *call.payload, **call.code)
        except KeyboardInterrupt:
            self.parting = call  # a Ctrl-C is for the whole program; the caller is told when we end
            raise
        except BaseException as error:
            self.failed(call, error)
        else:
            call.succeed(value)

    # -- a call's own task ----------------------------------------------------------------------

    @enable_ki_protection
    async def run_next(self) -> None:
        """Run the next call of those that have been given a task."""
        turn = self.line.popleft()
        call = turn.call
        if not call.ended and not turn.scope.cancel_called:
            role.set(self.running_as((call.id, call.method.name, call)))
            await self.run_in_scope(turn)
        elif turn.struck:
            self.interrupted(call)
        self.release(turn)

    async def run_in_scope(self, turn: Turn) -> None:
        try:
            with turn.scope:
                turn.call.succeed(await self.run_method(turn))
        except BaseException as error:
            through, rest = split_off(error)
            if rest is not None:
                self.failed(turn.call, rest)
            if through is not None:
                raise through from None
        else:
            if turn.scope.cancelled_caught:
                self.interrupted(turn.call)
                self.hurt = self.hurt or turn.struck or turn.source is None

    @disable_ki_protection
    async def run_method(self, turn: Turn) -> Any:
        call = turn.call
        made = getattr(self.actor, call.method.name)(*call.payload, **call.code)
        if turn.source is None:
            return await made
        if turn.kind is Kind.ASYNC_STREAM:
            return await pour(made, turn.source)
        return await drain(made, turn.source, call_plainly)

    def release(self, turn: Turn) -> None:
        """A call's task has ended: its place is free; the call too, unless the end of the actor will tell it."""
        turn.group.running -= 1
        if turn.call.state is not lifecycle.RUNNING:
            del self.turns[turn.call.id]
        if turn.struck:
            self.striking -= 1
        self.pump()

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

    # -- from outside ---------------------------------------------------------------------------

    def withdraw(self, call: Call, why: str) -> None:
        """Cancel this call's task and no other; one that waits for its place is forgotten."""
        turn = self.turns.get(call.id)
        if turn is None:
            self.groups[group_name(call.method)].forget_ended()
            return
        if turn.source is not None:
            turn.source.wake()
        if call.method.interruptible:
            turn.scope.cancel()

    def credit(self, call: Call, items: int) -> None:
        turn = self.turns.get(call.id)
        if turn is not None and turn.source is not None:
            turn.source.credit(items)

    def interrupt(self) -> Sequence[trio.Event]:
        """Cancel every call that runs and may be; returns the event of the end of all."""
        struck = [turn for turn in self.turns.values() if turn.call.method.interruptible]
        if not struck:
            return ()
        for turn in struck:
            self.striking += not turn.struck
            turn.struck = True
            turn.scope.cancel()
        self.over = self.over or trio.Event()
        return (self.over,)

    def fate(self, call: Call) -> str:
        return FATES.get(call.state, NEVER_SENT)

    def in_flight(self) -> Iterable[Call]:
        calls = [turn.call for turn in self.turns.values()]
        for group in self.groups.values():
            calls += group.waiting
        return sorted(calls, key=position_of)

    def stop(self, seconds: float) -> None:
        if self.stack is None:
            self.kill(SHUTDOWN_EXIT)  # it has not even started
        else:
            super().stop(seconds)

    def kill(self, reason: ExitReason) -> None:
        super().kill(reason)
        for nursery in (self.calls, self.background):
            if nursery is not None:
                nursery.cancel_scope.cancel()
        if self.scope is not None:
            self.scope.cancel()


def is_awaitable(value: object) -> bool:
    return isinstance(value, Awaitable)


def position_of(call: Call) -> int:
    return call.position


def call_plainly(function: Callable[..., Any], /, *args: Any) -> Any:
    """In a call's own task its context says who runs."""
    return function(*args)


@disable_ki_protection
async def unprotected(value: Awaitable[Any]) -> Any:
    return await value
