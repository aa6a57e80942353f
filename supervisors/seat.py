"""A seat of a pool: one member, and what it has in its hands."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeGuard

from ..actors.life import Life
from ..actors.lifecycle import ENDED
from ..actors.queues import exchange, plain_queue
from .pace import ENOUGH
from .pooled import PooledCall, StandIn

if TYPE_CHECKING:
    from ..actors.call import Call
    from ..actors.reasons import ExitReason
    from .router import Router

WINDOW = 256  # calls in one member's hands, as many as a guest takes


class Seat:
    """`up`: the member is ready; `load`: calls in its hands; `due`: seconds of work that they are expected to be."""

    __slots__ = (
        "clinging",
        "due",
        "idle_since",
        "leaving",
        "life",
        "load",
        "place",
        "recalled",
        "router",
        "since",
        "up",
        "was_up",
    )

    def __init__(self, life: Life, router: Router, place: int) -> None:
        self.life = life
        self.router = router
        self.up = False
        self.was_up = False
        self.leaving = False  # it is no longer needed
        self.place = place  # among the seats; it stays that in pools with keys
        self.load = 0
        self.due = 0.0
        self.since = 0.0  # when it began what it does now
        self.idle_since = 0.0
        self.clinging: set[PooledCall] = set()
        self.recalled: set[int] = set()  # ids that the member has still to skip, before it may see them again

    def may_take(self, call: PooledCall) -> bool:
        return self.up and not (self.recalled and call.id in self.recalled)

    def has_room(self, cost: float) -> bool:
        """May it be given one more call that takes so long?"""
        if self.router.slots > 1:
            return self.load < self.router.slots
        return self.load == 0 or (self.due + cost < ENOUGH and self.load < WINDOW)

    def take_on(self, call: PooledCall) -> None:
        """Count a call among those in the member's hands."""
        call.seat = self
        call.cost = call.pace.cost if call.pace is not None else 0.0
        if self.load == 0:
            self.since = perf_counter()
        elif self.load == 1:
            self.router.watch()
        self.load += 1
        self.due += call.cost

    def take(self, call: PooledCall) -> None:
        """Put a call into the member's mailbox."""
        self.take_on(call)
        mailbox = self.life.mailbox
        if mailbox.queue is None:
            mailbox.queue = plain_queue(mailbox)
        mailbox.queue.append(call)
        receiver = mailbox.receiver
        if receiver is not None and not receiver.awake:
            receiver.pump()

    def left(self, call: PooledCall) -> None:
        """The member has done with a call."""
        if call.ended:
            now = perf_counter()
            if call.error is None and call.pace is not None:
                call.pace.note(now - self.since)
            self.since = now
        self.load -= 1
        self.due -= call.cost
        if call.clings:
            self.clinging.discard(call)
        if self.load == 0:
            self.due = 0.0
            self.idle_since = self.router.house.stage.now()
        self.router.freed()

    def rise(self) -> None:
        """The member is ready."""
        self.up = self.was_up = True
        self.idle_since = self.router.house.stage.now()

    def fall(self) -> None:
        """The member's incarnation has ended: what waits in its mailbox is for whoever is free."""
        self.up = False
        self.recalled.clear()
        for call in list(self.clinging):
            call.let_go()
        if not self.router.keyed:
            self.router.take_back(self.clear(), self.place)

    def recall(self) -> None:
        """The member is stuck in a call: what waits behind that is for whoever is free."""
        receiver = self.life.mailbox.receiver
        sent = list(receiver.in_flight()) if receiver is not None else []
        back: list[PooledCall] = []
        for call in sent:
            if is_for_anyone(call) and not call.ended and receiver is not None:
                call.recalled = True
                stand_in = StandIn(
                    call.mailbox, call.method, call.id, None, None, False, 0, ENDED, position=call.position
                )
                stand_in.seat = self
                if receiver.recall(call, stand_in):
                    self.recalled.add(call.id)
                    back.append(call)
        self.router.take_back([*back, *self.clear()], self.place)

    def clear(self) -> list[PooledCall]:
        """Take out of the member's mailbox what need not be done by this member."""
        mailbox = self.life.mailbox
        waiting = mailbox.waiting()
        if mailbox.queue is not None:
            exchange(mailbox, plain_queue(mailbox, [call for call in waiting if not is_for_anyone(call)]))
        return [call for call in waiting if is_for_anyone(call) and not call.ended]

    def take_first(self, calls: list[PooledCall]) -> None:
        """Put calls at the head of the member's mailbox."""
        for call in calls:
            self.take_on(call)
        self.life.mailbox.put_back([*calls])


def is_for_anyone(call: Any) -> TypeGuard[PooledCall]:
    return isinstance(call, PooledCall) and not call.pinned


class MemberLife(Life):
    """The life of a pool's member: calls that its death did not touch go back to the pool."""

    __slots__ = ("seat",)

    seat: Seat

    def give_back(self, calls: list[Call], reason: ExitReason) -> None:
        self.seat.router.take_back([call for call in calls if is_for_anyone(call)], self.seat.place)
        others = [call for call in calls if not is_for_anyone(call)]
        if others:
            super().give_back(others, reason)
