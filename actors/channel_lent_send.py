"""The sending end of a channel that a guest holds, seen from its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..transports.guests import protocol as p
from ..transports.session import ProtocolError
from .channel_errors import BROKEN, NO_RECEIVER
from .channel_lent import LentEnd
from .channel_store import Heavy, Store

if TYPE_CHECKING:
    from .channel_lending import Lending

BYTES = 4 * 1024 * 1024  # that may be put in with what was granted at once; who goes beyond did not heed it
LIGHT = 64  # bytes of each item in a frame, on average, up to which they are bounded by their number


class LentSend(LentEnd):
    """A guest puts items in: `needed` is the room it asks for, `credit` what it has and has not used."""

    __slots__ = ("credit", "due", "needed", "weight")

    def __init__(self, lending: Lending, number: int, store: Store) -> None:
        self.credit = self.needed = 0
        self.weight = 0  # bytes put in with what was granted last
        self.due = False  # it is served at the end of this tick
        super().__init__(lending, number, store)

    @property
    def members(self) -> set[int]:
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
            self.soon(self.issue)

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
        store, count = self.store, len(items)
        if count > self.credit:
            raise ProtocolError(f"{count - self.credit} items more in a channel than were granted")
        if not store.receivers:
            self.credit -= count
            store.free += count
            return self.refuse(BROKEN, NO_RECEIVER)
        self.enter(items)
        self.credit -= count
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
