"""An actor's life: one task that runs incarnation after incarnation, as its supervisor orders.

The mailbox stays; what is replaced is the incarnation behind it.  That is a restart.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import trio
from trio.lowlevel import Abort, current_task, enable_ki_protection, reschedule, wait_task_rescheduled

from ..transports.guests.context import role
from . import events, lifecycle
from .crash import calls_at_death, report_of
from .deadletter import POISON, UNDELIVERED, letter_of
from .errors import ActorDiedError, ActorError, ActorUnavailableError
from .leaving import cancelled, is_leaving
from .limited import LimitedMailbox
from .mailbox import Mailbox
from .options import BRUTAL
from .reasons import BRUTAL_EXIT, NORMAL_EXIT, SHUTDOWN_EXIT, UNREACHABLE, ExitReason
from .retry import retries_of
from .stagecraft import EXECUTORS as EXECUTORS
from .stagecraft import Stagecraft
from .standing import Standing
from .stream import Feed

if TYPE_CHECKING:
    from .call import Call
    from .glance import Glance
    from .spawner import House, Overseer
    from .spec import ChildSpec

BEGIN, RETIRE = "begin", "retire"
CUT_SHORT = ExitReason(UNREACHABLE, "the runtime was ended under it", ordered=True)
UPROOTED = 3  # starts, after which even the keeper's deaths count as the actor's own
FALLS = 8  # incarnations, after which the other tasks get their turn: one may fall again and again


class Incarnation(Protocol):
    """One run of an actor in its executor; `parting` is the call in which the actor ended itself."""

    awake: bool
    parting: Call | None

    @property
    def glance(self) -> Glance | None: ...
    @property
    def pid(self) -> int: ...
    @property
    def held(self) -> bool: ...
    @property
    def uprooted(self) -> bool: ...

    async def start(self) -> ExitReason | None: ...
    async def serve(self) -> ExitReason: ...
    def exchange(self, call: Call, /) -> bool: ...
    def pump(self) -> None: ...
    def withdraw(self, call: Call, why: str) -> None: ...
    def recall(self, call: Call, stand_in: Call) -> bool: ...
    def let_back(self, calls: list[Call]) -> None: ...
    def credit(self, call: Call, items: int) -> None: ...
    def fate(self, call: Call) -> str: ...
    def in_flight(self) -> Iterable[Call]: ...
    def interrupt(self) -> Sequence[trio.Event]: ...
    def stop(self, seconds: float) -> None: ...
    def leave(self, seconds: float) -> None: ...
    def kill(self, reason: ExitReason) -> None: ...


class Life(Standing):
    """One actor, from its spec to its end."""

    __slots__ = (
        "changed",
        "incarnation",
        "last_reason",
        "leaving",
        "mailbox",
        "number",
        "order",
        "overseer",
        "parked",
        "path",
        "spec",
        "state",
    )

    def __init__(self, spec: ChildSpec[Any], path: str, overseer: Overseer) -> None:
        craft = EXECUTORS[type(spec.options.executor)]
        self.spec = spec
        self.path = path
        self.overseer = overseer
        self.mailbox = (LimitedMailbox if spec.options.max_pending_calls >= 0 else Mailbox)(
            path, spec.options, craft.encoder(spec.options.executor, spec.cls), overseer.house
        )
        self.number = 0
        self.state = lifecycle.PENDING
        self.order: str | None = None
        self.parked: trio.lowlevel.Task | None = None
        self.incarnation: Incarnation | None = None
        self.last_reason: ExitReason = NORMAL_EXIT
        self.changed: trio.Event | None = None
        self.leaving = False  # told to stop before an ordered start has begun

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def house(self) -> House:
        return self.overseer.house

    @property
    def craft(self) -> Stagecraft:
        return EXECUTORS[type(self.spec.options.executor)]

    # -- what the supervisor orders -------------------------------------------------------------

    def begin(self) -> None:
        """Start an incarnation."""
        self.mailbox.closed = None
        self.give(BEGIN)

    def stop(self, returns: bool = False) -> None:
        """End the incarnation politely; `overseer.ended` tells when it has.

        What waits is done first, unless the actor `returns`: then it is left for the next incarnation.
        """
        seconds, brutal = self.spec.options.grace, self.spec.options.shutdown == BRUTAL
        if self.incarnation is not None:
            starting = self.state is lifecycle.STARTING
            self.move("stop")
            if brutal:
                self.incarnation.kill(BRUTAL_EXIT)
            elif returns and starting:
                self.incarnation.kill(SHUTDOWN_EXIT)
            elif returns:
                self.incarnation.leave(seconds)
            elif starting and self.mailbox.waiting():
                self.house.stage.timers.after(
                    seconds, self.give_up_start
                )  # it may begin, to do what it was given
            else:
                self.incarnation.stop(seconds)
        elif self.order is BEGIN and self.mailbox.waiting() and not (returns or brutal):
            self.leaving = True
        elif self.order is BEGIN:
            self.order = None
            self.move("start")
            self.ended(SHUTDOWN_EXIT, False)

    def give_up_start(self) -> None:
        if (
            self.state is lifecycle.STOPPING
            and self.incarnation is not None
            and self.mailbox.receiver is None
        ):
            if self.incarnation.held:
                self.house.stage.timers.after(self.spec.options.grace, self.give_up_start)
            else:
                self.incarnation.kill(SHUTDOWN_EXIT)

    def kill(self, reason: ExitReason) -> None:
        """End the incarnation at once, if there is one."""
        if self.incarnation is not None:
            self.incarnation.kill(reason)

    def rest(self, reason: ExitReason | None) -> None:
        """Stay down, spec kept; with a reason, whoever calls is told it, without one calls wait."""
        self.move("rest")
        if reason is not None:
            self.close_mailbox(reason)
            self.house.ended(self, reason)

    def close_mailbox(self, reason: ExitReason) -> None:
        for cast in self.mailbox.close(reason):
            if cast.ref is None:  # else it was news for this incarnation, and nobody's message
                self.bury(cast, UNDELIVERED)

    def drop_casts(self) -> None:
        """Casts that have not begun will not; they are dead letters."""
        for call in self.mailbox.unfinished():
            if call.is_cast and not call.ended and self.mailbox.retract(call):
                self.bury(call, UNDELIVERED)

    def retire(self, reason: ExitReason) -> None:
        """Be dead for good: the mailbox closes, and what waits in it is told."""
        if self.state is lifecycle.DEAD:
            return
        self.move("retire")
        self.emit(events.ActorDied, reason)
        self.close_mailbox(reason)
        self.house.states.pop(self.path, None)
        self.house.ended(self, reason)
        self.give(RETIRE)

    def give(self, order: str) -> None:
        self.order = order
        if self.parked is not None:
            task, self.parked = self.parked, None
            reschedule(task)

    # -- the task -------------------------------------------------------------------------------

    @enable_ki_protection
    async def run(self) -> None:
        """Carry out orders until retired; a Ctrl-C never lands between two steps of ours."""
        if role.get() is not None:
            role.set(None)  # made in a method, but not part of its call
        while True:
            order, self.order = self.order, None
            if order is None:
                self.parked = current_task()
                await wait_task_rescheduled(self.unpark)
            elif order is RETIRE:
                return
            else:
                try:
                    await self.live()
                    if self.number % FALLS == 0:
                        await trio.lowlevel.cancel_shielded_checkpoint()
                except BaseException:
                    self.cut_short()
                    raise

    def cut_short(self) -> None:
        """The task itself is ended, by a bug of ours or a Ctrl-C in a method: leave a state that can be retired."""
        incarnation, self.incarnation, self.mailbox.receiver = self.incarnation, None, None
        if (self.state, "end") in lifecycle.ACTOR:
            self.move("end")
        if incarnation is not None:
            left = [*incarnation.in_flight(), *([incarnation.parting] if incarnation.parting else [])]
            for call in left:
                self.lose(call, incarnation.fate(call), CUT_SHORT)

    def unpark(self, _: Any) -> Abort:
        self.parked = None
        return Abort.SUCCEEDED

    async def live(self) -> None:
        """One incarnation, from its start to its end; and one more, if that was recycled while it had to finish."""
        await self.play()
        while self.leaving:
            await self.play()

    async def play(self) -> None:
        """One incarnation."""
        self.move("start")
        incarnation, reason = await self.start()
        since = None
        if reason is None:
            since = self.house.stage.now()
            self.became_ready(incarnation)
            reason = await incarnation.serve()
        self.finish(incarnation, reason, since)

    def finish(self, incarnation: Incarnation, reason: ExitReason, since: float | None) -> None:
        """An incarnation is no more; it was ready `since` then, or never."""
        left = list(incarnation.in_flight())
        fates = [incarnation.fate(call) for call in left]
        if reason.crash:
            self.crashed(incarnation, reason, since, calls_at_death(incarnation.parting, left, fates))
        self.mailbox.receiver = self.incarnation = None
        self.ended(reason, since is not None)
        if incarnation.parting is not None:
            self.part(incarnation.parting, reason)
        self.settle(left, fates, reason)

    async def start(self) -> tuple[Incarnation, ExitReason | None]:
        """Start an incarnation; one that dies with the keeper meanwhile is followed by another, as it was not to blame."""
        for left in itertools.count(UPROOTED - 1, -1):
            self.number += 1
            self.emit(events.ActorStarting)
            incarnation = self.incarnation = self.craft.incarnate(self)
            if self.leaving:
                self.leaving = False
                self.stop()
            reason = await incarnation.start()
            again = left and incarnation.uprooted and self.state is lifecycle.STARTING
            if reason is None or not again:
                return incarnation, reason
            self.emit(events.ActorEnded, reason)
            self.house.ended(self, reason)
        raise AssertionError("unreachable")

    def part(self, call: Call, reason: ExitReason) -> None:
        """A call ended its actor on purpose: a cast has done its work, a caller is told."""
        if call.is_cast and not reason.abnormal:
            call.succeed(None)
        self.lose(call, lifecycle.BEGUN, reason)

    def became_ready(self, incarnation: Incarnation) -> None:
        self.move("ready")
        self.emit(events.ActorReady, incarnation.pid)
        self.overseer.ready(self)
        self.mailbox.receiver = incarnation
        incarnation.pump()
        if self.state is lifecycle.STOPPING:
            incarnation.stop(self.spec.options.grace)

    def ended(self, reason: ExitReason, started: bool) -> None:
        self.last_reason = reason
        self.leaving = reason.recycled and self.state is lifecycle.STOPPING and bool(self.mailbox.waiting())
        self.move("end")
        if self.number:
            self.emit(events.ActorEnded, reason)
        if not self.leaving:
            self.overseer.ended(self, reason, started)
        self.house.ended(self, reason)

    def crashed(
        self,
        incarnation: Incarnation,
        reason: ExitReason,
        since: float | None,
        calls: tuple[events.CallAtDeath, ...],
    ) -> None:
        self.house.crashed(report_of(self, reason, since, incarnation.pid, calls))

    def keep_state(self, value: Any) -> None:
        """Keep what `save_state` gave, for the next incarnation."""
        self.house.states[self.path] = value

    def take_state(self, missing: Any = None) -> Any:
        """What the incarnation before has left, once; `missing` if it left nothing."""
        return self.house.states.pop(self.path, missing)

    # -- what a death does to calls -------------------------------------------------------------

    def settle(self, left: list[Call], fates: list[str], reason: ExitReason) -> None:
        """Decide for each call the incarnation still had: back to the mailbox, failed, or buried."""
        back: list[Call] = []
        for call, fate in zip(left, fates, strict=True):
            if not call.ended and self.survives(call, fate, reason):
                back += call.ref.rewind() if isinstance(call.ref, Feed) else [call]
        if back:
            self.give_back(back, reason)

    def give_back(self, calls: list[Call], reason: ExitReason) -> None:
        """Calls that a death did not touch, in order: they wait for the next incarnation, if one will come."""
        if self.mailbox.closed is None:
            self.mailbox.put_back(calls)
            return
        for call in calls:
            self.lose(call, lifecycle.NEVER_SENT if call.attempt == 1 else lifecycle.BEGUN, reason)

    def survives(self, call: Call, fate: str, reason: ExitReason) -> bool:
        if fate in (lifecycle.BEGUN, lifecycle.UNKNOWN) and not reason.ordered:
            call.deaths = (*call.deaths, reason)
        verdict = lifecycle.after_death(fate, retries_of(call), len(call.deaths), reason.ordered)
        if is_leaving(call):
            verdict = lifecycle.FAIL
        if verdict is lifecycle.KEEP:
            return True
        if verdict is lifecycle.RETRY:
            self.retry(call)
            return True
        if isinstance(call.ref, Feed) and call.ref.outlives(self.loss(call, fate, reason)):
            return True
        self.lose(call, fate, reason, poison=verdict is lifecycle.POISON)
        return False

    def retry(self, call: Call) -> None:
        call.attempt += 1
        self.emit(events.CallRetried, call.id, call.attempt, call.parent)

    def lose(self, call: Call, fate: str, reason: ExitReason, poison: bool = False) -> None:
        """Tell the caller, and bury what has no caller or is poison."""
        if call.ended:
            return
        call.fail(cancelled(call, fate=fate) if is_leaving(call) else self.loss(call, fate, reason))
        if poison or call.is_cast:
            self.bury(call, POISON if poison else UNDELIVERED)

    def loss(self, call: Call, fate: str, reason: ExitReason) -> ActorError:
        """What a caller is told of a call that died with its incarnation."""
        kind = ActorDiedError if call.mailbox.closed is not None else ActorUnavailableError
        text = f"{self.path} died while it had call {call.id}, {call.method.name}(): {reason}"
        return kind(text, reason, fate, call.id, call.method.name)

    def bury(self, call: Call, cause: str) -> None:
        letter = letter_of(call, self.path, self.craft, cause)
        self.house.bury(letter)
        self.emit(events.MessageBuried, letter)

    def is_running(self, number: int) -> bool:
        """Is this very incarnation still there?"""
        return self.number == number and self.incarnation is not None

    def emit(self, kind: Callable[..., events.Event], *details: Any) -> None:
        at = int(self.house.stage.now() * 1e9)
        self.house.emit(kind(at, self.path, self.number, *details))
