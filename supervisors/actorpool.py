"""`ActorPool`, as Ray's users know it: work for actors that are there already, one item at a time each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import anyio
import anyio.lowlevel

from ..actors import verbs
from ..actors.errors import GetTimeoutError
from ..actors.method import ActorMethod
from ..actors.ref import ObjectRef
from .crew import Crew, Results

if TYPE_CHECKING:
    from ..actors.actor import Handle

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


class ActorPool(Crew[T]):
    """Gives each item to an actor that is free; Ray's `ray.util.ActorPool`, async where it would block.

    `fn` is `lambda actor, value: actor.m.remote(value)`, or the method itself, `Counter.add`.  As in Ray an actor is
    free again when its result has been taken.  The actors stay yours: for members that are started, restarted and
    stopped as one, use a Pool.

    Example:
        pool = ActorPool([await Counter.start() for _ in range(4)])
        async for total in pool.map(Counter.add, range(100)):
            ...
    """

    wait: Callable[..., Any] = staticmethod(verbs.wait)

    @overload
    def map(self, fn: ActorMethod[Callable[[A], R]], values: Iterable[A]) -> PoolResults[R]: ...
    @overload
    def map(self, fn: Callable[[Handle[T], A], ObjectRef[R]], values: Iterable[A]) -> PoolResults[R]: ...
    def map(self, fn: Any, values: Iterable[Any]) -> PoolResults[Any]:
        """The results in the order of the values; each value is taken when an actor is free."""
        return PoolResults(self, fn, values, self.get_next)

    @overload
    def map_unordered(self, fn: ActorMethod[Callable[[A], R]], values: Iterable[A]) -> PoolResults[R]: ...
    @overload
    def map_unordered(
        self, fn: Callable[[Handle[T], A], ObjectRef[R]], values: Iterable[A]
    ) -> PoolResults[R]: ...
    def map_unordered(self, fn: Any, values: Iterable[Any]) -> PoolResults[Any]:
        """The results as they come."""
        return PoolResults(self, fn, values, self.get_next_unordered)

    # -- results --------------------------------------------------------------------------------

    async def get_next(self, timeout: float | None = None) -> Any:
        """The next result in the order of submission; frees its actor.  If cancelled, the result is not lost.

        Raises:
            StopAsyncIteration: if there is nothing to wait for.
            GetTimeoutError: if it does not come within `timeout` seconds.
            CallError: what ended the call.
        """
        number = self.next_number(StopAsyncIteration)
        ref = self.ref_of(number)
        if ref is not None:
            with anyio.move_on_after(timeout):
                await ref.wait_done()
            if not ref.done:
                raise GetTimeoutError(f"the next result did not come within {timeout} s")
        return await self.take(number)

    async def get_next_unordered(self, timeout: float | None = None) -> Any:
        """Whichever result comes next; frees its actor.  Raises as `get_next`."""
        self.next_number(StopAsyncIteration)
        if self.flaws:
            return await self.take(next(iter(self.flaws)))
        numbers = self.numbers()
        ended, _ = await self.wait(list(numbers), num_returns=1, timeout=timeout)
        if not ended:
            raise GetTimeoutError(f"no result came within {timeout} s")
        return await self.take(numbers[ended[0]])

    async def take(self, number: int) -> Any:
        """The result of an item, which has ended; its actor is free for another."""
        with anyio.CancelScope(shield=True):  # it has ended: this only yields
            if number in self.flaws:
                await anyio.lowlevel.checkpoint()
            return await self.take_out(number)


class PoolResults(Results[R]):
    """For `async for`."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        self.submit()
        result: R = await self.get()
        return result
