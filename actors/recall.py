"""Calls that wait in a guest: taken back for somebody else to do or for the next one, or let in out of turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..transports.guests import protocol as p
from .call import Call
from .lifecycle import ENDED, SENT
from .reasons import SHUTDOWN_EXIT
from .stream import Feed

if TYPE_CHECKING:
    from .guest import GuestIncarnation


def leave_at_once(incarnation: GuestIncarnation, seconds: float) -> None:
    """Have a guest end without what waits in it, and with what runs interrupted; after `seconds` it is killed."""

    def overstayed() -> None:
        if not incarnation.dead.is_set():
            incarnation.kill(SHUTDOWN_EXIT)

    take_back(incarnation)
    incarnation.interrupt()
    incarnation.climber.deadlines.after(seconds, overstayed)
    incarnation.finish_stop()


def take_back(incarnation: GuestIncarnation) -> None:
    """Put what a guest has not begun back to the head of its mailbox, as far as that can be known."""
    back: list[Call] = []
    for call in list(incarnation.sent.values()):
        stand_in = Call(
            call.mailbox, call.method, call.id, None, None, False, 0, ENDED, position=call.position
        )
        if not call.ended and recalled(incarnation, call, stand_in):
            back.append(call)
    incarnation.life.give_back(back, SHUTDOWN_EXIT)


def recalled(incarnation: GuestIncarnation, call: Call, stand_in: Call) -> bool:
    """Ask the guest to skip a call; False if it has begun, or that cannot be known.

    What the guest says when it skips it is for `stand_in`.  If it is just then about to begin, it may run the call
    or skip it: then the call itself is told.
    """
    page = incarnation.guest.page
    in_turns = incarnation.lanes is None and not isinstance(call.ref, Feed)
    if page is None or not incarnation.trusted or not in_turns or call.position <= page.progress:
        return False
    page.cancel(call.id)
    # The guest stores its progress before it reads the cancels: what it has not reached now, it will skip.
    if page.progress >= call.position:
        return False
    incarnation.sent[call.id] = stand_in
    return True


def let_back(incarnation: GuestIncarnation, calls: list[Call]) -> None:
    """Have calls that wait begin out of turn: who waits for them is who they wait for."""
    lanes, page = incarnation.lanes, incarnation.guest.page
    if lanes is None:
        return  # of a re-entrant actor there always are, since it runs several calls at once
    for call in calls:
        begun = page is not None and call.state is SENT and lanes.begun(call, page)
        if begun or lanes.of(call) is lanes.back:
            continue
        if lanes.let_back(call):
            incarnation.say(p.BACK, call.id)
        else:
            call.payload = incarnation.codec.marked(call.payload, "reentrant", True)
    incarnation.pump()
