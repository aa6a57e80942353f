"""Calls that wait in a guest: taken back for somebody else to do, or let in out of turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..transports.guests import protocol as p
from .lifecycle import SENT
from .stream import Feed

if TYPE_CHECKING:
    from .call import Call
    from .guest import GuestIncarnation


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
