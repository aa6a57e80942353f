"""What is done at a queue of this process for a guest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .asked import Errand
from .guest_queue import WAITING
from .queue import queue_at

if TYPE_CHECKING:
    from .call import Call
    from .questions import Questions
    from .queue_store import QueueStore


class QueueErrand(Errand):
    """What was taken for a guest and does not reach it goes back to the head of the queue."""

    __slots__ = ("store", "what")

    def __init__(self, questions: Questions, number: int, parent: int, store: QueueStore, what: str) -> None:
        super().__init__(questions, number, parent)
        self.store = store
        self.what = what

    def lost(self, value: Any) -> None:
        if self.what in ITEMS:
            self.store.take_back(ITEMS[self.what](value))


def on_queue(
    questions: Questions, number: int, parent: Call | None, key: int, what: str, packed: Any
) -> None:
    """Do it at once, or have a task do it, if it may have to wait."""
    store = queue_at(key).store
    assert store is not None  # it is here
    errand = QueueErrand(questions, number, parent.id if parent is not None else 0, store, what)
    step = partial(getattr(store, what), *questions.incarnation.value(packed))
    if what in WAITING:
        questions.begin(errand, parent, step)
        return
    value = step()
    questions.open[number] = errand
    if not questions.done(errand, value):
        errand.lost(value)


# Which items are in the value of what was done.
ITEMS: dict[str, Callable[[Any], list[Any]]] = {
    "get": lambda value: [value],
    "get_nowait_batch": list,
}
