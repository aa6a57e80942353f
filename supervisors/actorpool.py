"""`ActorPool`, as Ray's users know it: work for actors that are there already, one item at a time each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

import trio

from ..actors.errors import GetTimeoutError
from ..actors.exported import MARK
from ..actors.method import ActorMethod
from ..actors.ref import ObjectRef
from ..actors.verbs import wait

if TYPE_CHECKING:
    from ..actors.actor import Handle

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

Work = Callable[[Any, Any], ObjectRef[Any]]


class ActorPool(Generic[T]):
    """Gives each item to an actor that is free; Ray's `ray.util.ActorPool`, async where it would block.

    `fn` is `lambda actor, value: actor.m.remote(value)`, or the method itself, `Counter.add`.  As in Ray an actor is
    free again when its result has been taken.  The actors stay yours: for members that are started, restarted and
    stopped as one, use a Pool.

    Example:
        pool = ActorPool([await Counter.start() for _ in range(4)])
        async for total in pool.map(Counter.add, range(100)):
            ...
    """

    def __init__(self, actors: Iterable[Handle[T]]) -> None:
        self.idle: deque[Any] = deque(actors)
        self.waiting: deque[tuple[Work, Any]] = deque()  # submitted when nobody was free
        self.under_way: dict[int, tuple[ObjectRef[Any], Any]] = {}  # by the number of the item
        self.flaws: dict[
            int, Exception
        ] = {}  # items that could not be given to an actor, when their turn came
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

    @overload
    def map(self, fn: ActorMethod[Callable[[A], R]], values: Iterable[A]) -> PoolResults[R]: ...
    @overload
    def map(self, fn: Callable[[Handle[T], A], ObjectRef[R]], values: Iterable[A]) -> PoolResults[R]: ...
    def map(self, fn: Any, values: Iterable[Any]) -> PoolResults[Any]:
        """The results in the order of the values; each value is taken when an actor is free."""
        return PoolResults(self, work_of(fn), values, self.get_next)

    @overload
    def map_unordered(self, fn: ActorMethod[Callable[[A], R]], values: Iterable[A]) -> PoolResults[R]: ...
    @overload
    def map_unordered(
        self, fn: Callable[[Handle[T], A], ObjectRef[R]], values: Iterable[A]
    ) -> PoolResults[R]: ...
    def map_unordered(self, fn: Any, values: Iterable[Any]) -> PoolResults[Any]:
        """The results as they come."""
        return PoolResults(self, work_of(fn), values, self.get_next_unordered)

    # -- results --------------------------------------------------------------------------------

    async def get_next(self, timeout: float | None = None) -> Any:
        """The next result in the order of submission; frees its actor.  If cancelled, the result is not lost.

        Raises:
            StopAsyncIteration: if there is nothing to wait for.
            GetTimeoutError: if it does not come within `timeout` seconds.
            CallError: what ended the call.
        """
        numbers = [*self.flaws, *self.under_way]
        if not numbers:
            raise StopAsyncIteration("no more results to get")
        number = min(numbers)
        if number in self.under_way:
            ref, _ = self.under_way[number]
            with trio.move_on_after(seconds_of(timeout)):
                await ref.wait_done()
            if not ref.done:
                raise GetTimeoutError(f"the next result did not come within {timeout} s")
        return await self.take(number)

    async def get_next_unordered(self, timeout: float | None = None) -> Any:
        """Whichever result comes next; frees its actor.  Raises as `get_next`."""
        if self.flaws:
            return await self.take(next(iter(self.flaws)))
        if not self.under_way:
            raise StopAsyncIteration("no more results to get")
        numbers = {ref: number for number, (ref, _) in self.under_way.items()}
        ended, _ = await wait(list(numbers), num_returns=1, timeout=timeout)
        if not ended:
            raise GetTimeoutError(f"no result came within {timeout} s")
        return await self.take(numbers[ended[0]])

    async def take(self, number: int) -> Any:
        """The result of an item, which has ended; its actor is free for another."""
        if number in self.flaws:
            await trio.lowlevel.checkpoint()
            raise self.flaws.pop(number)
        if number not in self.under_way:
            raise trio.BusyResourceError("another task has taken the result that this one waited for")
        ref, actor = self.under_way.pop(number)
        self.push(actor)
        with trio.CancelScope(shield=True):  # it has ended: this only yields
            return await ref

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


class PoolResults(Generic[R]):
    """What `map` gives: results to iterate over once, with `async for`."""

    def __init__(
        self, pool: ActorPool[Any], work: Work, values: Iterable[Any], get: Callable[[], Any]
    ) -> None:
        self.pool = pool
        self.work = work
        self.values = iter(values)
        self.get = get

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while self.pool.has_free():
            try:
                value = next(self.values)
            except StopIteration:
                break
            self.pool.submit(self.work, value)
        result: R = await self.get()
        return result


def work_of(fn: Any) -> Work:
    """What to do with an actor and a value; of a method, to call it."""
    if hasattr(fn, MARK):
        name = fn.__name__
        return lambda actor, value: getattr(actor, name).remote(value)
    return fn  # type: ignore[no-any-return]


def is_ref(value: object) -> bool:
    return isinstance(value, ObjectRef)


def seconds_of(timeout: float | None) -> float:
    return float("inf") if timeout is None else timeout
