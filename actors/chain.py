"""Chains of calls: who waits for whom, from call record to call record; and whether a call closes a circle.

A record knows the call whose method waits for it, its `maker`.  Nothing here waits or wakes, and all but `claim`
is a function of the records alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..transports.guests.context import present
from .call import Call
from .concurrency import group_name
from .errors import DeadlockError
from .exported import ASYNC_LIMIT
from .kinds import kind_of
from .lifecycle import QUEUED, RUNNING, SENT

if TYPE_CHECKING:
    from .mailbox import Mailbox

HELD = -1  # the position of a call that waits in its mailbox for the values of its arguments
UNBEGUN = (QUEUED, SENT)


def chain_of(maker: Call | None) -> Iterator[Call]:
    """A call that runs and those that wait for it, the newest first; one that has ended waits for nothing."""
    while maker is not None and not maker.ended:
        yield maker
        maker = maker.maker


def bound_chain(maker: Call | None) -> Iterator[Call]:
    """As `chain_of`, as far as each can go on only when the one before it has ended."""
    for waiting in chain_of(maker):
        yield waiting
        if getattr(waiting.ref, "loose", False):
            return


def comes_back(call: Call) -> bool:
    """Does this call come back to an actor that waits for it?"""
    return comes_back_to(call.mailbox, call.maker)


def comes_back_to(mailbox: Mailbox, maker: Any) -> bool:
    """Does a call that `maker` makes to this actor come back to it?"""
    return isinstance(maker, Call) and any(waiting.mailbox is mailbox for waiting in chain_of(maker))


def circle(call: Call, maker: Call | None) -> list[Call]:
    """The calls that would wait for each other if `maker` waited for `call`, in their order; [] if none would.

    They would if all places that `call` could take are held by calls that wait for it, or if one of these holds up
    the mailbox in which it waits.
    """
    chain = list(bound_chain(maker))
    for n, waiting in enumerate(chain):
        if holds_up(waiting, call):
            return [*reversed(chain[: n + 1]), call]
    if call.mailbox.options.reentrant:
        return []
    holding = [n for n, waiting in enumerate(chain) if holds_place(waiting, call)]
    if not holding or len(holding) < limit_of(call, chain[holding[0]]):
        return []
    return [*reversed(chain[: holding[0] + 1]), call]


def holds_place(waiting: Call, call: Call) -> bool:
    """Has it one of the places that the other call needs?"""
    same = waiting.mailbox is call.mailbox and waiting is not call and waiting.position != HELD
    return same and group_name(waiting.method) == group_name(call.method)


def holds_up(waiting: Call, call: Call) -> bool:
    """Is it before the other in a mailbox that does not go on without its arguments?"""
    return waiting.position == HELD and waiting.mailbox is call.mailbox and waiting.id < call.id


def limit_of(call: Call, waiting: Call) -> int:
    """How many calls of this group run at once.

    Only an async method can wait and leave places to others; a plain one that waits blocks its actor.
    """
    options = call.mailbox.options
    default = options.max_concurrency or (ASYNC_LIMIT if kind_of(waiting.method.__wrapped__).awaits else 1)
    return options.concurrency_groups.get(group_name(call.method), default)


def join(call: Call, maker: Call) -> None:
    """Let `maker` wait for `call`; raises DeadlockError if it would wait for ever."""
    if call.state in UNBEGUN:
        refuse(circle(call, maker))
    call.maker = maker
    # Of what was sent to a guest, it may run already; and what it is held for was made before it.
    if call.state in (SENT, RUNNING) or call.position == HELD:
        try:
            refuse(circle_behind(call))
        except DeadlockError:
            call.maker = None
            raise


def circle_behind(call: Call) -> list[Call]:
    """The circle that is closed by a call that runs already, and on whose way a call waits for a place."""
    for waiting in chain_of(call.maker):
        for queued in waiting.mailbox.unfinished():
            found = circle(queued, queued.maker) if queued.state in UNBEGUN else []
            if call in found:
                return found
    return []


def refuse(waiting: list[Call]) -> None:
    if waiting:
        path = " -> ".join(f"{one.mailbox.label}.{one.method.name}" for one in waiting)
        raise DeadlockError(f"{waiting[0].mailbox.label} would wait for itself: {path}")


def claim(call: Call) -> bool:
    """Let the call that runs here, if one does, wait for this one; raises DeadlockError if it would for ever."""
    runs = present().call
    if runs is None or not isinstance(runs[2], Call) or call.ended:
        return False
    join(call, runs[2])
    let_back(call)
    return True


def claim_loosely(call: Call) -> bool:
    """As `claim`, where the call that runs can go on without this one: that closes no circle."""
    runs = present().call
    if runs is None or not isinstance(runs[2], Call) or call.ended or call.maker is not None:
        return False
    call.maker = runs[2]
    let_back(call)
    return True


def let_back(call: Call) -> None:
    """Somebody waits for this call now: what comes back to an actor of its chain, and waits there, may begin."""
    for mailbox in {waiting.mailbox: None for waiting in chain_of(call.maker)}:
        if mailbox.options.reentrant and mailbox.receiver is not None:
            waits = [one for one in mailbox.unfinished() if one.state in UNBEGUN and comes_back(one)]
            if waits:
                mailbox.receiver.let_back(waits)
