"""The ends of channels as the methods of a guest use them: what is sent is collected, what is received comes in batches.

Methods that are not `async` wait here; for the others see `guest_channel_async.py`.
"""

from __future__ import annotations

from collections import deque
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn

from ..transports.guests import protocol as p
from ..transports.guests.asking import ELSEWHERE, Question
from ..transports.guests.channels import HELD, QUIET
from ..transports.guests.context import PROCESS, present
from ..transports.guests.interrupts import whole
from ..transports.guests.protocol import PLAIN_TYPES
from . import errors
from .channel import ReceiveChannel, SendChannel
from .channel_errors import CLOSED_HERE, UNSENDABLE, ChannelEnded, ClosedChannelError, error_for
from .queue_errors import Empty, Full

if TYPE_CHECKING:
    from ..transports.guests.channels import Office

BATCH = 256  # items in one message
MOST = 512  # items that are wanted, or for which room is asked, at once
QUICK = 2e-3  # seconds in which all that was asked for last was used: then twice as many are asked for
LARGE = 256 * 1024  # bytes; as soon as so much is collected it leaves
ROOM = 1024 * 1024  # bytes put in with what was granted at once
SHORT = frozenset({int, float, bool, type(None)})
SEND, RECEIVE = 0, 1
NO_SLOT = CLOSED_NUMBER = -1

IN_A_LOOP = (
    "{0}_nowait() of a channel would hold up the event loop of this actor while it asks its host: await {0}() instead, in "
    "move_on_after() or timeout() if it is not to wait for long"
)


