"""The ends of channels that the guest of one incarnation holds, seen from its host."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ..transports.codec import Pickled, Unencodable
from ..transports.guests import protocol as p
from ..transports.session import ProtocolError
from .channel_ends import HostEnd, HostReceive, HostSend
from .channel_errors import (
    BROKEN,
    CLOSED,
    CLOSED_HERE,
    NO_RECEIVER,
    UNSENDABLE,
    ClosedChannelError,
    lost_sender,
)
from .channel_store import Heavy, Store
from .channel_ticket import RECEIVE, Ticket, members
from .errors import Unsendable
from .events import RequestRefused
from .guest_channel import end_of_guest

if TYPE_CHECKING:
    from .call import Call
    from .guest import GuestIncarnation
    from .reasons import ExitReason

PATIENCE = 100  # tickets that an untrusted guest may name and does not have, before it is ended
MOST_ENDS = 10_000  # that an untrusted guest may hold
BYTES = 4 * 1024 * 1024  # that may be put in with what was granted at once; who goes beyond did not heed it
LARGE = 256 * 1024  # bytes in one frame, the last item aside
LIGHT = 64  # bytes of each item in a frame, on average, up to which they are bounded by their number
SHORT = frozenset({int, float, bool, type(None)})

Name = tuple[str, int, int]  # of an actor, its incarnation, its end


class LentEnd:
    """What both kinds have in common: `total` is what was delivered or granted so far."""

    __slots__ = ("__weakref__", "epoch", "lending", "member", "name", "number", "store", "total", "waits")

    members: set[int]

    def __init__(self, lending: Lending, number: int, store: Store) -> None:
        self.lending = lending
        self.number = number
        self.name: Name = lending.incarnation.life.path, lending.incarnation.life.number, number
        self.store = store
        self.member = next(members)
        self.total = 0
        self.epoch = 0
        self.waits = False  # it is in the line of those who wait
        self.members.add(self.member)

    def say(self, kind: int, *what: Any) -> None:
        self.lending.incarnation.say(kind, self.number, *what)

    def refuse(self, kind: str, text: str) -> None:
        self.waits = False
        self.say(p.FINISH, kind, text)

    def leave(self, lost: str) -> None:
        self.store.leave(self.members, self.member, lost)


class LentSend(LentEnd):
    """A guest puts items in: `needed` is the room it asks for, `credit` what it has and has not used."""

    __slots__ = ("credit", "due", "needed", "weight")

    def __init__(self, lending: Lending, number: int, store: Store) -> None:
        self.credit = self.needed = 0
        self.weight = 0  # bytes put in with what was granted last
        self.due = False  # it is served at the end of this tick
        super().__init__(lending, number, store)

    @property
    def members(self) -> set[int]:  # type: ignore[override]
        return self.store.senders

    def want(self, items: int, _: int, now: int) -> None:
        self.needed += max(items, now)
        if now:
            before = self.total
            self.issue()
            if self.total == before:
                self.say(p.GRANT, self.epoch, 0)
        else:
            self.grant()

    def grant(self) -> None:
        """Grant what there is room for; wait for the rest."""
        store = self.store
        if not store.receivers:
            return self.refuse(BROKEN, NO_RECEIVER)
        if self.needed and not self.waits and not self.due:
            if store.putters or store.full:
                self.waits = True
                store.putters.append(self)
            else:
                self.serve(store)
        return None

    def serve(self, store: Store) -> None:
        """There is room, and perhaps more at the end of this tick."""
        self.waits = False
        if not self.due:
            self.due = True
            self.lending.incarnation.life.house.stage.ticks.soon(self.issue)

    def issue(self) -> None:
        self.due = False
        store = self.store
        if not self.needed or self.member not in store.senders:
            return
        if not store.full:
            granted = min(self.needed, max(1, store.free // (1 + len(store.putters))))
            self.needed -= granted
            self.credit += granted
            self.total += granted
            self.weight = 0
            store.free -= granted
            self.say(p.GRANT, self.epoch, granted)
        self.grant()

    def put(self, items: list[Any], need: int) -> None:
        """Items have come; raises ProtocolError if there are more of them than were granted."""
        store = self.store
        self.credit -= len(items)
        if self.credit < 0:
            raise ProtocolError(f"{-self.credit} items more in a channel than were granted")
        if not store.receivers:
            store.free += len(items)
            return self.refuse(BROKEN, NO_RECEIVER)
        self.enter(items)
        self.needed += need
        if self.needed:
            self.grant()
        return None

    def enter(self, items: list[Any]) -> None:
        store, weight = self.store, self.lending.incarnation.weight(items)
        if weight > LIGHT * len(items) and items:
            self.weight += weight
            if self.weight > BYTES and self.weight > weight:
                raise ProtocolError(
                    f"{self.weight:,} bytes in a channel with one grant, where {BYTES:,} may be"
                )
            store.bytes += weight
            each, rest = divmod(weight, len(items))
            store.items.extend(Heavy(item, each + (at < rest)) for at, item in enumerate(items))
        else:
            store.items.extend(items)
        if store.getters:
            store.feed()

    def returned(self, kept: int) -> None:
        back = self.total - kept
        if not 0 <= back <= self.credit:
            raise ProtocolError("more room in a channel given back than was granted")
        self.store.free += back
        self.credit -= back
        self.total = kept
        self.needed = 0
        self.epoch += 1
        self.store.refill()

    def end(self, kept: int | None, lost: str = "") -> None:
        """It is no more."""
        if self.waits:
            self.store.putters.remove(self)
        self.store.free += self.credit
        self.credit = 0
        self.leave(lost)
        self.store.refill()


class LentReceive(LentEnd):
    """A guest takes items out: `given` are those it was sent and is not known to have taken."""

    __slots__ = ("given", "pumping", "slot", "taken", "wanted")

    def __init__(self, lending: Lending, number: int, store: Store, slot: int) -> None:
        self.given: deque[Any] = deque()
        self.taken = self.wanted = 0
        self.slot = slot if 0 <= slot < p.SLOTS else -1
        self.pumping = False
        super().__init__(lending, number, store)

    @property
    def members(self) -> set[int]:  # type: ignore[override]
        return self.store.receivers

    def want(self, items: int, taken: int, now: int) -> None:
        self.settle(taken)
        self.wanted += items
        if now:
            self.pump(now=1)
            return None
        if self.store.ended and self.wanted:
            return self.refuse(*self.store.end)
        if self.wanted:
            self.join()

    def join(self) -> None:
        """Have items as soon as there are any."""
        store = self.store
        if store.items:
            self.serve(store)
        elif not self.waits:
            self.waits = True
            store.getters.append(self)
            if not store.capacity:
                store.refill()

    def serve(self, store: Store) -> None:
        """Items are there, and perhaps more at the end of this tick."""
        self.waits = False
        if not self.pumping:
            self.pumping = True
            self.lending.incarnation.life.house.stage.ticks.soon(self.pump)

    def pump(self, now: int = 0) -> None:
        self.pumping = False
        store = self.store
        if self.member not in store.receivers:
            return
        batch = self.cut(max(self.wanted, now))
        if batch or now:
            self.deliver(batch)
        if store.ended:
            if self.wanted or now:
                self.refuse(*store.end)
        elif self.wanted:
            self.join()

    def cut(self, most: int) -> list[Any]:
        """Take items out for the guest; no more than a frame should hold."""
        store, items = self.store, self.store.items
        count = min(most, len(items))
        if not store.bytes:
            return [items.popleft() for _ in range(count)]
        batch: list[Any] = []
        size = 0
        while len(batch) < count and size < LARGE:
            item = items.popleft()
            size += item.size if item.__class__ is Heavy else 0
            batch.append(item)
        return batch

    def deliver(self, batch: list[Any]) -> None:
        incarnation = self.lending.incarnation
        store = self.store
        try:
            message = self.encoded(batch)
        except Unencodable as error:
            if len(batch) > 1:  # one of them cannot travel: those before it can
                store.items.extendleft(reversed(batch[len(batch) // 2 :]))
                return self.deliver(batch[: len(batch) // 2])
            store.items.extendleft(batch)
            self.wanted = 0
            return self.refuse(UNSENDABLE, f"an item of this channel cannot travel to this actor: {error}")
        self.given.extend(batch)
        store.away += len(batch)
        self.total += len(batch)
        self.wanted = max(0, self.wanted - len(batch))
        link = incarnation.guest.link
        if link is not None:
            link.send(message)
        return None

    def encoded(self, batch: list[Any]) -> Any:
        """Items as a message; raises Unencodable."""
        codec = self.lending.incarnation.codec
        if SHORT.issuperset(map(type, batch)):
            with suppress(Unencodable):  # one may be wider than msgpack's integers
                return codec.message(p.DELIVER, self.number, self.epoch, batch)
        message = codec.message(p.DELIVER, self.number, self.epoch, self.packed(codec, batch))
        codec.check(message, "an item of a channel")
        return message

    def packed(self, codec: Any, batch: list[Any]) -> list[Any]:
        return [self.packed_one(codec, item.value if item.__class__ is Heavy else item) for item in batch]

    def packed_one(self, codec: Any, item: Any) -> Any:
        if item.__class__ is Pickled:
            if codec.passes_pickles:
                return codec.pickled(item)
            try:
                item = self.store.read(item)
            except Unsendable as error:
                raise Unencodable(str(error)) from error
        value, code = codec.packed(item)
        if code:
            self.lending.incarnation.send_code(code)
        return value

    def settle(self, taken: int) -> None:
        """So many were taken, in all."""
        if not self.taken <= taken <= self.total:
            raise ProtocolError(
                f"{taken} items of a channel taken, where {self.taken} were and {self.total} are there"
            )
        store, count = self.store, taken - self.taken
        if not count:
            return
        for _ in range(count):
            item = self.given.popleft()
            if item.__class__ is Heavy:
                store.bytes -= item.size
        self.taken = taken
        store.away -= count
        store.free += count
        if store.putters:
            store.refill()
        if not store.senders and store.ended:
            store.settle()

    def returned(self, kept: int) -> None:
        """Items beyond so many go back to the head."""
        if not self.taken <= kept <= self.total:
            raise ProtocolError("more items of a channel given back than were delivered")
        back = [self.given.pop() for _ in range(self.total - kept)]
        self.total = kept
        self.wanted = 0
        self.epoch += 1
        self.put_back(back)

    def put_back(self, back: list[Any]) -> None:
        """The last one first."""
        store = self.store
        if back:
            store.away -= len(back)
            store.items.extendleft(back)
            store.feed()

    def end(self, kept: int | None, lost: str = "") -> None:
        """It is no more: what it has not taken goes back."""
        if self.waits:
            self.store.getters.remove(self)
        page = self.lending.incarnation.guest.page
        if kept is None:
            kept = page.words[p.TAKEN + self.slot] if page is not None and self.slot >= 0 else self.taken
        self.settle(min(max(kept, self.taken), self.total))
        back = [self.given.pop() for _ in range(len(self.given))]
        self.total = self.taken
        self.store.receivers.discard(self.member)
        self.put_back(back)
        self.store.settle()
        if not self.store.receivers:
            self.store.refill()


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
        for at, item in enumerate(items):
            if item.__class__ is Pickled and END_OF_GUEST in item:
                items[at] = self.incarnation.value(item)
        return self.incarnation.codec.kept(items)

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
    return HostReceive(end.store) if direction == RECEIVE else HostSend(end.store)
