"""What a guest's methods have asked of their host, as refs: calls of other actors, and values that were put."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn

from ..transports.guests.asking import ELSEWHERE, Asking, Question
from ..transports.guests.context import carried_here, onward
from ..transports.guests.protocol import REFUSAL
from ..transports.guests.values import Unfit
from . import errors
from .guest_faults import cancelled_by_us, error_of

if TYPE_CHECKING:
    from typing import Self

Packed = Any
Refs = list[list[Any]]  # where among the arguments the value of which question belongs


class GuestRef:
    """The result of a call that a guest has made; it belongs to the call in whose method it was made."""

    __slots__ = ("alone", "asker", "awaited", "call_id", "name", "question")

    def __init__(self, question: Question, name: str, awaited: bool) -> None:
        here = onward()
        self.question = question
        self.name = name
        self.awaited = awaited  # the host knows that somebody waits
        self.alone = awaited  # only who made the call waits for it: without them, nobody does
        self.asker = here.asker
        self.call_id = call_here()

    @property
    def done(self) -> bool:
        """Has the call ended?"""
        return self.question.answer is not None

    @property
    def as_argument(self) -> Any:
        """The ref itself, but typed as its value."""
        return self

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.outcome().__await__()

    async def outcome(self) -> Any:
        self.claim()
        try:
            await self.asker.wait_async(self.question)
        except BaseException:
            if self.alone:
                self.cancel()
            raise
        return self.value()

    async def wait_done(self) -> None:
        """Wait until the call has ended, whatever its outcome; if cancelled, the call goes on.

        One that waits in turn for the call that waits here ends with a DeadlockError.
        """
        self.claim()
        await self.asker.wait_async(self.question)

    def wait(self) -> Any:
        """Wait in a method that is not `async`; raises what the call raised."""
        self.claim()
        try:
            self.asker.wait(self.question)
        except BaseException:
            if self.alone:
                self.cancel()
            raise
        return self.value()

    def claim(self, loosely: bool = False) -> None:
        """Tell the host that somebody waits: that may close a circle of calls that wait for each other.

        It closes none if they wait `loosely`: among others, or for a time.
        """
        if not self.awaited and not self.done:
            self.awaited = not loosely
            self.asker.asking.tell(0, self.call_id, ["wait", self.question.number, loosely])

    def cancel(self) -> bool:
        """Cancel the call; False if it had ended."""
        if self.done:
            return False
        self.asker.asking.forget(self.question, self.call_id)
        self.question.answered([REFUSAL, self.question.number, cancelled_by_us(self.name)])
        return True

    def value(self) -> Any:
        answer = self.question.answer
        assert answer is not None
        if answer[0] == REFUSAL:
            raise error_of(answer[2])
        return load(answer[2])

    def as_given(self) -> tuple[int, Any]:
        """As an argument of another call: the number of its question, or 0 and its value."""
        if not self.done:
            return self.question.number, None
        try:
            return 0, self.value()
        except BaseException as error:
            text = f"an argument, {self!r}, failed with {type(error).__name__}: {error}"
            raise errors.DependencyError(text, errors.NEVER_SENT) from error

    def __repr__(self) -> str:
        return f"<ref of {self.name}(), {'ended' if self.done else 'under way'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(CANNOT_TRAVEL)


CANNOT_TRAVEL = (
    "an ObjectRef cannot travel; get its value and send that, or make it an argument of its own of a call"
)


class GuestValue(GuestRef):
    """A value that was put: it is sent once for each call that gives it to others, and whatever they are."""

    __slots__ = ("number", "packed", "sent_by", "what")

    def __init__(self, value: Any) -> None:
        self.number = 0
        self.sent_by = -1
        super().__init__(Question(0), "put", True)
        self.what = value
        self.packed = packed(value)
        self.question.answered([])

    def value(self) -> Any:
        return self.what

    def as_given(self) -> tuple[int, Any]:
        if self.sent_by != call_here():
            self.sent_by = call_here()
            self.number = asking().keep(call_here(), ["put", self.packed])
        return self.number, None

    def __del__(self) -> None:
        if getattr(self, "number", 0):
            self.asker.asking.dropped.append(self.number)

    def __repr__(self) -> str:
        return f"<ref of a {type(self.what).__name__}>"


# -- how a question is asked -------------------------------------------------------------------------


def asking() -> Asking:
    """What asks the host, for the method that runs here.

    Raises:
        NoRuntimeError: outside a method, or in a thread that it has started.
    """
    asker = onward().asker
    if asker is None or asker.thread != get_ident():
        raise errors.NoRuntimeError(ELSEWHERE)
    found: Asking = asker.asking
    return found


def ask(*request: Any) -> Question:
    return asking().ask(call_here(), list(request))


def call_here() -> int:
    """The id of the call that runs here; 0 if none does."""
    here = onward()
    return here.call[0] if here.call is not None else 0


def packed(value: Any) -> Packed:
    """A value as part of a request; raises Unsendable if it cannot travel."""
    try:
        return asking().guest.values.item(value)
    except Unfit as error:
        raise errors.Unsendable(
            f"what is sent from here cannot travel: {error}", errors.NEVER_SENT
        ) from error.__cause__


def load(value: Any) -> Any:
    """What has come with an answer."""
    return asking().guest.values.load(value)


def parcel(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[Packed, Refs]:
    """What is sent of a call, and which refs are among its arguments; raises DependencyError if one of them failed."""
    places: list[Any] = list(args)
    names = dict(kwargs)
    refs: Refs = []
    given: list[tuple[Any, Any]] = [*enumerate(args), *kwargs.items()]
    for at, ref in given:
        if isinstance(ref, GuestRef):
            number, value = ref.as_given()
            if number:
                refs.append([at, number])
            if isinstance(at, int):
                places[at] = value
            else:
                names[at] = value
    return packed((tuple(places), names, carried_here(), dict(changes))), refs


class Cancelling:
    """What is left in a `with` block, of either kind, is closed."""

    __slots__ = ()

    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    async def aclose(self) -> None:
        """Close it: nothing follows.  Idempotent."""
        self.close()
