"""`.map` and `.starmap` in a guest's methods: many calls of one method of another actor, so many at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from ..transports.guests.asking import Question
from ..transports.guests.context import onward
from .checks import Checks, check_fields, is_positive, one_of
from .guest_ref import Cancelling, GuestRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..transports.guests.asking import Asker


class Flaw:
    """Stands in for a call that could not be made."""

    __slots__ = ("error", "fatal")

    done = True

    def __init__(self, error: Exception, fatal: bool) -> None:
        self.error = error
        self.fatal = fatal  # no items will follow

    def value(self) -> Any:
        raise self.error

    def cancel(self) -> None:
        """There is nothing to cancel."""


class GuestMap(Cancelling):
    """The results of one method called with each of many items, as `MapStream`; `async for` or `for`, once."""

    __slots__ = ("asker", "ended", "errors", "items", "make", "ordered", "tick", "under_way", "window")

    def __init__(
        self,
        make: Callable[[Any], GuestRef],
        items: Iterable[Any],
        window: int,
        ordered: bool,
        errors: Literal["raise", "return"],
    ) -> None:
        self.make = make
        self.items: Iterator[Any] | None = iter(items)
        self.window = window
        self.ordered = ordered
        self.errors = errors
        check_fields(self, CHECKS)
        self.asker: Asker = onward().asker
        self.under_way: dict[GuestRef | Flaw, None] = {}  # or not yet taken, in the order of their items
        self.ended: deque[GuestRef | Flaw] = deque()  # of these, without order, those that can be taken
        self.tick = Question(0)  # answered when one more can be taken

    def __iter__(self) -> GuestMap:
        return self

    def __aiter__(self) -> GuestMap:
        return self

    def __next__(self) -> Any:
        while True:
            tick = self.tick  # before we look: another thread may hear the answers
            if (ref := self.next_ended()) is not None:
                return self.take(ref)
            self.asker.wait(self.awaited(tick, StopIteration()))

    async def __anext__(self) -> Any:
        while True:
            tick = self.tick
            if (ref := self.next_ended()) is not None:
                return self.take(ref)
            await self.asker.wait_async(self.awaited(tick, StopAsyncIteration()))

    # -- what is under way ----------------------------------------------------------------------

    def fill(self) -> None:
        """Make calls until the window is full or no items are left."""
        while self.items is not None and len(self.under_way) < self.window:
            try:
                item = next(self.items)
            except StopIteration:
                self.items = None
            except Exception as error:
                self.items = None
                self.hold(Flaw(error, fatal=True))
            else:
                self.send(item)

    def send(self, item: Any) -> None:
        try:
            ref = self.make(item)
        except Exception as error:
            self.hold(Flaw(error, fatal=False))
            return
        ref.alone = False  # who is cancelled while it waits may come back
        if not self.ordered:
            ref.question.on_answer.append(lambda: self.note(ref))
        self.hold(ref)

    def hold(self, ref: GuestRef | Flaw) -> None:
        self.under_way[ref] = None
        if ref.done and not self.ordered:
            self.note(ref)

    def note(self, ref: GuestRef | Flaw) -> None:
        """It can be taken, if it comes to its turn."""
        self.ended.append(ref)
        tick, self.tick = self.tick, Question(0)
        tick.answered([])

    def next_ended(self) -> GuestRef | Flaw | None:
        """The next result that can be taken."""
        self.fill()
        if self.ordered:
            first = next(iter(self.under_way), None)
            return first if first is not None and first.done else None
        while self.ended:
            ref = self.ended.popleft()
            if ref in self.under_way:
                return ref
        return None

    def awaited(self, tick: Question, over: Exception) -> Question:
        """What is to be waited for; raises `over` if nothing will come."""
        if not self.under_way:
            raise over
        first = next(iter(self.under_way))
        return first.question if self.ordered and isinstance(first, GuestRef) else tick

    def take(self, ref: GuestRef | Flaw) -> Any:
        del self.under_way[ref]
        try:
            return ref.value()
        except Exception as error:
            if self.errors == "return" and not (isinstance(ref, Flaw) and ref.fatal):
                return error
            self.close()
            raise

    def close(self) -> None:
        """Cancel what is under way; no result follows."""
        left, self.under_way, self.items = self.under_way, {}, None
        self.ended.clear()
        for ref in reversed(left):  # what waits is not to begin because what runs has ended
            ref.cancel()

    def __repr__(self) -> str:
        return f"<map, {len(self.under_way)} calls under way>"


CHECKS: Checks = {
    "window": (is_positive, "a count above 0"),
    "errors": (one_of("raise", "return"), "'raise' or 'return'"),
}
