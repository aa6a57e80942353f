"""A pool at work: a supervisor of its members, and to everyone else one actor with one mailbox."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import trio

from ..actors import events, lifecycle
from ..actors.deadletter import UNDELIVERED, letter_of
from ..actors.dump import DUMPS, stacks_of
from ..actors.life import EXECUTORS
from ..actors.reasons import ERROR, NORMAL_EXIT, SHUTDOWN_EXIT, ExitReason
from ..actors.standing import Standing
from . import steps
from .events import PoolResized
from .pool import Pool, sizes
from .pooled import PooledCall, PoolMailbox
from .router import Router
from .rules import SECOND, Flags
from .seat import MemberLife, Seat
from .spec import rules_of
from .supervisor import PLANTERS, Child, SupervisorNode

if TYPE_CHECKING:
    from ..actors.call import Call
    from ..actors.life import Life
    from ..transports.timers import Timer
    from .house import RuntimeHouse


NodeT = TypeVar("NodeT", bound="PoolNode")


class PoolNode(Standing, SupervisorNode):
    """Decides nothing about restarts: that is the core's, one for one.  It hires, and lets go."""

    __slots__ = (
        "changed", "condemned", "failure", "last_reason", "mailbox", "members", "opened", "plan", "router", "spec", "state", "timer",
    )  # fmt: skip

    mailbox_type: type[PoolMailbox] = PoolMailbox

    def __init__(
        self, id: str, path: str, plan: Pool[Any], house: RuntimeHouse, above: SupervisorNode
    ) -> None:
        flags = Flags(plan.intensity, round(plan.within * SECOND), dynamic=True, per_child=True)
        super().__init__(id, path, flags, house, above)
        self.plan = plan
        self.spec = plan.spec
        executor = self.spec.options.executor
        encode = EXECUTORS[type(executor)].encoder(executor, self.spec.cls)
        self.mailbox = self.mailbox_type(path, self.spec.options, encode, house, plan.key)
        self.router = self.mailbox.router = self.mailbox.receiver = Router(self.mailbox, plan, house, self)
        self.state = lifecycle.PENDING
        self.changed: trio.Event | None = None
        self.last_reason: ExitReason = NORMAL_EXIT
        self.failure: ExitReason | None = None
        self.opened = False  # its first members have been ready
        self.members = itertools.count()
        self.condemned = False  # what waits will not be done
        self.timer: Timer | None = None

    # -- as an actor, for verbs and handles -----------------------------------------------------

    @property
    def overseer(self) -> SupervisorNode:
        assert self.above is not None
        return self.above

    @property
    def incarnation(self) -> Router | None:
        return self.router if self.router.incarnations() else None

    def is_running(self, number: int) -> bool:
        """Is one of the members that were killed still there?"""
        return self.router.is_dying()

    def kill(self, reason: ExitReason) -> None:
        self.condemned = True
        self.router.kill(reason)

    def drop_casts(self) -> None:
        for call in self.mailbox.unfinished():
            if call.is_cast and not call.ended and self.mailbox.retract(call):
                self.bury(call)

    @property
    def what(self) -> str:
        how = "by key" if self.plan.key is not None else self.plan.route
        return (
            f"pool of {self.spec.cls.__name__}, {self.state}, {sizes(self.plan.least, self.plan.most)}, {how}"
        )

    # -- what the supervisor above orders -------------------------------------------------------

    def begin(self) -> None:
        """Start the fewest members, all at once."""
        self.number += 1
        self.mailbox.closed = None
        self.failure, self.opened, self.condemned = None, False, False
        self.move("start")
        self.feed(steps.Begin())
        for _ in range(self.plan.least):
            self.hire()

    def stop(self, returns: bool = False) -> None:
        """What waits is done first, as far as each member's `shutdown` allows; or left, if the pool `returns`."""
        if returns:
            for seat in self.router.seats:
                seat.up = False
        elif not self.condemned:
            self.router.dispatch()  # there may be nobody yet to do it
            self.router.drain()
        self.move("stop")
        self.feed(steps.Shutdown(returns))

    def rest(self, reason: ExitReason | None) -> None:
        self.move("rest")
        if reason is not None:
            self.close_mailbox(reason)
            self.house.ended(cast("Life", self), reason)

    def retire(self, reason: ExitReason) -> None:
        if self.state is lifecycle.DEAD:
            return
        super().retire(reason)
        self.move("retire")
        self.emit(events.ActorDied, self, reason)
        self.close_mailbox(reason)
        self.house.ended(cast("Life", self), reason)
        self.house.registry.leave(cast("Life", self))

    def close_mailbox(self, reason: ExitReason) -> None:
        for call in self.mailbox.close(reason):
            self.bury(call)

    def refuse(self, calls: list[PooledCall]) -> None:
        """Calls come back from a member when the pool is closed."""
        for call in calls:
            fate = lifecycle.NEVER_SENT if call.attempt == 1 else lifecycle.BEGUN
            call.fail(self.mailbox.died(call, fate))
            if call.is_cast:
                self.bury(call)

    def bury(self, call: Call) -> None:
        letter = letter_of(call, self.path, EXECUTORS[type(self.spec.options.executor)], UNDELIVERED)
        self.house.bury(letter)
        self.emit(events.MessageBuried, self, letter)

    # -- members --------------------------------------------------------------------------------

    def hire(self, at: int | None = None) -> None:
        """Start one more member, on a seat of its own."""
        id = str(next(self.members))
        life = MemberLife(self.plan.member, f"{self.path}/{id}", self)
        seats = self.router.seats
        place = len(seats) if at is None else at
        life.seat = Seat(life, self.router, place)
        seats.insert(place, life.seat)
        self.house.admit(life)
        self.add(id, life, rules_of(life.spec))

    def grow(self, waiting: int) -> bool:
        """Calls wait: hire for them, as far as the size allows and those who are just starting do not suffice.

        Returns whether even more could be hired if more calls came.
        """
        seats = self.router.seats
        starting = sum(not seat.up and not seat.leaving for seat in seats)
        wanted = min(waiting - starting, self.plan.most - len(seats))
        if wanted > 0 and self.state in (lifecycle.STARTING, lifecycle.READY) and not self.core.ending:
            for _ in range(wanted):
                self.hire()
            self.emit(PoolResized, self, len(seats))
            self.watch_idle()
        return len(seats) < self.plan.most

    def watch_idle(self) -> None:
        """Look once after `idle_timeout`, while there are more members than the fewest."""
        if self.timer is None and len(self.staying()) > self.plan.least:
            stage = self.house.stage
            since = min((seat.idle_since for seat in self.staying() if is_idle(seat)), default=stage.now())
            self.timer = stage.timers.at(since + self.plan.idle_timeout, self.shrink)

    def staying(self) -> list[Seat]:
        return [seat for seat in self.router.seats if not seat.leaving]

    def shrink(self) -> None:
        """Stop members that have been idle for long, down to the fewest."""
        self.timer = None
        staying, before = self.staying(), self.house.stage.now() - self.plan.idle_timeout
        idle = [seat for seat in staying if is_idle(seat) and seat.idle_since <= before]
        for seat in idle[: len(staying) - self.plan.least]:
            seat.leaving, seat.up = True, False
            self.terminate(seat.life)
        self.watch_idle()

    # -- what members tell ----------------------------------------------------------------------

    def ready(self, child: Child) -> None:
        super().ready(child)
        assert isinstance(child, MemberLife)
        child.seat.rise()
        self.router.freed()
        if not self.opened and all(seat.up for seat in self.router.seats):
            self.open()

    def open(self) -> None:
        self.opened = True
        self.move("ready")
        self.overseer.ready(self)
        self.house.changed()
        self.router.freed()  # calls that waited for a pool to come back may find nobody there yet

    def ended(self, child: Child, reason: ExitReason, started: bool) -> None:
        assert isinstance(child, MemberLife)
        child.seat.fall()
        super().ended(child, reason, started)
        self.stir()

    # -- what the core decides ------------------------------------------------------------------

    def on_all_started(self, effect: steps.AllStarted) -> None:
        if self.plan.least == 0:
            self.open()

    def on_retire(self, effect: steps.Retire) -> None:
        child = self.children[effect.id]
        assert isinstance(child, MemberLife)
        left = child.seat.clear()
        super().on_retire(effect)
        seats = self.router.seats
        at = seats.index(child.seat)
        del seats[at]
        reason: ExitReason = effect.reason or SHUTDOWN_EXIT
        unfit = not child.seat.was_up and reason.abnormal and not reason.ordered
        if not self.core.ending and self.failure is None:
            if effect.gave_up or unfit:
                self.fail(effect, reason)
            elif len(seats) < self.plan.least:
                self.hire(at)
            else:
                self.emit(PoolResized, self, len(seats))
        self.router.take_back(left, at)

    def fail(self, effect: steps.Retire, reason: ExitReason) -> None:
        """A member cannot be kept alive, and no other of its class would do better: that is for those above."""
        text = "ended too often" if effect.gave_up else "did not start"
        self.failure = replace(
            reason, kind=ERROR, text=f"its member {effect.id} {text}: {reason}", ordered=False
        )
        self.feed(steps.Shutdown())

    def on_over(self, effect: steps.Over) -> None:
        self.last_reason = self.failure or SHUTDOWN_EXIT
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.move("end")
        self.overseer.ended(self, self.last_reason, self.opened)


