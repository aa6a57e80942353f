"""Actors that are there already, and work for them one item at a time each; whoever waits for results is elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import trio

from ..actors.exported import MARK
from ..actors.method import ActorMethod
from ..actors.ref import ObjectRef

if TYPE_CHECKING:
    from ..actors.actor import Handle

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

Work = Callable[[Any, Any], ObjectRef[Any]]


class Crew(Generic[T]):
    """The actors of a pool, the items that wait for one, and those they have in their hands; nothing here waits."""

    def __init__(self, actors: Iterable[Handle[T]]) -> None:
        self.idle: deque[Any] = deque(actors)
        self.waiting: deque[tuple[Work, Any]] = deque()  # submitted when nobody was free
        self.under_way: dict[int, tuple[ObjectRef[Any], Any]] = {}  # by the number of the item
        self.flaws: dict[int, Exception] = {}  # why items could not be given to an actor when their turn came
        self.submitted = 0

    # -- work -----------------------------------------------------------------------------------

    @overload
    def submit(self, fn: ActorMethod[Callable[[A], Any]], value: A) -> None: ...
    @overload
    def submit(self, fn: Callable[[Handle[T], A], ObjectRef[Any]], value: A) -> None: ...
    def submit(self, fn: Any, value: Any) -> None:
        """Give an item to an actor that is free, or keep it until one is."""
        work = work_of(fn)
        if self.idle:
            self.give(self.idle.popleft(), work, value)
        else:
            self.waiting.append((work, value))

    def give(self, actor: Any, work: Work, value: Any) -> None:
        try:
            ref = work(actor, value)
            if not is_ref(ref):
                raise TypeError(f"fn must return an ObjectRef, as actor.m.remote(value) does, not {ref!r}")
        except BaseException:
            self.idle.appendleft(actor)
            raise
        self.under_way[self.submitted] = ref, actor
        self.submitted += 1

    # -- results --------------------------------------------------------------------------------

    def next_number(self, end: type[Exception]) -> int:
        """The first item, in the order of submission, whose result was not taken; raises `end` if there is none."""
        if not self.has_next():
            raise end("no more results to get")
        return min([*self.flaws, *self.under_way])

    def ref_of(self, number: int) -> ObjectRef[Any] | None:
        """What to wait for; None if the item could not be given to an actor."""
        return self.under_way[number][0] if number in self.under_way else None

    def numbers(self) -> dict[ObjectRef[Any], int]:
        """The items under way, by their refs."""
        return {ref: number for number, (ref, _) in self.under_way.items()}

    def take_out(self, number: int) -> ObjectRef[Any]:
        """The ref of an item that has ended, whose actor is free now; raises why it could not be given to one."""
        if number in self.flaws:
            raise self.flaws.pop(number)
        if number not in self.under_way:
            raise trio.BusyResourceError("somebody else has taken the result that was waited for here")
        ref, actor = self.under_way.pop(number)
        self.push(actor)
        return ref

    def has_next(self) -> bool:
        """Is there a result to wait for?"""
        return bool(self.under_way or self.flaws)

    # -- actors ---------------------------------------------------------------------------------

    def has_free(self) -> bool:
        """Is an actor free, and no item waiting for one?"""
        return bool(self.idle) and not self.waiting

    def push(self, actor: Handle[T]) -> None:
        """Add an actor; it gets the item that waited longest.

        Raises:
            ValueError: if it is in the pool already.
        """
        if any(actor is other for other in self.idle) or any(actor is a for _, a in self.under_way.values()):
            raise ValueError(f"{actor!r} is in this pool already")
        self.idle.append(actor)
        while self.waiting and self.idle:
            work, value = self.waiting.popleft()
            try:
                self.give(self.idle.popleft(), work, value)
            except Exception as error:
                self.flaws[self.submitted] = error
                self.submitted += 1

    def pop_idle(self) -> Handle[T] | None:
        """Take an actor out that is free; None if none is."""
        return self.idle.popleft() if self.has_free() else None

    def __repr__(self) -> str:
        return f"<ActorPool, {len(self.idle)} free, {len(self.under_way)} at work, {len(self.waiting)} items waiting>"


class Results(Generic[R]):
    """What `map` gives: results to iterate over once; each value is taken when an actor is free."""

    def __init__(self, pool: Crew[Any], fn: Any, values: Iterable[Any], get: Callable[[], Any]) -> None:
        self.pool = pool
        self.work = work_of(fn)
        self.values: Iterator[Any] = iter(values)
        self.get = get

    def submit(self) -> None:
        """Give values to all who are free."""
        while self.pool.has_free():
            try:
                value = next(self.values)
            except StopIteration:
                return
            self.pool.submit(self.work, value)


def work_of(fn: Any) -> Work:
    """What to do with an actor and a value; of a method, to call it."""
    if hasattr(fn, MARK):
        name = fn.__name__
        return lambda actor, value: getattr(actor, name).remote(value)
    return fn  # type: ignore[no-any-return]


def is_ref(value: object) -> bool:
    return isinstance(value, ObjectRef)
