"""`Queue`, as Ray's users know it: between the tasks of a program and its actors, wherever they run."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Coroutine, Iterable
from threading import get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from .errors import NoRuntimeError, UnderstudyError
from .guest_queue import ask_host
from .spawner import Spawner, open_spawner

if TYPE_CHECKING:
    from .queue_store import QueueStore

V = TypeVar("V")

numbers = itertools.count(1)
made: WeakValueDictionary[int, Queue[Any]] = WeakValueDictionary()  # in this process
travelled: WeakKeyDictionary[Spawner, set[Queue[Any]]] = WeakKeyDictionary()  # kept as long as their runtime


class Queue(Generic[V]):
    """First in, first out, with room for `maxsize` items (0: without end); Ray's `ray.util.queue.Queue`.

    What may wait is async: `put`, `get` and `shutdown`; all else returns at once.  Between tasks items stay what they
    are, the very same objects, and go to whoever waited longest.

    Actors may be given a queue, as an argument or inside one.  It stays in the thread where it was made, as long as
    the runtime is open: an actor in a process or a `Thread` asks for each item.  There, in an `async` method, one
    awaits `put` and `get`, and the others are refused; in any other method all of them wait and return the value
    itself, as in Ray.  A `Local` actor uses it as every task does.

    Example:
        orders: Queue[str] = Queue(maxsize=100)
        await orders.put("tea")
        order = await orders.get(timeout=1.0)
        orders.put_nowait_batch(["milk", "sugar"])
        barista.serve.cast(orders)
    """

    def __init__(self, maxsize: int = 0) -> None:
        from .queue_store import QueueStore  # who is only given one needs no event loop

        self.maxsize = maxsize
        self.number = next(numbers)
        self.store: QueueStore | None = QueueStore(maxsize)
        self.thread = get_ident()
        made[self.number] = self

    def do(self, what: str, *args: Any) -> Any:
        """Do it here, if this is where the queue is; else ask."""
        if self.store is not None and get_ident() == self.thread:
            return getattr(self.store, what)(*args)
        return ask_host(self.number, what, args)

    def qsize(self) -> int:
        """How many items are in it."""
        found: int = self.do("qsize")
        return found

    def size(self) -> int:
        """As `qsize`."""
        return self.qsize()

    def __len__(self) -> int:
        return self.qsize()

    def __bool__(self) -> bool:
        return True

    def empty(self) -> bool:
        return self.qsize() == 0

    def full(self) -> bool:
        return 0 < self.maxsize <= self.qsize()

    # -- one item -------------------------------------------------------------------------------

    def put(self, item: V, block: bool = True, timeout: float | None = None) -> Coroutine[Any, Any, None]:
        """Put an item in; waits while there is no room, at most `timeout` seconds.  If cancelled, it is not in.

        Raises:
            Full: if there is no room in time, or at once with `block=False`.
            ActorDiedError: if the queue was shut down.
        """
        return self.do("put", item, block, timeout)  # type: ignore[no-any-return]

    def get(self, block: bool = True, timeout: float | None = None) -> Coroutine[Any, Any, V]:
        """Take the oldest item; waits while there is none, at most `timeout` seconds.  If cancelled, none is lost.

        Raises:
            Empty: if there is none in time, or at once with `block=False`.
            ActorDiedError: if the queue was shut down and is empty.
        """
        return self.do("get", block, timeout)  # type: ignore[no-any-return]

    def put_nowait(self, item: V) -> None:
        """Put an item in; raises Full if there is no room."""
        self.put_nowait_batch([item])

    def get_nowait(self) -> V:
        """Take the oldest item; raises Empty if there is none."""
        return self.get_nowait_batch(1)[0]

    put_async = put
    get_async = get

    # -- many items -----------------------------------------------------------------------------

    def put_nowait_batch(self, items: Iterable[V]) -> None:
        """Put all items in, or none.

        Raises:
            Full: if there is no room for all of them.
            ActorDiedError: if the queue was shut down.
        """
        self.do("put_nowait_batch", list(items))

    def get_nowait_batch(self, num_items: int) -> list[V]:
        """Take so many items, the oldest first, or none.

        Raises:
            Empty: if there are fewer.
            ActorDiedError: if the queue was shut down and there are fewer.
        """
        found: list[V] = self.do("get_nowait_batch", num_items)
        return found

    # -- the end --------------------------------------------------------------------------------

    def shutdown(self, force: bool = False) -> Coroutine[Any, Any, None]:
        """Take nothing more; what is in it can still be taken, or with `force` is gone.  Idempotent."""
        return self.do("shutdown", force)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return repr(self.store) if self.store is not None else f"<Queue {self.number}, seen from an actor>"

    def __reduce__(self) -> Any:
        if self.store is not None and "understudy_guest" in sys.modules:
            raise TypeError(
                "a Queue that was made in an actor stays there; make it where the runtime is open"
            )
        keep(self)
        return queue_at, (self.number, self.maxsize)


def keep(queue: Queue[Any]) -> None:
    """Keep a queue that is given away: who made it may forget it before it is used."""
    try:
        travelled.setdefault(open_spawner(), set()).add(queue)
    except NoRuntimeError:
        pass  # it goes nowhere


def queue_at(number: int, maxsize: int = 0) -> Queue[Any]:
    """The queue of that number: in a guest, a way to it.

    Raises:
        UnderstudyError: if there is none.
    """
    if "understudy_guest" not in sys.modules:
        found = made.get(number)
        if found is None:
            raise UnderstudyError(f"there is no queue {number}: the runtime it was used in has closed")
        return found
    plain: Any = Queue
    queue: Queue[Any] = object.__new__(plain)
    queue.maxsize, queue.number, queue.store, queue.thread = maxsize, number, None, 0
    return queue
