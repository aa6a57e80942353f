"""`MapStream`: many calls of one method, so many at a time, and their results as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import trio
from trio.lowlevel import Abort, current_task, enable_ki_protection, reschedule, wait_task_rescheduled

from . import held
from .call import Call
from .chain import claim
from .checks import Checks, check_fields, is_positive, one_of
from .leaving import cancelled
from .mappable import WINDOW
from .reading import Readable

if TYPE_CHECKING:
    from typing import Self

R_co = TypeVar("R_co", covariant=True)

GO = 64  # results taken in one go, after which the other tasks get their turn


class Flaw:
    """Stands in for a call that could not be made, and raises why at its place among the results."""

    __slots__ = ("error", "fatal")

    ended = True

    def __init__(self, error: Exception, fatal: bool) -> None:
        self.error = error
        self.fatal = fatal  # no items will follow


class MapStream(Readable[R_co]):
    """The results of one method called with each of `items`; iterate over it once.

    At most `window` calls are under way; items are taken as results are, so that there may be endlessly many.
    Results come in the order of the items, or with `ordered=False` as they end.  An error is raised at its
    position and cancels the rest; with `errors="return"` it is an item like any other.

    Example:
        async with counter.add.map(range(1000)) as sums:
            async for n in sums:
                ...

    Leaving the block or `aclose()` cancels what is under way.  If you are cancelled while you wait for a result, the
    stream stays open and none is lost.
    """

    __slots__ = ("calls", "ended", "errors", "items", "make", "ordered", "task", "turn", "window")

    def __init__(
        self,
        make: Callable[[Any], Call],
        items: Iterable[Any],
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise", "return"] = "raise",
    ) -> None:
        self.make = make
        self.items: Iterator[Any] | None = iter(items)
        self.window = window
        self.ordered = ordered
        self.errors = errors
        check_fields(self, CHECKS)
        self.calls: dict[Call | Flaw, None] = {}  # under way or not yet taken, in the order of their items
        self.ended: deque[Call | Flaw] = deque()  # of these, without order, those that can be taken
        self.task: trio.lowlevel.Task | None = None
        self.turn = 0

    # -- what is under way ----------------------------------------------------------------------

    def fill(self) -> None:
        """Make calls until the window is full or no items are left."""
        while self.items is not None and len(self.calls) < self.window:
            try:
                item = next(self.items)
            except StopIteration:
                self.items = None
            except Exception as error:
                self.items = None
                self.hold(Flaw(error, fatal=True))
            else:
                self.send(item)

    @enable_ki_protection
    def send(self, item: Any) -> None:
        try:
            call = self.make(item)
            call.ref = self
            held.hold(call)
            if call.parent:
                claim(call)
            call.mailbox.put(call)
        except Exception as error:
            self.hold(Flaw(error, fatal=False))
        else:
            self.hold(call)

    def hold(self, call: Call | Flaw) -> None:
        self.calls[call] = None
        if call.ended:
            self.note(call)

    def settled(self, call: Call) -> None:
        """A call has ended."""
        if call in self.calls:
            self.note(call)
            if self.next_ended() is not None:
                self.wake()

    def note(self, call: Call | Flaw) -> None:
        if not self.ordered:
            self.ended.append(call)

    def wake(self) -> None:
        if self.task is not None:
            task, self.task = self.task, None
            reschedule(task)

    def next_ended(self) -> Call | Flaw | None:
        """The next result that can be taken."""
        if not self.ordered:
            return self.ended[0] if self.ended else None
        first = next(iter(self.calls), None)
        return first if first is not None and first.ended else None

    # -- results --------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R_co:
        self.fill()
        self.turn += 1
        call = self.next_ended()
        if call is None or self.turn % GO == 0:
            call = await self.wait()
        value: R_co = self.take(call)
        return value

    async def wait(self) -> Call | Flaw:
        """Wait until a result can be taken; raises StopAsyncIteration when none will come."""
        if self.task is not None:
            raise trio.BusyResourceError("another task waits for the next result of this map")
        if self.calls and self.next_ended() is None:
            self.task = current_task()
            await wait_task_rescheduled(self.leave)
        else:
            await trio.lowlevel.checkpoint()
        call = self.next_ended()
        if call is None:
            raise StopAsyncIteration
        return call

    def leave(self, _: Any) -> Abort:
        self.task = None
        return Abort.SUCCEEDED

    def take(self, call: Call | Flaw) -> Any:
        del self.calls[call]
        if not self.ordered:
            self.ended.popleft()
        error = call.error
        if error is None:
            assert isinstance(call, Call)
            return call.value
        if self.errors == "return" and not (isinstance(call, Flaw) and call.fatal):
            return error
        self.close()
        try:
            raise error
        finally:
            del error, call, self  # the traceback holds this frame

    # -- the end --------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Cancel what is under way; no result follows.  Idempotent."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        left, self.calls, self.items = self.calls, {}, None
        self.ended.clear()
        self.wake()
        for call in reversed(left):  # what waits is not to begin because what runs has ended
            if not isinstance(call, Call):
                continue
            if call.error is not None:
                call.mailbox.house.unseen(call)
            call.mailbox.withdraw(call, cancelled(call))

    async def __aenter__(self) -> Self:
        self.fill()
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<MapStream, {len(self.calls)} calls under way>"


CHECKS: Checks = {
    "window": (is_positive, "a count above 0"),
    "errors": (one_of("raise", "return"), "'raise' or 'return'"),
}
