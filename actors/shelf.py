"""The items of a queue and its rules, for whoever lets others wait: tasks of trio, of any loop, threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar

from .errors import NEVER_SENT, ActorDiedError
from .queue_errors import Empty, Full
from .reasons import SHUTDOWN_EXIT

V = TypeVar("V")


class Lot(Protocol):
    """Where those wait who could not go on."""

    def unpark(self, *, count: int) -> object: ...
    def unpark_all(self) -> object: ...


L = TypeVar("L", bound=Lot)


class Shelf(Generic[V, L]):
    """The items of a queue and its rules; nothing here waits."""

    def __init__(self, maxsize: int, getters: L, putters: L) -> None:
        self.getters = getters
        self.putters = putters
        self.maxsize = maxsize
        self.items: deque[V] = deque()
        self.closed = False

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    def qsize(self) -> int:
        """How many items are in it."""
        return len(self.items)

    def size(self) -> int:
        """As `qsize`."""
        return len(self.items)

    def empty(self) -> bool:
        return not self.items

    def full(self) -> bool:
        return 0 < self.maxsize <= len(self.items)

    def put_nowait(self, item: V) -> None:
        """Put an item in; raises Full if there is no room."""
        self.put_nowait_batch([item])

    def get_nowait(self) -> V:
        """Take the oldest item; raises Empty if there is none."""
        return self.get_nowait_batch(1)[0]

    def put_nowait_batch(self, items: Iterable[V]) -> None:
        """Put all items in, or none.

        Raises:
            Full: if there is no room for all of them.
            ActorDiedError: if the queue was shut down.
        """
        batch = list(items)
        if self.closed:
            raise self.gone()
        if self.maxsize > 0 and len(self.items) + len(batch) > self.maxsize:
            raise Full(
                f"{len(batch)} more do not go into a queue of {self.maxsize} that holds {len(self.items)}"
            )
        self.items += batch
        self.getters.unpark(count=len(batch))

    def get_nowait_batch(self, num_items: int) -> list[V]:
        """Take so many items, the oldest first, or none.

        Raises:
            Empty: if there are fewer.
            ActorDiedError: if the queue was shut down and there are fewer.
        """
        if num_items < 0:
            raise ValueError(f"num_items must be a count, 0 or more, not {num_items}")
        if len(self.items) < num_items:
            if self.closed:
                raise self.gone()
            raise Empty(f"{num_items} were asked for and {len(self.items)} are there")
        batch = [self.items.popleft() for _ in range(num_items)]
        self.putters.unpark(count=num_items)
        return batch

    def close(self, force: bool) -> None:
        """Take nothing more, and tell all who wait."""
        self.closed = True
        if force:
            self.items.clear()
        self.getters.unpark_all()
        self.putters.unpark_all()

    def take_back(self, items: Iterable[V]) -> None:
        """Put items at the head again that did not reach who took them."""
        back = list(items)
        self.items.extendleft(reversed(back))
        self.getters.unpark(count=len(back))

    def gone(self) -> ActorDiedError:
        return ActorDiedError("the queue was shut down", SHUTDOWN_EXIT, NEVER_SENT)

    def __repr__(self) -> str:
        room = f" of {self.maxsize}" if self.maxsize > 0 else ""
        return f"<Queue, {len(self.items)}{room} items{', shut down' if self.closed else ''}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Queue cannot travel to another process; send its items")


def seconds_of(block: bool, timeout: float | None) -> float:
    if timeout is not None and timeout < 0:
        raise ValueError(f"timeout must be a number of seconds, 0 or more, not {timeout}")
    return float("inf") if timeout is None or not block else timeout
