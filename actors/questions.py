"""What a guest's methods have asked of their host, and how it is answered."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..transports.codec import Unencodable
from ..transports.guests import protocol as p
from ..transports.guests.context import NOTHING, Running, casts_are_elaborate, role, set_carried
from ..transports.guests.values import fill
from ..transports.session import ProtocolError
from .asked import Asked, AskedStream, Errand, Question, fault_of
from .errors import BEGUN, TaskCancelledError, Unsendable
from .events import FailureUnseen, RequestRefused
from .handle import of_class_named
from .held import hold
from .requests import REQUESTS, id_of
from .scope import Scope, block

if TYPE_CHECKING:
    from .call import Call
    from .guest import GuestIncarnation

log = logging.getLogger("understudy.actors.questions")

T = TypeVar("T")

Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]
Method = Any  # an ActorMethod or a StreamMethod

PATIENCE = 100  # refusals; an untrusted guest that goes on asking after that is ended


class Questions:
    """The open questions of one incarnation, by number; those of a call end with it."""

    __slots__ = ("answered", "failed", "incarnation", "open", "refused", "scope", "told")

    def __init__(self, incarnation: GuestIncarnation) -> None:
        self.incarnation = incarnation
        self.open: dict[int, Asked] = {}
        self.told = 0  # answers sent
        # Refs among those that have their answers, which the guest may not have read yet: until it has, it names them.
        self.answered: deque[Question] = deque()
        self.scope: Scope | None = None  # the actors that were started from there
        self.failed: dict[int, Exception] = {}  # starts that could not be, for who calls what was not started
        self.refused = 0

    def waits(self, call_id: int) -> bool:
        """Has this call asked something?"""
        return any(question.parent == call_id for question in self.open.values())

    def hear(self, number: int, parent: Call | None, request: list[Any]) -> None:
        """Do what is asked; what cannot be done is refused."""
        if not self.incarnation.trusted:
            return self.turn_down(number, parent, request)
        try:
            REQUESTS[request[0]](self, number, parent, *request[1:])
        except Exception as error:
            if number:
                self.refuse(number, error)
            else:
                self.fail_unseen(str(request[1]), str(request[1]), parent, error)

    def turn_down(self, number: int, parent: Call | None, request: list[Any]) -> None:
        """Refuse whatever an untrusted guest asks; that it does is an event.  Raises ProtocolError if it insists."""
        verb, target = [*map(shown, request[:2]), "", ""][:2]
        self.refused += 1
        if self.refused > PATIENCE:
            raise ProtocolError("an actor with trusted=False may ask for nothing, and has again and again")
        call_id = parent.id if parent is not None else 0
        self.incarnation.life.emit(RequestRefused, verb, target, call_id)
        if number:
            self.refuse(number, PermissionError("an actor with trusted=False may ask for nothing"))

    # -- what requests have in common ---------------------------------------------------------------

    def put(self, number: int, parent: Call | None, accept: Callable[[Call], None], call: Call) -> None:
        """Put a call into its mailbox; it is open no more if that cannot be."""
        try:
            hold(call)
            self.within(parent, lambda: accept(call))
        except BaseException:
            self.open.pop(number).drop()
            raise

    def give(self, stream: AskedStream, number: int) -> None:
        """Send what has come of a stream; if it has ended, that too."""
        items: list[Any] = []
        call = stream.call
        error: BaseException | None = None
        while stream.feed.items and error is None:
            try:
                packed, code = self.incarnation.codec.packed(stream.feed.items.popleft())
            except Unencodable as why:
                error = unsendable(why, call)
            else:
                self.incarnation.send_code(code)
                items.append(packed)
        ended = call.ended or error is not None
        error = error or call.error
        fault = fault_of(error, self.incarnation.codec.packed_error) if ended and error is not None else None
        if ended:
            self.open.pop(stream.number, None)
            stream.feed.close("gave what cannot travel")
        self.say(p.ANSWER, number, [ended, items, fault])

    def do(self, number: int, parent: Call | None, function: Callable[[], Awaitable[Any]]) -> None:
        """Have a task do it."""
        self.begin(Errand(self, number, id_of(parent)), parent, function)

    def begin(self, errand: Errand, parent: Call | None, function: Callable[[], Awaitable[Any]]) -> None:
        self.open[errand.number] = errand
        house = self.incarnation.life.house
        self.within(parent, lambda: house.look_after(partial(errand.run, function)))

    def done(self, errand: Errand, value: Any = None, error: Exception | None = None) -> bool:
        """Tell how it went; False if a value does not reach who asked."""
        if self.open.pop(errand.number, None) is None:
            return False
        if error is None:
            return self.answer(errand.number, value)
        self.refuse(errand.number, error)
        return True

    def fail_unseen(self, name: str, what: str, parent: Call | None, error: Exception) -> None:
        """What a guest has asked for without waiting has failed."""
        life = self.incarnation.life
        log.warning("%s, asked for by %s, failed: %r", what, life.path, error)
        life.emit(FailureUnseen, 0, name, error, id_of(parent))

    # -- what a request names -------------------------------------------------------------------

    def find(self, target: list[Any]) -> Any:
        """The handle of the actor at a path; raises ActorNotFoundError, ActorDiedError, TypeError, or why its start failed."""
        path, namespace, wanted, start, number = target
        if start in self.failed:
            raise self.failed[start]
        return of_class_named(self.incarnation.life.house.find(path, namespace, number), wanted)

    def method(
        self, target: list[Any], name: str, packed: Any, refs: list[list[Any]]
    ) -> tuple[Method, Arguments, Mapping[str, Any]]:
        """The method of the actor at a path, the arguments for it, and what is carried along."""
        args, kwargs, carried, changes = self.incarnation.value(packed)
        if refs:
            args, kwargs = fill(args, kwargs, [(at, self.ref(number)) for at, number in refs])
        method = getattr(self.find(target), name)
        return method.options(**changes) if changes else method, (args, kwargs), carried

    def ref(self, number: int) -> Any:
        """The ref for a question that is an argument of another."""
        question = self.open.get(number)
        if question is None:
            raise TaskCancelledError("a ref among the arguments belongs to a call that has ended")
        return question.as_ref()

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
        context.run(block.set, self.scope)
        context.run(set_carried, carried)
        return context.run(function)

    # -- the end of a question ------------------------------------------------------------------

    def settled(self, question: Question) -> None:
        """A call has ended.  Its answer is on its way, and until it is read the guest may name it among arguments."""
        number, call = question.number, question.call
        if self.open.get(number) is not question or question.answered:
            return
        if question.awaited:
            del self.open[number]
        if call.error is None:
            self.answer(number, call.value, call)
        else:
            self.refuse(number, call.error)
        if not question.awaited:
            question.answered = self.told
            self.answered.append(question)

    def forget(self, heard: int) -> None:
        """The guest has read so many answers."""
        while self.answered and self.answered[0].answered <= heard:
            self.open.pop(self.answered.popleft().number, None)

    def answer(self, number: int, value: Any, call: Call | None = None) -> bool:
        """Send a value; False if it cannot travel, which is told instead."""
        try:
            packed, code = self.incarnation.codec.packed(value)
        except Unencodable as error:
            self.refuse(number, unsendable(error, call))
            return False
        self.incarnation.send_code(code)
        self.say(p.ANSWER, number, packed)
        return True

    def refuse(self, number: int, error: BaseException) -> None:
        self.say(p.REFUSAL, number, fault_of(error, self.incarnation.codec.packed_error))

    def say(self, kind: int, number: int, what: Any) -> None:
        self.told += 1
        self.incarnation.say(kind, number, what)

    def call_ended(self, call_id: int) -> None:
        """What a call has asked ends with it."""
        for number in [number for number, one in self.open.items() if one.parent == call_id]:
            question = self.open.pop(number, None)
            if question is None:
                continue
            unanswered = question.unanswered()
            question.drop()
            if unanswered:
                self.refuse(unanswered, question.why())  # so that it is open nowhere
        if self.answered:
            self.answered = deque(one for one in self.answered if one.parent != call_id)

    def close(self) -> None:
        """The incarnation has ended, and with it what it has asked for and the actors it has started."""
        questions, self.open = list(self.open.values()), {}
        for question in questions:
            question.drop()
        self.answered.clear()
        scope, self.scope = self.scope, None
        for life in reversed(scope.lives if scope is not None else []):
            if not life.is_dead:
                life.overseer.terminate(life)


def shown(part: Any) -> str:
    """Part of what an untrusted guest has said."""
    return str(part)[:100] if isinstance(part, str) else "?"


def unsendable(error: Unencodable, call: Call | None) -> Unsendable:
    """A result that cannot be sent to the guest that asked for it."""
    if call is None:
        return Unsendable(str(error))
    return Unsendable(f"the result of {call.method.name}(): {error}", BEGUN, call.id, call.method.name)
