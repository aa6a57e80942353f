"""The router of a pool: it stands behind the pool's mailbox, and gives what waits there to members with room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import trio

from ..actors import lifecycle
from ..actors.call import Call
from ..actors.settings import limit_of
from .pooled import PooledCall
from .seat import Seat

if TYPE_CHECKING:
    from ..actors.life import Incarnation, Life
    from ..actors.mailbox import Receiver
    from ..actors.reasons import ExitReason
    from ..transports.timers import Timer
    from .house import RuntimeHouse
    from .pool import Pool
    from .pooled import PoolMailbox


STUCK = (
    0.02  # seconds in one call, after which those behind it are taken back; ten times what a member is given
)


class Staff(Protocol):
    """Who hires members, and hears of calls that come too late."""

    def grow(self, waiting: int) -> bool: ...
    def refuse(self, calls: list[PooledCall]) -> None: ...
    async def wait_ready(self) -> None: ...


class Router:
    """What a mailbox knows as its receiver; `turn` counts for those who go round.

    `awake`: nobody has room, and there can be no more members; it looks again when one is freed.
    """

    __slots__ = (
        "awake",
        "choose",
        "dying",
        "house",
        "keyed",
        "mailbox",
        "seats",
        "slots",
        "staff",
        "timer",
        "turn",
        "width",
    )

    glance = None
    held = False
    parting = None
    pid = 0

    def __init__(self, mailbox: PoolMailbox, plan: Pool[object], house: RuntimeHouse, staff: Staff) -> None:
        self.mailbox = mailbox
        self.house = house
        self.staff = staff
        self.seats: list[Seat] = []
        self.awake = False
        self.turn = 0
        self.timer: Timer | None = None
        self.dying: list[tuple[Life, int]] = []
        self.keyed = plan.key is not None
        self.width = plan.most
        self.slots = limit_of(plan.member.cls, plan.member.options)
        self.choose = ROUTES["key" if self.keyed else plan.route]

    # -- what waits -----------------------------------------------------------------------------

    def pump(self) -> None:
        """Look at what waits.  Members in processes send what they are given at the end of the tick, as one batch."""
        self.dispatch()

    def freed(self) -> None:
        """A member has room again."""
        self.awake = False
        if self.mailbox.queue:
            self.dispatch()

    def exchange(self, call: Call) -> bool:
        """A router has no link to look at."""
        return False

    def dispatch(self) -> None:
        """Give what waits to members with room, first come, first served; hire if that is not enough."""
        queue = self.mailbox.queue
        while queue:
            call = queue[0]
            if call.state is not lifecycle.ENDED:
                seat = self.choose(self, call)
                if seat is None:
                    self.awake = not self.staff.grow(len(queue))  # if none is hired, one must be freed first
                    return
                seat.take(call)
            queue.popleft()

    def watch(self) -> None:
        """A member has calls waiting behind one: look in a while whether it still has."""
        if self.timer is None and not self.keyed and self.slots == 1:
            self.timer = self.house.stage.timers.after(STUCK, self.look)

    def look(self) -> None:
        """Take back what waits with members that do not get on."""
        self.timer = None
        before = perf_counter() - STUCK
        for seat in self.seats:
            if seat.load > 1 and seat.since < before:
                seat.recall()
        if any(seat.load > 1 for seat in self.seats):
            self.watch()

    def drain(self) -> None:
        """Give all that waits to members, room or not: they stop when they have done it."""
        self.dispatch()
        queue = self.mailbox.queue
        left: list[PooledCall] = []
        while queue and self.seats:
            call = queue.popleft()
            able = [seat for seat in self.seats if call.id not in seat.recalled]
            if able and not call.ended:
                min(able, key=load_of).take(call)
            elif not call.ended:
                left.append(call)  # its member has still to skip it; then it is dispatched
        if queue is not None:
            queue.extend(left)

    def take_back(self, calls: list[PooledCall], place: int) -> None:
        """Calls that the member at this place had and did not begin: to the head, for whoever is free, or for it."""
        for call in calls:
            call.let_go()
        if self.mailbox.closed is not None:
            self.staff.refuse(calls)
        elif self.keyed and (seat := self.seat_at(place)) is not None:
            seat.take_first(calls)
        elif calls:
            self.mailbox.put_back([*calls])
            self.freed()

    def seat_at(self, place: int) -> Seat | None:
        """The seat at a place; while the pool ends there may be none, and no other stands in for it."""
        seat = self.seats[place] if place < len(self.seats) else None
        return seat if seat is not None and seat.place == place else None

    # -- what members have in their hands -------------------------------------------------------

    def hands(self, call: Call) -> Receiver | None:
        """The incarnation that has a call."""
        seat = call.seat if isinstance(call, PooledCall) else None
        return seat.life.mailbox.receiver if seat is not None else None

    def withdraw(self, call: Call, why: str) -> None:
        receiver = self.hands(call)
        if receiver is not None:
            receiver.withdraw(call, why)

    def recall(self, call: Call, stand_in: Call) -> bool:
        """A router has nothing in its own hands."""
        return False

    def let_back(self, calls: list[Call]) -> None:
        """Calls have come back within one chain: those that a member has may begin."""
        for call in calls:
            receiver = self.hands(call)
            if receiver is not None:
                receiver.let_back([call])

    def credit(self, call: Call, items: int) -> None:
        receiver = self.hands(call)
        if receiver is not None:
            receiver.credit(call, items)

    def fate(self, call: Call) -> str:
        receiver = self.hands(call)
        return lifecycle.NEVER_SENT if receiver is None else receiver.fate(call)

    def in_flight(self) -> Iterable[Call]:
        return [
            call
            for seat in self.seats
            for call in seat.life.mailbox.unfinished()
            if call.mailbox is self.mailbox
        ]

    def interrupt(self) -> Sequence[trio.Event]:
        """Interrupt what every member runs; returns an event for the end of each."""
        return [event for incarnation in self.incarnations() for event in incarnation.interrupt()]

    def kill(self, reason: ExitReason) -> None:
        """Kill every member's incarnation."""
        self.dying = [(seat.life, seat.life.number) for seat in self.seats]
        for incarnation in self.incarnations():
            incarnation.kill(reason)

    def is_dying(self) -> bool:
        """Is one of those that were killed still there?"""
        return any(life.is_running(number) for life, number in self.dying)

    def incarnations(self) -> list[Incarnation]:
        return [seat.life.incarnation for seat in self.seats if seat.life.incarnation is not None]


