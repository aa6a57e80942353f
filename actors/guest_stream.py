"""The items of another actor's generator, in a guest's methods: `async for` in async ones, plain `for` in the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..transports.guests.context import onward
from ..transports.guests.protocol import REFUSAL
from .guest_faults import error_of
from .guest_ref import Cancelling, ask, asking, call_here, load, parcel
from .method import checked
from .signature import compiled

if TYPE_CHECKING:
    from ..transports.guests.asking import Asker, Question


class GuestStream(Cancelling):
    """Items of a method that is a generator, to be iterated over once, in either way.

    They come in batches, and the next is asked for before this one is used up.  The generator runs at most `ahead`
    items ahead; it is closed when the block is left, and with the call in whose method the stream was made.
    """

    __slots__ = (
        "__weakref__",
        "asker",
        "begin",
        "ended",
        "error",
        "items",
        "last",
        "name",
        "next",
        "number",
        "taken",
    )

    def __init__(self, name: str, begin: Callable[[], Question]) -> None:
        self.name = name
        self.begin: Callable[[], Question] | None = begin
        self.asker: Asker = onward().asker
        self.items: deque[Any] = deque()
        self.number = 0  # of the question that began it
        self.next: Question | None = None  # the batch that is on its way
        self.last = 0  # items of the latest batch
        self.taken = 0  # items taken since the host was last told
        self.ended = False
        self.error: BaseException | None = None

    def __iter__(self) -> GuestStream:
        return self

    def __aiter__(self) -> GuestStream:
        return self

    def __next__(self) -> Any:
        while not self.items:
            question = self.wanted()
            if question is None:
                raise self.end(StopIteration())
            self.asker.wait(question)
            self.take_in(question)
        return self.take()

    async def __anext__(self) -> Any:
        while not self.items:
            question = self.wanted()
            if question is None:
                raise self.end(StopAsyncIteration())
            await self.asker.wait_async(question)
            self.take_in(question)
        return self.take()

    def wanted(self) -> Question | None:
        """The question whose answer brings the next items; None if none will come."""
        if self.begin is not None:
            begin, self.begin = self.begin, None
            self.next = begin()
            self.number = self.next.number
        elif self.next is None and not self.ended:
            taken, self.taken = self.taken, 0
            self.next = ask("next", self.number, taken)
        return self.next

    def take_in(self, question: Question) -> None:
        answer = question.answer
        assert answer is not None
        if question is not self.next:
            return  # it was closed meanwhile
        self.next = None
        if answer[0] == REFUSAL:
            self.ended, self.error = True, error_of(answer[2])
            return
        self.ended, items, fault = answer[2]
        self.items += items
        self.last = len(items)
        self.error = error_of(fault) if fault is not None else None

    def take(self) -> Any:
        item = self.items.popleft()
        self.taken += 1
        if len(self.items) * 2 <= self.last and self.next is None and not self.ended:
            self.wanted()
        return load(item)

    def end(self, over: Exception) -> BaseException:
        """What ended it, told once."""
        error, self.error = self.error, None
        return over if error is None else error

    def close(self) -> None:
        """Close it: no item follows, and the generator is closed."""
        self.items.clear()
        self.begin, self.error = None, None
        if self.number and not self.ended:
            question, self.next = self.next, None
            self.asker.asking.cancel(self.number, question, call_here())
        self.ended = True

    def __del__(self) -> None:
        # Nothing is sent from here, which may be anywhere: the next that is asked takes it along.
        if getattr(self, "number", 0) and not self.ended:
            self.asker.asking.dropped.append(self.number)

    def __repr__(self) -> str:
        return f"<stream of {self.name}(), {'ended' if self.ended else 'open'}>"


class GuestStreamMethod:
    # A method of another actor that is a generator; its docstring is the user's own.
    __slots__ = ("__doc__", "__wrapped__", "changes", "check", "name", "target")

    def __init__(
        self, target: list[Any], name: str, function: Callable[..., Any], changes: Mapping[str, Any]
    ) -> None:
        self.target = target
        self.name = name
        self.changes = changes
        self.check = compiled(function, 1)
        self.__wrapped__ = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> GuestStream:
        self.check(*args, **kwargs)
        asking().check_trust("call", self.target[0])
        return GuestStream(
            self.name, lambda: ask("stream", self.target, self.name, *parcel(args, kwargs, self.changes))
        )

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{self.name}() gives a stream, and refs of its items cannot be had here: iterate over h.{self.name}(...)"
        )

    def options(self, **options: Any) -> GuestStreamMethod:
        return GuestStreamMethod(
            self.target, self.name, self.__wrapped__, {**self.changes, **checked(options)}
        )

    def __repr__(self) -> str:
        return f"<stream method {self.name} of {self.target[0]}, seen from another actor>"
