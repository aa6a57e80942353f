"""What a guest asks of its host while its methods run: calls to other actors, mostly."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any, Protocol

from . import protocol as p
from .context import onward

Message = list[Any]

CANNOT_AWAIT = "a method that is not async cannot await: use understudy.blocking.get(h.m.remote(...)), and plain `for` for streams"

ELSEWHERE = (
    "other actors can be called only while a method of this actor runs, and only in the thread that runs it: a thread"
    " that a method starts returns to it what is to be sent; for several calls at once write h.m.map(...), or"
    " blocking.get([h.m.remote(...), ...])"
)


def check_thread(thread: int) -> None:
    """Raise RuntimeError in another thread than this, such as one that a method has started."""
    if get_ident() != thread:
        raise RuntimeError(ELSEWHERE)


class Asker(Protocol):
    """How the loop that runs a method lets it wait for an answer."""

    asking: Asking
    thread: int  # the only one that may ask and wait
    in_loop: bool  # an event loop runs it, which nothing may hold up

    def wait(self, question: Question, /) -> None: ...
    def wait_any(self, questions: list[Question], until: float | None, /) -> bool: ...
    async def wait_async(self, question: Question, /) -> None: ...
    async def wait_any_async(self, questions: list[Question], until: float | None, /) -> bool: ...


class Question:
    """One thing asked; `answer` is the host's message, once it has come."""

    __slots__ = ("answer", "number", "on_answer")

    def __init__(self, number: int) -> None:
        self.number = number
        self.answer: Message | None = None
        self.on_answer: list[Callable[[], None]] = []

    def answered(self, message: Message) -> None:
        self.answer = message
        callbacks, self.on_answer = self.on_answer, []
        for callback in callbacks:
            callback()

    def ignore(self, callback: Callable[[], None]) -> None:
        """Take back what was to be told of the answer."""
        if callback in self.on_answer:
            self.on_answer.remove(callback)


def any_answered(questions: list[Question]) -> bool:
    return any(question.answer is not None for question in questions)


class Asking:
    """All that one guest has asked and not been told."""

    def __init__(self, guest: Any) -> None:
        self.guest = guest
        self.numbers = itertools.count(1)
        self.open: dict[int, Question] = {}
        self.heard = 0  # answers that have come
        self.dropped: deque[int] = deque()  # what nobody wants any more, to be told with what is asked next
        guest.handlers.update({p.ANSWER: self.on_answer, p.REFUSAL: self.on_answer})

    def ask(self, call_id: int, request: list[Any]) -> Question:
        """Ask on behalf of a call; the answer comes later.  Raises PermissionError if nobody trusts us."""
        self.check_trust(request[0])
        question = Question(next(self.numbers))
        self.open[question.number] = question
        self.tell(question.number, call_id, request)
        return question

    def order(self, call_id: int, request: list[Any]) -> None:
        """Ask for what has no answer.  Raises PermissionError if nobody trusts us."""
        self.check_trust(request[0])
        self.tell(0, call_id, request)

    def keep(self, call_id: int, request: list[Any]) -> int:
        """Have the host keep something, with no answer; returns the number under which it does."""
        number = next(self.numbers)
        self.tell(number, call_id, request)
        return number

    def check_trust(self, verb: str, target: str = "") -> None:
        """Raise PermissionError if nobody trusts us; our host is told, and tells it as an event."""
        if not self.guest.values.trusted:
            here = onward().call
            self.tell(0, here[0] if here is not None else 0, [verb, target])
            raise PermissionError(
                f"an actor with trusted=False may not {VERBS.get(verb, verb)}; have who calls it do that for it"
            )

    def tell(self, number: int, call_id: int, request: list[Any]) -> None:
        messages = [[p.ASK, number, call_id, request]]
        while self.dropped:
            messages.append([p.ASK, 0, call_id, ["cancel", self.dropped.popleft()]])
        asker = onward().asker
        if asker is not None:
            check_thread(asker.thread)
        bell = getattr(asker, "doorbell", None)
        if bell is None:
            return self.say(messages)
        # This runs within the user's method, but an interrupt must not tear a message apart.
        running, bell.running = bell.running, 0
        try:
            self.say(messages)
        finally:
            bell.running = running

    def say(self, messages: list[Message]) -> None:
        for message in messages:
            self.guest.say(message)

    def forget(self, question: Question, call_id: int) -> None:
        """Nobody waits for this answer any more."""
        if self.open.pop(question.number, None) is not None:
            self.tell(0, call_id, ["cancel", question.number])

    def cancel(self, number: int, next_one: Question | None, call_id: int) -> None:
        """Nobody wants the rest of something that has several answers."""
        if next_one is not None:
            self.open.pop(next_one.number, None)
        self.tell(0, call_id, ["cancel", number])

    def on_answer(self, message: Message) -> None:
        self.heard += 1
        question = self.open.pop(message[1], None)
        if question is not None:
            question.answered(message)


# What is refused to an actor that nobody trusts, for a person.
VERBS = {
    "call": "call others",
    "cast": "call others",
    "start": "start actors",
    "find": "look for actors",
    "house": "join groups, link or monitor",
}
