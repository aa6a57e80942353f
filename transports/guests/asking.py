"""What a guest asks of its host while its methods run: calls to other actors, mostly."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Protocol

from . import protocol as p
from .context import present

Message = list[Any]


class Asker(Protocol):
    """How the loop that runs a method lets it wait for an answer."""

    asking: Asking
    in_loop: bool  # an event loop runs it, which nothing may hold up

    def wait(self, question: Question, /) -> None: ...
    def wait_any(self, questions: list[Question], until: float | None, /) -> bool: ...
    async def wait_async(self, question: Question, /) -> None: ...


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


class Asking:
    """All that one guest has asked and not been told."""

    def __init__(self, guest: Any) -> None:
        self.guest = guest
        self.numbers = itertools.count(1)
        self.open: dict[int, Question] = {}
        guest.handlers.update({p.ANSWER: self.on_answer, p.REFUSAL: self.on_answer})

    def ask(self, call_id: int, request: list[Any]) -> Question:
        """Ask on behalf of a call; the answer comes later.  Raises PermissionError if nobody trusts us."""
        self.check_trust()
        question = Question(next(self.numbers))
        self.open[question.number] = question
        self.tell(question.number, call_id, request)
        return question

    def order(self, call_id: int, request: list[Any]) -> None:
        """Ask for what has no answer.  Raises PermissionError if nobody trusts us."""
        self.check_trust()
        self.tell(0, call_id, request)

    def check_trust(self) -> None:
        if not self.guest.values.trusted:
            raise PermissionError("an actor with trusted=False may not call others")

    def tell(self, number: int, call_id: int, request: list[Any]) -> None:
        bell = getattr(present().asker, "doorbell", None)
        if bell is None:
            self.guest.say([p.ASK, number, call_id, request])
            return
        # This runs within the user's method, but an interrupt must not tear a message apart.
        running, bell.running = bell.running, 0
        try:
            self.guest.say([p.ASK, number, call_id, request])
        finally:
            bell.running = running

    def forget(self, question: Question, call_id: int) -> None:
        """Nobody waits for this answer any more."""
        if self.open.pop(question.number, None) is not None:
            self.tell(0, call_id, ["cancel", question.number])

    def on_answer(self, message: Message) -> None:
        question = self.open.pop(message[1], None)
        if question is not None:
            question.answered(message)