# -- routes --------------------------------------------------------------------------------------------


def load_of(seat: Seat) -> tuple[float, int]:
    return seat.due, seat.load


def least_busy(router: Router, call: PooledCall) -> Seat | None:
    """The member with the least work in its hands."""
    best: Seat | None = None
    for seat in router.seats:
        if seat.may_take(call) and (
            best is None or seat.due < best.due or (seat.due == best.due and seat.load < best.load)
        ):
            best = seat
    return best if best is not None and best.has_room(cost_of(call)) else None


def round_robin(router: Router, call: PooledCall) -> Seat | None:
    """The next member in turn that has room."""
    seats, cost = router.seats, cost_of(call)
    for step in range(len(seats)):
        seat = seats[(router.turn + step) % len(seats)]
        if seat.may_take(call) and seat.has_room(cost):
            router.turn = (router.turn + step + 1) % len(seats)
            return seat
    return None


def by_key(router: Router, call: PooledCall) -> Seat | None:
    """Always the same member for the same key: calls wait for it, and keep their order."""
    return router.seat_at(call.place % router.width)


def cost_of(call: PooledCall) -> float:
    return call.pace.cost if call.pace is not None else 0.0


ROUTES: dict[str, Callable[[Router, PooledCall], Seat | None]] = {
    "least_busy": least_busy,
    "round_robin": round_robin,
    "key": by_key,
}
