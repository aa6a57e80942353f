"""What a guest's methods ask of their host: calls to other actors, and what became of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from ..transports.codec import Unencodable
from ..transports.guests import protocol as p
from ..transports.guests.context import NOTHING, Running, casts_are_elaborate, role, set_carried
from ..transports.guests.faults import describe
from ..transports.session import ProtocolError
from .chain import claim
from .errors import ActorError, CallError, DeadlockError, TaskError, UnderstudyError
from .events import FailureUnseen
from .handle import of_class_named
from .leaving import cancelled
from .streaming import StreamMethod

if TYPE_CHECKING:
    from .call import Call
    from .guest import GuestIncarnation
    from .method import ActorMethod

log = logging.getLogger("understudy.actors.questions")


T = TypeVar("T")


class Question:
    """One call made for a guest: its end is the answer."""

    __slots__ = ("call", "number", "parent", "questions")

    def __init__(self, questions: Questions, number: int, parent: int, call: Call) -> None:
        self.questions = questions
        self.number = number
        self.parent = parent
        self.call = call

    def settled(self, call: Call) -> None:
        self.questions.settled(self)


class Questions:
    """The open questions of one incarnation, by number; those of a call end with it."""

    __slots__ = ("incarnation", "open")

    def __init__(self, incarnation: GuestIncarnation) -> None:
        self.incarnation = incarnation
        self.open: dict[int, Question] = {}

    def waits(self, call_id: int) -> bool:
        """Has this call asked something?"""
        return any(question.parent == call_id for question in self.open.values())

    def hear(self, number: int, parent: Call | None, request: list[Any]) -> None:
        """Do what is asked; what cannot be done is refused."""
        if not self.incarnation.trusted:
            raise ProtocolError("an actor with trusted=False may not call others")
        try:
            REQUESTS[request[0]](self, number, parent, *request[1:])
        except Exception as error:
            self.refuse(number, error)

    def on_call(
        self, number: int, parent: Call | None, target: list[str], name: str, packed: Any, awaited: bool
    ) -> None:
        method, args, kwargs, carried = self.method(target, name, packed)
        call = self.within(parent, lambda: method.mailbox.make(p.CALL, method, args, kwargs), carried)
        question = self.open[number] = Question(self, number, parent.id if parent is not None else 0, call)
        call.ref = question
        accept = method.mailbox.admit if awaited else method.mailbox.put
        try:
            self.within(parent, lambda: accept(call))
        except BaseException:
            self.open.pop(number, None)
            raise

    def on_wait(self, number: int, parent: Call | None, asked: int) -> None:
        """Somebody waits now for what was asked before."""
        question = self.open.get(asked)
        if question is None:
            return
        try:
            self.within(parent, lambda: claim(question.call))
        except DeadlockError as error:
            del self.open[asked]
            self.drop(question)
            self.refuse(asked, error)

    def on_cast(self, number: int, parent: Call | None, target: list[str], name: str, packed: Any) -> None:
        try:
            method, args, kwargs, carried = self.method(target, name, packed)
            self.within(parent, lambda: method.cast(*args, **kwargs), carried)
        except Exception as error:  # nobody waits to be told
            log.warning("%s() to %s, cast from another actor, failed: %r", name, target[0], error)
            self.incarnation.life.emit(FailureUnseen, 0, name, error, parent.id if parent is not None else 0)

    def on_cancel(self, number: int, parent: Call | None, asked: int) -> None:
        question = self.open.pop(asked, None)
        if question is not None:
            self.drop(question)

    def method(
        self, target: list[str], name: str, packed: Any
    ) -> tuple[ActorMethod[Any], tuple[Any, ...], Mapping[str, Any], Mapping[str, Any]]:
        """The method of the actor at a path, the arguments for it, checked, and what is carried along."""
        incarnation = self.incarnation
        args, kwargs, carried = incarnation.value(packed)
        if packed.__class__ is tuple:  # as it is, from this process, with handles as they are seen there
            args = [incarnation.value(value) for value in args]
            kwargs = {name: incarnation.value(value) for name, value in kwargs.items()}
        path, namespace, wanted = target
        handle = of_class_named(incarnation.life.house.find(path, namespace), wanted)
        method = getattr(handle, name)
        if isinstance(method, StreamMethod):
            raise TypeError(f"{name}() gives a stream; a guest can call methods that give one value")
        method.check(*args, **kwargs)
        return method, tuple(args), kwargs, carried

    def within(
        self, parent: Call | None, function: Callable[[], T], carried: Mapping[str, Any] = NOTHING
    ) -> T:
        """Do something as if within the method of the call that asks."""
        casts_are_elaborate()
        here = Running()
        here.actor = self.incarnation.life
        here.call = (parent.id, parent.method.name, parent) if parent is not None else None
        context = copy_context()
        context.run(role.set, here)
        context.run(set_carried, carried)
        return context.run(function)

    # -- the end of a question ------------------------------------------------------------------

    def settled(self, question: Question) -> None:
        if self.open.pop(question.number, None) is None:
            return
        call = question.call
        if call.error is None:
            self.answer(question.number, call.value)
        else:
            self.refuse(question.number, call.error)

    def answer(self, number: int, value: Any) -> None:
        incarnation = self.incarnation
        try:
            packed, code = incarnation.codec.packed(value)
        except Unencodable as error:
            self.refuse(number, error)
        else:
            incarnation.send_code(code)
            incarnation.say(p.ANSWER, number, packed)

    def refuse(self, number: int, error: BaseException) -> None:
        incarnation = self.incarnation
        incarnation.say(p.REFUSAL, number, fault_of(error, incarnation.codec.packed_error))

    def drop(self, question: Question) -> None:
        """Nobody waits for it any more."""
        call = question.call
        call.ref = None
        if not call.ended:
            call.mailbox.withdraw(call, cancelled(call))

    def call_ended(self, call_id: int) -> None:
        """What a call has asked ends with it."""
        for question in [one for one in self.open.values() if one.parent == call_id]:
            del self.open[question.number]
            self.drop(question)
            self.refuse(question.number, cancelled(question.call))  # so that it is open nowhere

    def close(self) -> None:
        for question in list(self.open.values()):
            self.drop(question)
        self.open.clear()


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
    reason = [error.reason.kind, error.reason.text] if isinstance(error, ActorError) else []
    return [*fault, kind, str(error), *about, reason]


REQUESTS: dict[str, Callable[..., None]] = {
    "wait": Questions.on_wait,
    "call": Questions.on_call,
    "cast": Questions.on_cast,
    "cancel": Questions.on_cancel,
}