def is_idle(seat: Seat) -> bool:
    return seat.up and seat.load == 0


async def dump_members(pool: PoolNode, router: Router, timeout: float) -> str:
    """The stacks of all members, who are asked at the same time, in the order of their places."""
    lives = [seat.life for seat in router.seats]
    texts: dict[Life, str] = {}

    async def ask(life: Life) -> None:
        texts[life] = await stacks_of(life, timeout)

    async with trio.open_nursery() as nursery:
        for life in lives:
            nursery.start_soon(ask, life)
    return "".join([f"{pool.path} is a {pool.what}\n", *(texts[life] for life in lives)])


def plant_pool(above: SupervisorNode, id: str, path: str, plan: Pool[Any]) -> PoolNode:
    """Make the node of a pool, and put it below its supervisor."""
    return admit_pool(PoolNode(id, path, plan, above.house, above))


def admit_pool(node: NodeT) -> NodeT:
    """Give a pool its name, and put it below its supervisor."""
    above = node.overseer
    above.house.registry.enter(cast("Life", node))  # to handles and verbs it is one actor
    above.add(node.id, node, rules_of(node.plan, "transient" if above.core.flags.per_child else "permanent"))
    return node


PLANTERS[Pool] = plant_pool
DUMPS[Router] = dump_members