class GuestEnd:
    """What both ends have in common: their stock (credit, or items) and how more of it is asked for."""

    __slots__ = ()

    direction: ClassVar[int]

    office: Office | None
    number: int
    slot: int
    ticket: Any  # until it is attached
    stock: Any  # a list of credits, or a deque of items
    asked: int  # that were asked for and have not come
    unsaid: int  # of these, what the host has not been told
    size: int  # how many are asked for at once
    since: float  # when they last were
    total: int  # that have come in all
    epoch: int
    over: tuple[str, str] | None  # nothing more comes, and why
    waiting: list[Question]
    quiet: int  # ticks since it was last used
    seen: int  # how much had been used then

    def begin(self, ticket: Any, office: Office | None) -> None:
        self.office, self.ticket = None, ticket
        self.number, self.slot = 0, NO_SLOT
        self.asked, self.unsaid, self.size, self.since, self.total, self.epoch = 0, 0, 1, 0.0, 0, 0
        self.over = None
        self.waiting = []
        self.quiet = self.seen = 0
        if office is not None:
            self.attach(office)

    def attach(self, office: Office) -> None:
        """Tell the host that it is here; from now on we are what this guest needs."""
        self.office = office
        self.number = next(office.numbers)
        if self.direction == RECEIVE and office.slots:
            self.slot = office.slots.pop()
            office.page[p.TAKEN + self.slot] = 0
        office.ends[self.number] = self
        office.say(p.ATTACH, self.number, getattr(self.ticket, "number", self.ticket), self.slot)
        become(self, office)

    def bind(self) -> Office:
        """Our office; raises ClosedChannelError, and NoRuntimeError where no actor is."""
        if self.office is None:
            asker = present().asker
            if asker is None:
                raise errors.NoRuntimeError(ELSEWHERE)
            self.attach(asker.asking.guest.office)
        office = self.office
        assert office is not None
        return office

    def check(self) -> None:
        if self.number < 0:
            raise ClosedChannelError(CLOSED_HERE)

    # -- what the host says ---------------------------------------------------------------------

    def hear(self, message: list[Any]) -> None:
        office = self.office
        assert office is not None
        with office.lock:
            if message[0] == p.FINISH:
                self.over = (message[2], message[3])
                self.asked = self.unsaid = 0
                self.finish()
            elif message[2] == self.epoch:
                self.come(message[3])
                office.active.add(self)  # type: ignore[arg-type]
            waiting, self.waiting = self.waiting, []
        office.wake()
        for question in waiting:
            question.answered(message)

    def come(self, what: Any) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        """Nothing more comes."""

    def refused(self) -> None:
        """Raise what the host has said, if nothing more comes."""
        self.check()
        over = self.over
        if over is not None:
            if over[0] == UNSENDABLE:
                self.over = None  # that was about one item
            raise error_for(*over)

    # -- waiting for it -------------------------------------------------------------------------

    def ask(self) -> Question | None:
        """What to wait for, once the host has been asked; None if there is something already."""
        office = self.bind()
        self.check()
        question = Question(0)
        with office.lock:
            if self.stock or self.over is not None:
                return None
            self.waiting.append(question)
            if not self.asked:
                self.grow()
                self.want()
        office.flush()
        return question

    def want(self, now: bool = False) -> None:
        """Tell the host what is wanted beside what it knows; `now`: it is to answer at once."""
        raise NotImplementedError

    def grow(self) -> None:
        """Settle how many to ask for next: what was asked for last was used quickly, or not."""
        now = perf_counter()
        quick = now - self.since < QUICK
        self.size = min(2 * self.size, MOST) if quick else max(1, self.size // 4)
        self.since = now
        self.asked += self.size
        self.unsaid += self.size

    def wait(self) -> None:
        """Wait until the host has said something; raises Interrupted."""
        question = self.ask()
        if question is not None:
            self.wait_for(question)

    def look(self) -> None:
        """Have the host say at once whether there is something."""
        office = self.bind()
        question = Question(0)
        with office.lock:
            self.waiting.append(question)
            self.want(now=True)
        office.flush()
        self.wait_for(question)

    def wait_for(self, question: Question) -> None:
        try:
            present().asker.wait(question)
        finally:
            if question in self.waiting:
                self.waiting.remove(question)

    async def wait_async(self) -> None:
        question = self.ask()
        if question is not None:
            try:
                await present().asker.wait_async(question)
            finally:
                if question in self.waiting:
                    self.waiting.remove(question)

    # -- its end --------------------------------------------------------------------------------

    def kept(self) -> int:
        """What has come and was used, or is in hand."""
        return self.total - len(self.stock)

    def used(self) -> bool:
        """Has it been used since this was last asked?"""
        kept = self.kept()
        if kept != self.seen or self.waiting:
            self.seen, self.quiet = kept, 0
            return True
        self.quiet += 1
        return self.quiet < QUIET

    def rest(self) -> None:
        """Nobody may use it for a while."""
        if (self.stock or self.asked) and not self.waiting:
            self.give_back()

    def give_back(self) -> None:
        """Give back what is in stock or on its way; the office's lock is held."""
        assert self.office is not None
        while self.stock:
            try:
                self.stock.pop()
            except IndexError:
                break
            self.total -= 1
        self.asked, self.unsaid, self.size, self.quiet = 0, 0, 1, 0
        self.epoch += 1
        self.office.say(p.RETURN, self.number, self.total)

    def close(self) -> None:
        office = self.bind()
        if self.number < 0:
            return
        with office.lock:
            self.part(office)
            kept = self.kept()
            number, self.number = self.number, CLOSED_NUMBER
            self.stock.clear()
            office.ends.pop(number, None)
            office.active.discard(self)  # type: ignore[arg-type]
            waiting, self.waiting = self.waiting, []
        office.detach(number, self.slot, kept)
        office.flush()
        for question in waiting:
            question.answered([])

    def part(self, office: Office) -> None:
        """Something may have to be said before the end."""

    def clone(self) -> Any:
        office = self.bind()
        self.check()
        other = type(self).__new__(type(self))
        other.start(-self.number, office)  # type: ignore[attr-defined]
        return other

    def __del__(self) -> None:
        office = getattr(self, "office", None)
        if office is not None and self.number >= 0:
            office.detach(self.number, self.slot, self.kept())

    def __reduce__(self) -> Any:
        office = self.bind()
        self.check()
        details = office.guest.running.details
        office.travelling[0].append(self)
        return end_of_guest, (self.direction, details["path"], details["incarnation"], self.number)

    def __repr__(self) -> str:
        return f"<{type(self).__mro__[1].__name__} {self.number}, seen from an actor>"


class GuestSend(GuestEnd, SendChannel[Any]):
    """Where items are put in; before its first use nobody knows in which kind of loop that is."""

    __slots__ = (
        "asked", "dirty", "epoch", "heavy", "items", "number", "office", "over", "quiet", "seen", "since", "size",
        "slot", "stock", "ticket", "total", "unsaid", "waiting", "weight",
    )  # fmt: skip

    direction = SEND

    def __init__(self, ticket: Any, office: Office | None = None) -> None:
        self.start(ticket, office)

    def start(self, ticket: Any, office: Office | None) -> None:
        self.stock: list[None] = []
        self.items: deque[Any] = deque()
        self.dirty = False
        self.heavy = 0  # bytes put in with what was granted last
        self.weight = 0  # bytes collected
        self.begin(ticket, office)

    def send(self, item: Any) -> Any:
        self.bind()
        return self.send(item)  # as what it has become

    def send_nowait(self, item: Any) -> None:
        self.bind()
        self.send_nowait(item)

    @whole
    def offer(self, item: Any) -> bool:
        """Put an item in, if that was granted."""
        try:
            self.stock.pop()
        except IndexError:
            return False
        self.items.append(item)
        if not self.dirty:
            self.dirty = True
            self.office.mark(self)  # type: ignore[union-attr, arg-type]
        return True

    def fit(self, item: Any) -> Any:
        """An item that is fit to travel; raises Unsendable."""
        self.check()
        office = self.bind()
        values = office.guest.values
        size = len(item) if isinstance(item, str | bytes) else 0
        if type(item) not in PLAIN_TYPES or not values.trusted or size > LARGE:
            try:
                item = values.item(item)
            except office.unfit as error:
                raise errors.Unsendable(f"what is sent {error}", errors.NEVER_SENT) from error.__cause__
            size = max(size, len(getattr(item, "data", b"")))
        self.weight += size
        return item

    def come(self, what: int) -> None:
        self.stock.extend(repeat(None, what))
        self.total += what
        self.asked = max(0, self.asked - what)
        self.heavy = 0

    def finish(self) -> None:
        self.stock.clear()

    def want(self, now: bool = False) -> None:
        assert self.office is not None
        unsaid, self.unsaid = self.unsaid, 0
        self.office.say(p.WANT, self.number, unsaid, 0, int(now))

    def pack(self) -> Any:
        """What is collected, as a message; the office's lock is held."""
        office: Any = self.office
        self.dirty = False
        items = [self.items.popleft() for _ in range(len(self.items))]
        self.heavy, self.weight = self.heavy + self.weight, 0
        if self.heavy > ROOM and self.number >= 0:
            self.give_back()
            self.heavy = 0
        elif not self.asked and self.size > 1 and len(self.stock) * 2 <= self.size:
            self.grow()
        unsaid, self.unsaid = self.unsaid, 0
        values = office.guest.values
        try:
            return values.encode((p.PUT, self.number, items, unsaid))
        except (TypeError, ValueError, OverflowError):
            # One is wider than msgpack's integers, or not UTF-8: pickle carries it.
            fit = [values.item(item) if type(item) in PLAIN_TYPES else item for item in items]
            return values.encode((p.PUT, self.number, fit, unsaid))

    def tidy(self) -> bool:
        """Give back what was granted and is not used; False if nothing is left to be looked after."""
        if not self.stock and not self.asked:
            return False
        if not self.used():
            self.give_back()
        return True

    def part(self, office: Office) -> None:
        if self.dirty:
            office.dirty.remove(self)  # type: ignore[arg-type]
            office.out.append(self.pack())


class BlockingSend(GuestSend):
    """In methods that are not `async`."""

    __slots__ = ()

    @whole
    def send(self, item: Any) -> None:
        if item.__class__ not in SHORT:
            item = self.fit(item)
        while not self.offer(item):
            self.refused()
            self.wait()
        self.leave_soon()

    @whole
    def send_nowait(self, item: Any) -> None:
        if item.__class__ not in SHORT:
            item = self.fit(item)
        if not self.offer(item):
            self.refused()
            self.look()
            if not self.offer(item):
                self.refused()
                raise Full("the channel has no room for another item")
        self.leave_soon()

    @whole
    def leave_soon(self) -> None:
        """Let it leave at once, unless others left just now."""
        office: Any = self.office
        if perf_counter() - office.flushed > HELD or len(self.items) >= BATCH or self.weight > LARGE:
            office.flush()


class GuestReceive(GuestEnd, ReceiveChannel[Any]):
    """Where items are taken out; before its first use nobody knows in which kind of loop that is."""

    __slots__ = (
        "acked", "asked", "epoch", "mark", "number", "office", "over", "quiet", "seen", "since", "size", "slot", "stock",
        "ticket", "total", "unsaid", "waiting",
    )  # fmt: skip

    direction = RECEIVE

    def __init__(self, ticket: Any, office: Office | None = None) -> None:
        self.start(ticket, office)

    def start(self, ticket: Any, office: Office | None) -> None:
        self.stock: deque[Any] = deque()
        self.acked = 0  # taken, as the host was told
        self.mark = -1  # so many in stock, and more are asked for
        self.begin(ticket, office)

    def receive(self) -> Any:
        self.bind()
        return self.receive()  # as what it has become

    def receive_nowait(self) -> Any:
        self.bind()
        return self.receive_nowait()

    def __next__(self) -> Any:
        self.bind()
        return next(self)

    def __anext__(self) -> Any:
        self.bind()
        return self.__anext__()

    def come(self, what: list[Any]) -> None:
        self.stock.extend(what)
        self.total += len(what)
        self.asked = max(0, self.asked - len(what))
        self.mark = self.size // 2 if self.size > 1 else -1

    @whole
    def taken(self, item: Any) -> Any:
        """An item was taken: the page knows it, or the host is told."""
        office: Any = self.office
        left = len(self.stock)
        if self.slot >= 0:
            office.page[p.TAKEN + self.slot] = self.total - left
        else:
            self.want()
            office.flush()
        if left == self.mark:
            self.more()
        return item if item.__class__ in SHORT else self.load(item)

    def load(self, item: Any) -> Any:
        assert self.office is not None
        try:
            return self.office.guest.values.load(item)
        except Exception as error:
            text = f"an item of a channel cannot be unpickled here: {type(error).__name__}: {error}"
            raise errors.Unsendable(text, errors.BEGUN) from error

    def more(self) -> None:
        """Ask for more before all is used up."""
        assert self.office is not None
        with self.office.lock:
            if self.asked == 0 and self.over is None:
                self.grow()
                self.want()
        self.office.flush()

    def want(self, now: bool = False) -> None:
        assert self.office is not None
        unsaid, self.unsaid = self.unsaid, 0
        self.acked = self.kept()
        self.office.say(p.WANT, self.number, unsaid, self.acked, int(now))

    def tidy(self) -> bool:
        """Tell what was taken, give back what is not; False if nothing is left to be looked after."""
        if not self.stock and not self.asked and self.acked == self.total:
            return False
        if self.used():
            if self.acked != self.kept():
                self.want()
        elif self.stock or self.asked:
            self.give_back()
            self.acked = self.total
        else:
            self.want()
        return True


class BlockingReceive(GuestReceive):
    """In methods that are not `async`."""

    __slots__ = ()

    @whole
    def receive(self) -> Any:
        while True:
            try:
                item = self.stock.popleft()
            except IndexError:
                self.refused()
                self.wait()
            else:
                return self.taken(item)

    @whole
    def receive_nowait(self) -> Any:
        if not self.stock:
            self.refused()
            self.look()
        try:
            item = self.stock.popleft()
        except IndexError:
            self.refused()
            raise Empty("the channel is empty") from None
        return self.taken(item)

    @whole
    def __next__(self) -> Any:
        try:
            return self.receive()
        except ChannelEnded:
            raise StopIteration from None


class ThreadedReceive(BlockingReceive):
    """In methods that run in several threads."""

    __slots__ = ()

    @whole
    def taken(self, item: Any) -> Any:
        office: Any = self.office
        with office.lock:
            left = len(self.stock)
            if self.slot >= 0:
                office.page[p.TAKEN + self.slot] = self.total - left
            else:
                self.want()
        if self.slot < 0:
            office.flush()
        if left == self.mark:
            self.more()
        return item if item.__class__ in SHORT else self.load(item)


# -- how they come ---------------------------------------------------------------------------------------


def become(end: Any, office: Office) -> None:
    """Change an end into one for the loop that it is used in."""
    if office.loop is not None:
        from .guest_channel_async import AsyncReceive, AsyncSend

        end.__class__ = AsyncReceive if end.direction else AsyncSend
    elif end.direction:
        end.__class__ = ThreadedReceive if office.threads else BlockingReceive
    else:
        end.__class__ = BlockingSend


def kinds(direction: int) -> type[Any]:
    return GuestReceive if direction else GuestSend


def end_at(direction: int, ticket: int) -> Any:
    """The end of a channel that came along with a message, by its ticket."""
    guest = PROCESS.get("guest")
    if guest is None:
        from .channel_ends import found_end

        return found_end(direction, ticket)
    return kinds(direction)(ticket, guest.office)


def end_of_guest(direction: int, path: str, incarnation: int, number: int) -> Any:
    """The end that a guest holds, given to somebody else."""
    guest = PROCESS.get("guest")
    if guest is None:
        from .channel_lent import lent_end

        return lent_end(direction, path, incarnation, number)
    end: Any = guest.office.ends.get(number)
    if end is None:
        raise ClosedChannelError(CLOSED_HERE)
    return end.clone()


def end_in(data: bytes) -> Any:
    """The same, where only data travels: a direction and the number of a ticket."""
    return end_at(data[0], int.from_bytes(data[1:], "big"))


class EndMark(NamedTuple):
    """Stands for an end on its way to a guest of the same process."""

    direction: int
    number: int


def refuse_nowait(what: str) -> NoReturn:
    raise RuntimeError(IN_A_LOOP.format(what))
