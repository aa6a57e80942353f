"""`FakeExecutor(plan)`: an ordinary actor class in this process and on trio's clock, failing as a plan says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from ..actors import lifecycle
from ..actors.checks import check_fields, is_tuple
from ..actors.concurrency import Group, groups_of
from ..actors.executor import Executor, Ladder, is_ladder
from ..actors.exported import ASYNC_LIMIT, awaits
from ..actors.kinds import Kind
from ..actors.life import EXECUTORS, Life
from ..actors.local_craft import LocalCraft
from ..actors.local_tasks import TaskIncarnation, Turn
from ..actors.reasons import ERROR, INTERRUPTED, NORMAL, SHUTDOWN_EXIT, SIGNAL, TIMEOUT, ExitReason
from ..transports.guests.context import ActorExit
from .faults import (
    STRIKES,
    Crash,
    DiesStopping,
    Fault,
    Hang,
    IgnoresShutdown,
    Leave,
    Slow,
    SlowStart,
    Stall,
    StartFails,
)

if TYPE_CHECKING:
    from ..actors.call import Call


@dataclass(frozen=True, slots=True)
class FakeExecutor(Executor):
    """For tests: objects in this process that crash, hang and dawdle by a `plan`, in virtual time if trio's clock is.

    What hangs is killed as a process would be, `ladder` after its call was withdrawn or interrupted.

    Example:
        Reader.options(executor=FakeExecutor((Crash(call=3), SlowStart(5.0, incarnation=2))))

    Raises:
        ValueError: for a plan that is no tuple of faults, or has one without a moment.
    """

    plan: tuple[Fault, ...] = ()
    ladder: Ladder = field(default_factory=Ladder)

    def __post_init__(self) -> None:
        check_fields(self, {"plan": (is_plan, PLAN), "ladder": (is_ladder, "Ladder(...)")})
        for fault in self.plan:
            if isinstance(fault, STRIKES) and fault.call is None and fault.after is None:
                raise ValueError(f"{fault!r} has no moment; in a plan give it call=n or after=seconds")


def is_plan(value: Any) -> bool:
    return is_tuple(value) and all(map(is_fault, value))


def is_fault(value: object) -> bool:
    return isinstance(value, Fault)


PLANNED = "the fault plan says so"
PLAN = "a tuple of faults, such as (Crash(call=3),)"


class FakeCraft(LocalCraft):
    def incarnate(self, life: Life) -> FakeIncarnation:
        return FakeIncarnation(life)


class FakeIncarnation(TaskIncarnation):
    """Calls begin as ever; those that the plan slows down run in tasks of their own."""

    __slots__ = ("begun", "deaf", "ladder", "lag", "lags", "plan", "standing", "unheard")

    parting: Call | None

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        executor = life.spec.options.executor
        assert isinstance(executor, FakeExecutor)
        self.groups = groups_of(life.spec.options, ASYNC_LIMIT if awaits(life.spec.cls) else 1)
        self.ladder = executor.ladder
        self.plan = [
            each for each in executor.plan if getattr(each, "incarnation", None) in (None, life.number)
        ]
        self.begun = 0
        self.lag = 0.0  # seconds that each call takes longer
        self.lags: dict[int, float] = {}  # the same, of calls that have begun
        self.deaf = bool(self.planned(IgnoresShutdown))
        self.standing: trio.Event | None = None  # while it hangs: set when it goes on, or is killed
        self.unheard: list[Callable[[], Any]] = []  # what it was told meanwhile

    def planned(self, kind: type[Fault]) -> list[Any]:
        return [fault for fault in self.plan if isinstance(fault, kind)]

    # -- the start ------------------------------------------------------------------------------

    async def make_ready(self, seconds: float) -> ExitReason | None:
        slow = sum(fault.seconds for fault in self.planned(SlowStart))
        with trio.move_on_after(seconds) as self.scope:
            await trio.sleep(slow)
        if self.scope.cancelled_caught:
            return self.exit or ExitReason(TIMEOUT, f"__init__ took longer than start_timeout, {seconds} s")
        for fault in self.planned(StartFails):
            return ExitReason(ERROR, fault.text)
        reason = await super().make_ready(seconds - slow)
        if reason is None:
            self.arm()
        return reason

    def arm(self) -> None:
        """The faults that have a time."""
        for fault in self.plan:
            seconds = getattr(fault, "after", None)
            if seconds is not None:
                self.later(seconds, partial(self.strike, fault))
        self.lag = sum(fault.seconds for fault in self.planned(Slow) if fault.call is None)

    def later(self, seconds: float, action: Any) -> None:
        """Do something to this incarnation, unless it has ended by then."""
        life = self.life
        life.house.stage.timers.after(
            seconds, lambda: action() if life.incarnation is self and self.exit is None else None
        )

    # -- faults ---------------------------------------------------------------------------------

    def strike(self, fault: Fault, ordered: bool = False) -> None:
        """Have it happen now."""
        if isinstance(fault, Crash):
            self.kill(end_by(fault, ordered))
        elif isinstance(fault, Leave):
            self.end(SHUTDOWN_EXIT if ordered else ExitReason(NORMAL, PLANNED, ordered=True))
        elif isinstance(fault, Slow):
            self.lag += fault.seconds
        elif isinstance(fault, Hang | Stall):
            if self.standing is None:
                self.standing = trio.Event()
            if isinstance(fault, Stall):
                self.later(fault.seconds, self.go_on)

    def go_on(self) -> None:
        """What stood still moves again."""
        standing, self.standing = self.standing, None
        if standing is not None:
            standing.set()
            unheard, self.unheard = self.unheard, []
            for order in unheard if self.exit is None else ():
                order()
            self.pump()

    async def moving(self) -> None:
        """Return when nothing stands still; out of reach of interrupts, as a process that is stopped."""
        while self.standing is not None:
            with trio.CancelScope(shield=True):
                await self.standing.wait()
        await trio.lowlevel.checkpoint_if_cancelled()

    # -- calls ----------------------------------------------------------------------------------

    async def work(self) -> bool:
        return False if self.standing is not None else await super().work()

    def finished_all(self) -> bool:
        return self.standing is None and not self.deaf and super().finished_all()

    def begin(self, call: Call, group: Group) -> None:
        self.begun += 1
        due = [fault for fault in self.plan if getattr(fault, "call", None) == self.begun]
        if not due and not self.lag and self.standing is None:
            return super().begin(call, group)
        call.state = lifecycle.RUNNING
        turn = self.turns[call.id] = Turn(call, group)
        group.running += 1
        self.lags[call.id] = self.lag
        for fault in due:
            self.strike_at(call, fault)
        if self.exit is None:
            self.line.append(turn)
            assert self.calls is not None
            self.calls.start_soon(self.run_next, name=self.life.path)

    def strike_at(self, call: Call, fault: Fault) -> None:
        """Have it happen to a call that begins."""
        if isinstance(fault, Leave):
            del self.turns[call.id]
            self.left(call, ActorExit(PLANNED))
        elif isinstance(fault, Slow):
            self.lags[call.id] += fault.seconds
        else:
            self.strike(fault)

    async def run_method(self, turn: Turn) -> Any:
        call = turn.call
        await trio.sleep(self.lags.pop(call.id, 0.0))
        await self.moving()
        if turn.kind is Kind.CALL:
            value = getattr(self.actor, call.method.name)(*call.payload, **call.code)
        else:
            value = await super().run_method(turn)
        await self.moving()
        return value

    # -- from outside ---------------------------------------------------------------------------

    def withdraw(self, call: Call, why: str) -> None:
        if self.standing is None:
            return super().withdraw(call, why)
        self.unheard.append(partial(self.withdraw, call, why))
        self.climb(call.id, TIMEOUT if why == TIMEOUT else INTERRUPTED)

    def interrupt(self) -> Sequence[trio.Event]:
        if self.standing is None:
            return super().interrupt()
        self.unheard.append(self.interrupt)
        for id in self.turns:
            self.climb(id, INTERRUPTED)
        if self.ended is None:
            self.ended = trio.Event()
        return (self.ended,)

    def climb(self, id: int, why: str) -> None:
        """What stands still does not end when interrupted: the ladder goes on to a kill."""
        text = f"call {id} did not end when it was interrupted"
        last = partial(self.kill_unless_over, id, ExitReason(why, text, ordered=True))
        self.later(self.ladder.interrupt + self.ladder.terminate, last)

    def kill_unless_over(self, id: int, reason: ExitReason) -> None:
        if id in self.turns:
            self.kill(reason)

    def stop(self, seconds: float) -> None:
        if self.planned(DiesStopping) and self.stack is not None:
            self.kill(ExitReason(SIGNAL, "died while it was stopped, as the fault plan says"))
        else:
            super().stop(seconds)

    def leave(self, seconds: float) -> None:
        if self.planned(DiesStopping) or self.deaf or self.standing is not None:
            self.stop(seconds)
        else:
            super().leave(seconds)

    def kill(self, reason: ExitReason) -> None:
        super().kill(reason)
        self.go_on()


def end_by(fault: Crash, ordered: bool) -> ExitReason:
    """Why an incarnation ended that crashed in this process."""
    if fault.error is None:
        return ExitReason(SIGNAL, "crashed, as if by SIGKILL", ordered=ordered)
    text = f"{type(fault.error).__name__}: {fault.error}"
    return ExitReason(ERROR, text, fault.error, ordered=ordered)


EXECUTORS[FakeExecutor] = FakeCraft()
