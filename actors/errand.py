"""What a guest has done at a queue of this process: its end is the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio

from .errors import UNKNOWN, TaskCancelledError
from .guest_queue import WAITING

if TYPE_CHECKING:
    from .questions import Questions
    from .queue_store import QueueStore


class Errand:
    """A question like a call's, answered by a task of the runtime's own, if it may have to wait."""

    __slots__ = ("args", "number", "parent", "questions", "scope", "store", "what")

    def __init__(
        self,
        questions: Questions,
        number: int,
        parent: int,
        store: QueueStore,
        what: str,
        args: tuple[Any, ...],
    ) -> None:
        self.questions = questions
        self.number = number
        self.parent = parent
        self.store = store
        self.what = what
        self.args = args
        self.scope = trio.CancelScope()

    def begin(self) -> None:
        """Do it, or begin to; raises what the queue raises at once."""
        if self.what in WAITING:
            self.questions.incarnation.life.house.start_soon(self.run, f"Queue.{self.what} for {self.where}")
        else:
            self.tell(getattr(self.store, self.what)(*self.args))

    @property
    def where(self) -> str:
        return self.questions.incarnation.life.path

    async def run(self) -> None:
        with self.scope:
            try:
                value = await getattr(self.store, self.what)(*self.args)
            except Exception as error:
                if self.questions.open.pop(self.number, None) is not None:
                    self.questions.refuse(self.number, error)
            else:
                self.tell(value)

    def tell(self, value: Any) -> None:
        """Answer; what cannot be had by who asked stays in the queue."""
        wanted = self.questions.open.pop(self.number, None) is not None
        if not (wanted and self.questions.answer(self.number, value)) and self.what in ITEMS:
            self.store.take_back(ITEMS[self.what](value))

    # -- as a question of a guest's ------------------------------------------------------------------

    def claim(self) -> None:
        """No call waits for another here."""

    def drop(self) -> None:
        """Nobody waits for it any more."""
        self.scope.cancel()

    def gone(self) -> TaskCancelledError:
        return TaskCancelledError(f"Queue.{self.what}() was cancelled", UNKNOWN, 0, self.what)


# Which items are in the value of what was done.
ITEMS: dict[str, Callable[[Any], list[Any]]] = {
    "get": lambda value: [value],
    "get_nowait_batch": list,
}
