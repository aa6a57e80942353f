"""What a guest has asked of its host and is not through with: calls, streams, errands, values that it has put."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import trio

from ..transports.guests.faults import describe
from .chain import claim, claim_loosely
from .errors import (
    UNKNOWN,
    ActorError,
    ActorStartError,
    CallError,
    TaskCancelledError,
    TaskError,
    UnderstudyError,
)
from .leaving import cancelled
from .put import PutValue
from .ref import ObjectRef
from .stream import Feed

if TYPE_CHECKING:
    from .call import Call
    from .held import Held
    from .questions import Questions


class Asked(Protocol):
    """One thing that was asked; `parent` is the id of the call in whose method it was."""

    parent: int

    def as_ref(self) -> ObjectRef[Any]: ...
    def unanswered(self) -> int: ...
    def why(self) -> UnderstudyError: ...
    def drop(self) -> None: ...


class Question:
    """One call made for a guest: its end is the answer."""

    __slots__ = ("answered", "awaited", "call", "held", "loose", "number", "parent", "questions", "ref")

    def __init__(self, questions: Questions, number: int, parent: int, call: Call, held: Held | None) -> None:
        self.questions = questions
        self.number = number
        self.parent = parent
        self.call = call
        self.held = held
        self.awaited = False
        self.loose = False
        self.answered = 0  # how many answers the guest had been sent with this one
        self.ref: ObjectRef[Any] | None = None

    def settled(self, call: Call) -> None:
        if self.held is not None:
            self.held.let_go()
        self.questions.settled(self)

    def claim(self, loosely: bool) -> None:
        """The call that runs here waits for it, `loosely` if it can go on without; raises DeadlockError."""
        if self.ref is not None:
            self.ref.claim(loosely)
        elif loosely:
            self.loose = claim_loosely(self.call)
        else:
            self.loose = False
            claim(self.call)

    def as_ref(self) -> ObjectRef[Any]:
        """For the arguments of other calls."""
        if self.ref is None:
            self.ref = ObjectRef(self.call, self.call.mailbox.house)
            self.ref.watcher.loose = self.loose
            self.ref.seen = True  # its failure is told to the guest
            if not self.call.ended:
                self.ref.watcher.listen(partial(self.settled, self.call))
        return self.ref

    def unanswered(self) -> int:
        return 0 if self.answered else self.number

    def why(self) -> UnderstudyError:
        return cancelled(self.call)

    def drop(self) -> None:
        """Nobody waits for it any more."""
        call = self.call
        if self.ref is None:
            call.ref = None
        if self.held is not None:
            self.held.let_go()
        if not call.ended:
            call.mailbox.withdraw(call, cancelled(call))


class AskedStream:
    """The host's end of a stream that a guest reads: items are sent as it asks for them."""

    __slots__ = ("feed", "held", "number", "parent", "pending", "questions")

    def __init__(
        self, questions: Questions, number: int, parent: int, call: Call, ahead: int, held: Held | None
    ) -> None:
        self.feed = Feed(call, ahead)
        self.questions = questions
        self.number = number
        self.parent = parent
        self.held = held
        self.pending = 0  # the question whose answer brings the next items; the first is its own
        self.expect(number)

    @property
    def call(self) -> Call:
        return self.feed.call

    def expect(self, number: int) -> None:
        """The guest waits for items."""
        self.pending = number
        self.feed.task = self.tell
        self.feed.timer = self.feed.arm()

    def go_on(self, number: int, taken: int) -> None:
        """The guest wants more, and has taken so many."""
        if taken:
            self.feed.grant(taken)
        self.expect(number)
        if self.feed.items or self.call.ended:
            self.feed.wake()

    def tell(self) -> None:
        """Something has come, an item or the end."""
        number = self.pending
        self.rest()
        if self.held is not None and self.call.ended:
            self.held.let_go()
        self.questions.give(self, number)

    def rest(self) -> None:
        """Nobody waits for items."""
        self.pending, self.feed.task = 0, None
        if self.feed.timer is not None:
            self.feed.timer.cancel()

    def as_ref(self) -> ObjectRef[Any]:
        raise TypeError("a stream is no argument of a call")

    def unanswered(self) -> int:
        return self.pending

    def why(self) -> UnderstudyError:
        return cancelled(self.call)

    def drop(self) -> None:
        self.rest()
        if self.held is not None:
            self.held.let_go()
        self.feed.close("was closed")


class Errand:
    """Something that is done for a guest and takes its time, in a task of the runtime's."""

    __slots__ = ("number", "parent", "questions", "scope")

    def __init__(self, questions: Questions, number: int, parent: int) -> None:
        self.questions = questions
        self.number = number
        self.parent = parent
        self.scope = trio.CancelScope()

    async def run(self, function: Callable[[], Awaitable[Any]]) -> None:
        with self.scope:
            try:
                value = await function()
            except Exception as error:
                self.questions.done(self, error=error)
            else:
                if not self.questions.done(self, value):
                    self.lost(value)

    def lost(self, value: Any) -> None:
        """Who asked does not get what was done for it."""

    def as_ref(self) -> ObjectRef[Any]:
        raise TypeError("this is no argument of a call")

    def unanswered(self) -> int:
        return self.number

    def why(self) -> UnderstudyError:
        return TaskCancelledError("it was called off with the call that asked for it", UNKNOWN)

    def drop(self) -> None:
        self.scope.cancel()


class Kept:
    """A value that a guest has put."""

    __slots__ = ("parent", "ref")

    def __init__(self, questions: Questions, parent: int, value: Any) -> None:
        house = questions.incarnation.life.house
        record: Any = PutValue(house.stage.next_id(), value)
        self.parent = parent
        self.ref: ObjectRef[Any] = ObjectRef(record, house)

    def as_ref(self) -> ObjectRef[Any]:
        return self.ref

    def unanswered(self) -> int:
        return 0

    def why(self) -> UnderstudyError:
        return TaskCancelledError("the value is forgotten", UNKNOWN)

    def drop(self) -> None:
        """The calls that were given it keep it."""


def fault_of(error: BaseException, pickled: Callable[[BaseException], Any]) -> list[Any]:
    """An error as data, with what is needed to make the same of it in the guest."""
    cause = error.cause if isinstance(error, TaskError) and error.cause is not None else error
    fault = describe(cause, pickled)
    if not isinstance(error, UnderstudyError):
        return [*fault, "", "", "", 0, "", []]
    if isinstance(error, TaskError):
        kind = "TaskError"
        fault[3] = error.remote_traceback or fault[3]
    else:
        kind = type(error).__name__
    about = [error.fate, error.call_id, error.method] if isinstance(error, CallError) else ["", 0, ""]
    return [*fault, kind, str(error), *about, reason_of(error)]


def reason_of(error: UnderstudyError) -> list[str]:
    """Why an actor died, or did not start."""
    if isinstance(error, ActorStartError):
        return [error.reason.kind, error.reason.text, error.actor, error.reason.stderr]
    return [error.reason.kind, error.reason.text] if isinstance(error, ActorError) else []
