"""All ends of channels that the guest of one incarnation holds, and how it comes by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ..transports.codec import Pickled
from ..transports.guests import protocol as p
from ..transports.session import ProtocolError
from .channel_ends import HostEnd, HostReceive, HostSend
from .channel_errors import CLOSED, CLOSED_HERE, ClosedChannelError, lost_sender
from .channel_lent_receive import LentReceive
from .channel_lent_send import LentSend
from .channel_ticket import RECEIVE, Ticket
from .events import RequestRefused
from .guest_end import HOME, end_of_guest

if TYPE_CHECKING:
    from .call import Call
    from .channel_lent import Name
    from .guest import GuestIncarnation
    from .reasons import ExitReason

PATIENCE = 100  # tickets that an untrusted guest may name and does not have, before it is ended
MOST_ENDS = 10_000  # that an untrusted guest may hold


class Passage:
    """A ticket on its way with a call: it may be used until the call has ended."""

    __slots__ = ("call", "lending", "parent", "ticket")

    def __init__(self, lending: Lending, ticket: Ticket, call: Call) -> None:
        self.lending = lending
        self.ticket = ticket
        self.call = call
        self.parent = call.id

    def as_ref(self) -> Any:
        raise TypeError("this is no argument of a call")

    def unanswered(self) -> int:
        return 0

    def why(self) -> Any:
        raise AssertionError("nobody asks")

    def drop(self) -> None:
        self.lending.given.pop(self.ticket.number, None)
        if self.call.ended:
            self.ticket.close()


class Lending:
    """All that one incarnation's guest holds, and may come to hold."""

    def __init__(self, incarnation: GuestIncarnation) -> None:
        self.incarnation = incarnation
        self.given: dict[int, Ticket] = {}  # which may be used now
        self.early: list[Ticket] = []  # of them, those that came with the arguments of the class
        self.ends: dict[int, LentSend | LentReceive] = {}
        self.refused = 0

    def __bool__(self) -> bool:
        return bool(self.ends)

    def send(self, ticket: Ticket, call: Call | None) -> None:
        """An end goes to the guest, with a call or with what the actor is made of."""
        self.given[ticket.number] = ticket
        if call is None:
            self.early.append(ticket)
        else:
            self.incarnation.questions.open[-ticket.number] = Passage(self, ticket, call)

    def started(self) -> None:
        """The actor is made: what came with its arguments is there."""
        for ticket in self.early:
            self.given.pop(ticket.number, None)
        self.early.clear()

    # -- what the guest says --------------------------------------------------------------------

    def hear(self, message: list[Any]) -> None:
        kind, number = message[0], message[1]
        if kind == p.ATTACH:
            return self.attach(*message[1:])
        end: Any = self.ends.get(number)
        if end is None:
            if self.incarnation.trusted:
                return None  # it was refused when it came
            raise ProtocolError(f"end {number} of a channel, which it does not have")
        if kind == p.PUT and isinstance(end, LentSend):
            end.put(self.seen(message[2]), message[3])
        elif kind == p.WANT:
            end.want(*message[2:])
        elif kind == p.RETURN:
            end.returned(message[2])
        elif kind == p.DETACH:
            self.detach(number, message[2])
        else:
            raise ProtocolError("items put into a receiving end of a channel")
        return None

    def seen(self, items: list[Any]) -> list[Any]:
        """Items as they are kept: what is pickled stays so until somebody takes it, unless ends are in it."""
        if Pickled in map(type, items):
            items = [self.open_ends(item) for item in items]
        kept: list[Any] = self.incarnation.codec.kept(items)
        return kept

    def open_ends(self, item: Any) -> Any:
        if isinstance(item, Pickled) and END_OF_GUEST in bytes(item):
            return self.incarnation.value(item)
        return item

    def attach(self, number: int, ticket: int, slot: int) -> None:
        if number in self.ends or (not self.incarnation.trusted and len(self.ends) >= MOST_ENDS):
            raise ProtocolError(f"end {number} of a channel, which it has, or has too many of")
        found = self.ends.get(-ticket) if ticket < 0 else self.admitted(ticket)
        if found is None:
            self.turn_away(number)
        elif isinstance(found, LentReceive) or (isinstance(found, Ticket) and found.direction == RECEIVE):
            self.enter(LentReceive(self, number, found.store, slot))
        else:
            self.enter(LentSend(self, number, found.store))

    def admitted(self, number: int) -> Ticket | None:
        """The ticket of that number, if it was given to this guest."""
        if self.incarnation.trusted:
            return self.given.get(number)
        return self.given.pop(number, None)  # an honest guest uses it once

    def enter(self, end: LentSend | LentReceive) -> None:
        self.ends[end.number] = lent[end.name] = end

    def turn_away(self, number: int) -> None:
        self.incarnation.say(p.FINISH, number, CLOSED, GONE)
        if not self.incarnation.trusted:
            self.refused += 1
            if self.refused > PATIENCE:
                raise ProtocolError("ends of channels that it was not given, again and again")
            self.incarnation.life.emit(RequestRefused, "attach", "a channel", 0)

    def detach(self, number: int, kept: int | None, lost: str = "") -> None:
        end = self.ends.pop(number)
        lent.pop(end.name, None)
        end.end(kept, lost)

    def close(self, reason: ExitReason | None) -> None:
        """The incarnation has ended."""
        lost = ""
        if reason is None or reason.abnormal:
            lost = lost_sender(self.incarnation.life.path, str(reason or "for an unknown reason"))
        for number in list(self.ends):
            self.detach(number, None, lost)
        self.given.clear()
        self.early.clear()


END_OF_GUEST = end_of_guest.__name__.encode()
GONE = "the call that this end of a channel came with has ended"

# What guests hold, for who is given it by one of them.
lent: WeakValueDictionary[Name, Any] = WeakValueDictionary()


def lent_end(direction: int, path: str, incarnation: int, number: int) -> HostEnd:
    """A guest has given away an end: the same for us."""
    end = lent.get((path, incarnation, number))
    if end is None:
        raise ClosedChannelError(CLOSED_HERE)
    return HostReceive[Any](end.store) if direction == RECEIVE else HostSend[Any](end.store)


HOME["lent"] = lent_end
