"""Incarnations of `Local()` for classes with `async` methods: each such call runs in a task of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    current_task,
    disable_ki_protection,
    enable_ki_protection,
    wait_task_rescheduled,
)

from ..transports.guests.context import NOTHING, role
from . import lifecycle
from .carried import call_plainly, in_context, take_along
from .chain import comes_back
from .concurrency import Group, group_name, groups_of
from .errors import BEGUN, NEVER_SENT, NOT_BEGUN
from .hooks import split_off
from .kinds import Kind, kind_of
from .leaving import is_leaving
from .local import TURNS
from .local_nursery import NurseryIncarnation
from .reasons import SHUTDOWN_EXIT
from .scope import end_call
from .source import Source, drain, pour

if TYPE_CHECKING:
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


class TaskIncarnation(NurseryIncarnation):
    """The actor's own task begins calls, runs plain methods and sees to timers and hooks."""

    __slots__ = ("admitted", "ended", "groups", "hurt", "line", "striking", "turns")

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.groups = groups_of(life.spec.options)
        self.turns: dict[int, Turn] = {}
        self.line: deque[Turn] = deque()  # whose task has not begun
        self.admitted = 0
        self.hurt = False  # a method was interrupted half-way
        self.striking = 0  # calls that were interrupted and have not ended
        self.ended: trio.Event | None = None  # all of them

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
        if not self.striking and (self.hurt or self.ended is not None):
            await self.settle_strike()
        more = self.admit(queue) if queue else False
        more = self.begin_waiting() or more
        due = self.agenda is not None and bool(self.agenda.due)
        again = bool(self.life.mailbox.queue)  # a call that is tried once more was put back
        return more or again or due or self.hurt or self.exit is not None

    def finished_all(self) -> bool:
        """Told to stop, and nothing left to do?"""
        stopping = self.agenda is not None and self.agenda.limit is not None
        return stopping and not self.turns and not any(group.waiting for group in self.groups.values())

    async def settle_strike(self) -> None:
        """All that was interrupted has ended."""
        hurt, self.hurt = self.hurt, False
        if hurt:
            await self.struck()
        self.over()

    def over(self) -> None:
        ended, self.ended = self.ended, None
        if ended is not None:
            ended.set()

    # -- calls begin ----------------------------------------------------------------------------

    def admit(self, queue: deque[Any]) -> bool:
        """Put what came into its group; True if there is more."""
        mailbox = self.life.mailbox
        for _ in range(TURNS):
            if not queue:
                break
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
            method = in_context(getattr(self.actor, name), call.context or NOTHING)
            value = self.act((call.id, name, call), method, *call.payload, **call.code)
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
            here = self.running_as((call.id, call.method.name, call))
            role.set(here)
            take_along(call.context)
            try:
                await self.run_in_scope(turn)
            finally:
                if here.owner is not None:
                    end_call(here, call.value)
        elif turn.struck or is_leaving(call):
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
        if self.ended is None:
            self.ended = trio.Event()
        return (self.ended,)

    def fate(self, call: Call) -> str:
        return FATES.get(call.state, NEVER_SENT)

    def in_flight(self) -> Iterable[Call]:
        calls = [turn.call for turn in self.turns.values()]
        for group in self.groups.values():
            calls += group.waiting
        return sorted(calls, key=position_of)


def position_of(call: Call) -> int:
    return call.position
