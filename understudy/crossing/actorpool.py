"""`ActorPool` at the doors: for tasks of asyncio, and for threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from ..actors.errors import GetTimeoutError
from ..actors.method import ActorMethod
from ..actors.ref import ObjectRef
from ..supervisors.crew import Crew, Results
from . import plain

if TYPE_CHECKING:
    from ..actors.actor import Handle

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


class PlainActorPool(Crew[T]):
    """Gives each item to an actor that is free; Ray's `ray.util.ActorPool`, with its blocking methods.

    `fn` is `lambda actor, value: actor.m.remote(value)`, or the method itself, `Counter.add`.  As in Ray an actor is
    free again when its result has been taken.  A Ctrl-C ends a wait, and no result is lost.  One pool is for one
    thread.

    Example:
        pool = blocking.ActorPool([Counter.remote() for _ in range(4)])
        for total in pool.map(Counter.add, range(100)):
            ...
    """

    @overload
    def map(self, fn: ActorMethod[Callable[[A], R]], values: Iterable[A]) -> PlainResults[R]: ...
    @overload
    def map(self, fn: Callable[[Handle[T], A], ObjectRef[R]], values: Iterable[A]) -> PlainResults[R]: ...
    def map(self, fn: Any, values: Iterable[Any]) -> PlainResults[Any]:
        """The results in the order of the values; each value is taken when an actor is free."""
        return PlainResults(self, fn, values, self.get_next)

    @overload
    def map_unordered(self, fn: ActorMethod[Callable[[A], R]], values: Iterable[A]) -> PlainResults[R]: ...
    @overload
    def map_unordered(
        self, fn: Callable[[Handle[T], A], ObjectRef[R]], values: Iterable[A]
    ) -> PlainResults[R]: ...
    def map_unordered(self, fn: Any, values: Iterable[Any]) -> PlainResults[Any]:
        """The results as they come."""
        return PlainResults(self, fn, values, self.get_next_unordered)

    # -- results --------------------------------------------------------------------------------

    def get_next(self, timeout: float | None = None) -> Any:
        """The next result in the order of submission; frees its actor.

        Raises:
            StopIteration: if there is nothing to wait for.
            GetTimeoutError: if it does not come within `timeout` seconds.
            CallError: what ended the call.
        """
        number = self.next_number(StopIteration)
        ref = self.ref_of(number)
        if ref is not None and plain.wait([ref], timeout=timeout)[1]:
            raise GetTimeoutError(f"the next result did not come within {timeout} s")
        return plain.get(self.take_out(number))

    def get_next_unordered(self, timeout: float | None = None) -> Any:
        """Whichever result comes next; frees its actor.  Raises as `get_next`."""
        self.next_number(StopIteration)
        if self.flaws:
            return plain.get(self.take_out(next(iter(self.flaws))))
        numbers = self.numbers()
        ended, _ = plain.wait(list(numbers), timeout=timeout)
        if not ended:
            raise GetTimeoutError(f"no result came within {timeout} s")
        return plain.get(self.take_out(numbers[ended[0]]))


class PlainResults(Results[R]):
    """For `for`."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R:
        self.submit()
        result: R = self.get()
        return result
