"""What both ends of a channel have in common in a guest: their stock, and how more of it is asked for.

The stock of a receiving end is items, that of a sending end is room: credit, one for each item.  Both come in batches,
as many as are used up quickly, and what is not used goes back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ..transports.guests import protocol as p
from ..transports.guests.asking import Question
from ..transports.guests.channels import QUIET
from ..transports.guests.context import PROCESS, present
from ..transports.guests.interrupts import whole
from . import errors
from .channel_errors import CLOSED_HERE, UNSENDABLE, ClosedChannelError, error_for
from .guest_handle import finder

if TYPE_CHECKING:
    from typing import Self

    from ..transports.guests.channels import Office

MOST = 512  # items that are wanted, or for which room is asked, at once
QUICK = 2e-3  # seconds in which all that was asked for last was used: then twice as many are asked for
GO = 63  # a power of two less one: items in one go, after which other tasks get their turn
SHORT = frozenset({int, float, bool, type(None)})
SEND, RECEIVE = 0, 1
NO_SLOT = CLOSED_NUMBER = -1

# In the process of a channel: what an end is that comes back, by its ticket, or from the guest that holds it.
HOME: dict[str, Callable[..., Any]] = {}

IN_A_LOOP = (
    "{0}_nowait() of a channel would hold up the event loop of this actor while it asks its host: await {0}() instead, in "
    "move_on_after() or timeout() if it is not to wait for long"
)

FROM_ABOVE = (
    "the end of a channel cannot go on from an actor to the actors of a runtime which that has opened: open a channel there,"
    " and pass the items on"
)
OTHER_THREAD = (
    "an end of a channel can wait only in a thread that runs the methods of its actor: what a thread that a method has started"
    " is to send or receive goes by way of the method"
)


class GuestEnd:
    """What both ends have in common: their stock (credit, or items) and how more of it is asked for."""

    __slots__ = (
        "__weakref__", "asked", "epoch", "number", "office", "over", "quiet", "seen", "since", "size", "slot", "stock", "total", "unsaid",
        "waiting",
    )  # fmt: skip

    direction: ClassVar[int]

    def __init__(self, ticket: int, office: Office) -> None:
        self.office = office
        self.stock: Any = self.empty()
        self.asked = 0  # that were asked for and have not come
        self.unsaid = 0  # of these, what the host has not been told
        self.size = 1  # how many are asked for at once
        self.since = 0.0  # when they last were
        self.total: int = 0  # that have come in all
        self.epoch: int = 0
        self.over: tuple[str, str] | None = None  # nothing more comes, and why
        self.waiting: list[Question] = []
        self.quiet = 0  # ticks since it was last used
        self.seen = 0  # how much had been used then
        self.number = next(office.numbers)
        self.slot = office.slot() if self.direction == RECEIVE else NO_SLOT
        office.ends[self.number] = self
        office.say(p.ATTACH, self.number, ticket, self.slot)

    def empty(self) -> Any:
        """What the stock is kept in."""
        raise NotImplementedError

    def pack(self) -> Any:
        raise NotImplementedError

    def tidy(self) -> bool:
        raise NotImplementedError

    def check(self) -> None:
        if self.number < 0:
            raise ClosedChannelError(CLOSED_HERE)

    # -- what the host says ---------------------------------------------------------------------

    @whole
    def hear(self, message: list[Any]) -> None:
        office = self.office
        with office.lock:
            if message[0] == p.FINISH:
                self.over = (message[2], message[3])
                self.asked = self.unsaid = 0
                self.finish()
            elif message[2] == self.epoch:
                self.come(message[3])
                office.active.add(self)
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
        office = self.office
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
        office = self.office
        question = Question(0)
        with office.lock:
            self.waiting.append(question)
            self.want(now=True)
        office.flush()
        self.wait_for(question)

    def wait_for(self, question: Question) -> None:
        try:
            asker_here().wait(question)
        except BaseException:
            self.give_up(question)
            raise

    def give_up(self, question: Question) -> None:
        """The wait was cut short: what comes now is for others."""
        with self.office.lock:
            if question in self.waiting:
                self.waiting.remove(question)
            self.rest()

    async def wait_async(self) -> None:
        question = self.ask()
        if question is not None:
            try:
                await asker_here().wait_async(question)
            except BaseException:
                self.give_up(question)
                raise

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
        office = self.office
        if self.number < 0:
            return
        with office.lock:
            self.part(office)
            kept = self.kept()
            number, self.number = self.number, CLOSED_NUMBER
            self.stock.clear()
            office.ends.pop(number, None)
            office.active.discard(self)
            waiting, self.waiting = self.waiting, []
        office.detach(number, self.slot, kept)
        office.flush()
        for question in waiting:
            question.answered([])

    def part(self, office: Office) -> None:
        """Something may have to be said before the end."""

    def clone(self) -> Self:
        self.check()
        return type(self)(-self.number, self.office)

    def __del__(self) -> None:
        if getattr(self, "number", CLOSED_NUMBER) >= 0:
            self.office.detach(self.number, self.slot, self.kept())

    def __reduce__(self) -> Any:
        self.check()
        office = self.office
        office.travelling[0].append(self)
        details = office.guest.running.details
        return end_of_guest, (
            self.direction, details["path"], details["incarnation"], self.number, os.getpid()
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<{'Receive' if self.direction else 'Send'}Channel {self.number}, seen from an actor>"


def end_of_guest(direction: int, path: str, incarnation: int, number: int, process: int) -> Any:
    """The end that a guest holds, given to somebody else."""
    guest = PROCESS.get("guest")
    if guest is None or finder.get() is not None:  # read by a host, be it one within a guest
        return HOME["lent"](direction, path, incarnation, number)
    own = guest.running.details
    if (path, incarnation, process) != (own["path"], own["incarnation"], os.getpid()):
        raise errors.Unsendable(FROM_ABOVE)
    end: Any = guest.office.ends.get(number)
    if end is None:
        raise ClosedChannelError(CLOSED_HERE)
    return end.clone()


def refuse_nowait(what: str) -> NoReturn:
    raise RuntimeError(IN_A_LOOP.format(what))


def asker_here() -> Any:
    """How it is waited here; raises RuntimeError in a thread of which nothing is known."""
    asker = present().asker
    if asker is None:
        raise RuntimeError(OTHER_THREAD)
    return asker
