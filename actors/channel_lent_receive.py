"""The receiving end of a channel that a guest holds, seen from its host."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..transports.codec import Pickled, Unencodable
from ..transports.guests import protocol as p
from ..transports.session import ProtocolError
from .channel_errors import UNSENDABLE
from .channel_lent import LentEnd
from .channel_store import Heavy, Store
from .errors import Unsendable

if TYPE_CHECKING:
    from .channel_lending import Lending

LARGE = 256 * 1024  # bytes in one frame, the last item aside
SHORT = frozenset({int, float, bool, type(None)})


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
    def members(self) -> set[int]:
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
            self.soon(self.pump)

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
        gone = [self.given.popleft() for _ in range(count)]
        if store.bytes:
            store.bytes -= sum([item.size for item in gone if item.__class__ is Heavy])
        self.taken = taken
        store.away -= count
        store.free += count
        if store.putters:
            store.refill()
        if not store.senders and store.ended:
            store.settle()

    def known_to_page(self) -> int:
        """How many were taken, of a guest that has died."""
        page: Any = self.lending.incarnation.guest.page
        return int(page.words[p.TAKEN + self.slot]) if page is not None and self.slot >= 0 else self.taken

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
        if kept is None:
            kept = self.known_to_page()
        self.settle(min(max(kept, self.taken), self.total))
        back = [self.given.pop() for _ in range(len(self.given))]
        self.total = self.taken
        self.store.receivers.discard(self.member)
        self.put_back(back)
        self.store.settle()
        if not self.store.receivers:
            self.store.refill()
