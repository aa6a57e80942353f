"""`Executor`: functions in supervised processes, for whoever takes a `concurrent.futures.Executor`, from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload

import trio

from .actors import lifecycle
from .actors.call import Call
from .actors.errors import NoRuntimeError
from .actors.executor import Process
from .actors.exported import awaits
from .actors.function import FunctionMethod, RemoteFunction
from .actors.handle import ActorHandle
from .actors.mappable import Mappable
from .actors.method import ActorMethod
from .actors.spawner import open_spawner
from .actors.streaming import StreamMethod
from .actors.verbs import life_of
from .future import PoolFuture
from .supervisors.functions import DEFAULT, FunctionPool
from .supervisors.pooled import PoolMailbox
from .supervisors.runtime import Runtime
from .transports.guests.context import Running
from .transports.guests.protocol import CALL

if TYPE_CHECKING:
    from .actors.actor import Handle
    from .crossing.crossing import Crossing
    from .supervisors.pool import Size

P = ParamSpec("P")
T = TypeVar("T")

NOBODY = Running()
KEPT = 256  # functions whose code is kept pickled


class Executor(futures.Executor):
    """Runs functions in processes of the open runtime, as a `concurrent.futures.Executor`.

    Make it where the runtime is open, by whichever door; then any thread may use it.  `Executor(pool)`, of the handle of
    a Pool, runs them in the processes of its members, in between the calls of others; and its methods,
    `submit(pool.add, 5)`.  With a `size`, as of a Pool, the executor has processes of its own, which end with it; with neither, it shares those of
    `@remote` functions.  A process that dies fails the call it ran (or has it tried again, `max_retries` times)
    and is replaced: the executor never breaks.

    A lambda or a function of `__main__` is sent as it was when first submitted; a closure or a partial as it is each
    time.

    Example:
        async with Executor(size=(0, 4)) as executor:
            squares = await trio.to_thread.run_sync(work, executor)

        def work(executor: concurrent.futures.Executor) -> list[int]:
            return list(executor.map(square, range(10)))

    Under asyncio it is `async with` as well, in plain code `with Executor() as executor:`.

    Raises:
        NoRuntimeError: if no runtime is open here.
        TypeError: if the handle is not of a pool, or its members cannot run functions.
    """

    @overload
    def __init__(
        self, size: Size | None = None, *, executor: Process = DEFAULT, max_retries: int = 0
    ) -> None: ...
    @overload
    def __init__(self, pool: Handle[Any], /, *, max_retries: int = 0) -> None: ...
    def __init__(self, size: Any = None, *, executor: Process = DEFAULT, max_retries: int = 0) -> None:
        runtime: Any = open_spawner()
        self.pool: FunctionPool | None = None  # of its own
        self.crossing: Crossing | None = None  # if the runtime lives in a thread of its own
        self.mailbox: PoolMailbox
        if isinstance(runtime, Runtime):
            self.token, self.thread = here(), threading.get_ident()
            self.mailbox = self.prepare(runtime, executor, size)
        else:
            self.crossing = crossing = runtime.crossing
            self.mailbox = crossing.do(self.prepare, runtime.near, executor, size)
            self.token, self.thread = crossing.token, crossing.thread
        self.max_retries = max_retries
        self.shut = False
        self.methods: dict[Any, FunctionMethod] = {}
        self.under_way: set[PoolFuture[Any]] = set()
        self.idle = trio.Event()
        self.steps: deque[Callable[[], None]] = deque()
        self.awake = False  # what crosses will be looked at

    def prepare(self, runtime: Runtime, executor: Process, size: Any) -> PoolMailbox:
        """Find or start those who run functions; in the runtime's thread."""
        if isinstance(size, ActorHandle):
            if executor is not DEFAULT:
                raise TypeError("the members of a pool have their executor already; leave out executor=")
            return mailbox_of(size)
        if size is None:
            return runtime.functions(executor)
        runtime.refuse_if_closing()
        self.pool = runtime.function_pools.plant(executor, size)
        return self.pool.tasks

    # -- work -----------------------------------------------------------------------------------

    @overload
    def submit(
        self, fn: Mappable[Callable[P, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[T]: ...
    @overload
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> futures.Future[T]: ...
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Run a function in a process, or a method of the pool; its future at once.

        Raises:
            RuntimeError: after `shutdown()`.
            Unsendable: if the function or an argument cannot be pickled.
            NoRuntimeError: if the runtime has ended.
        """
        if self.shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: PoolFuture[Any] = PoolFuture(self, self.call_of(fn, args, kwargs))
        self.under_way.add(future)
        try:
            self.cross(future.put)
        except NoRuntimeError:
            self.under_way.discard(future)
            raise
        return future

    @overload
    def map(
        self,
        fn: Mappable[Callable[..., T]],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]: ...
    @overload
    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]: ...
    def map(
        self,
        fn: Any,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **others: Any,
    ) -> Iterator[Any]:
        """The results for the items of the iterables, in their order.

        `timeout` is in seconds, for all of them.  A `chunksize` changes nothing: small calls travel together anyway,
        as many as are quick.  Closing the iterator, and an error, cancel what is left.

        Raises:
            ValueError: for a chunk size below 1.
            TimeoutError: from the iterator, if a result does not come in time.
        """
        if chunksize < 1:
            raise ValueError(f"chunksize must be a count above 0, not {chunksize}")
        found: Iterator[Any] = super().map(fn, *iterables, timeout=timeout, **others)
        return found

    def call_of(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """The record of one call."""
        if isinstance(fn, StreamMethod):
            raise TypeError(f"{fn.name}() gives a stream; an Executor runs what gives one value")
        if not isinstance(fn, ActorMethod):
            return self.mailbox.task(self.method_of(fn), args, kwargs)
        return made_here(fn, self.mailbox, args, kwargs)  # pyright: ignore[reportUnknownArgumentType]

    def method_of(self, function: Any) -> FunctionMethod:
        if not is_constant(function):
            return FunctionMethod(self.mailbox, self.made(function))
        method = self.methods.get(function)
        if method is None:
            if len(self.methods) >= KEPT:
                self.methods.clear()
            method = self.methods[function] = FunctionMethod(self.mailbox, self.made(function))
        return method

    def made(self, function: Any) -> RemoteFunction[Any]:
        made = remote_of(function, self.max_retries)
        if made.awaits:
            raise TypeError(
                f"{made.__name__} is an async function; an Executor runs plain ones, @remote runs both"
            )
        return made

    # -- between threads ------------------------------------------------------------------------

    def cross(self, step: Callable[[], None]) -> None:
        """Have a step taken in the runtime's thread; many cross in one go."""
        self.steps.append(step)
        if not self.awake:
            self.awake = True
            try:
                self.token.run_sync_soon(self.arrive)
            except trio.RunFinishedError:
                self.awake = False
                self.arrive()  # what others left there meanwhile ends with an error
                raise NoRuntimeError("the runtime of this executor has ended") from None

    def arrive(self) -> None:
        self.awake = False
        while self.steps:
            self.steps.popleft()()

    def settled(self, future: PoolFuture[Any]) -> None:
        self.under_way.discard(future)
        if self.shut and not self.under_way:
            self.idle.set()
            self.dismiss()

    # -- the end --------------------------------------------------------------------------------

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing new; with `wait` return when all is done, with `cancel_futures` stop what is under way.

        Raises:
            RuntimeError: if it would block the event loop that has to do the work; use `aclose()` there.
        """
        self.shut = True
        under_way = list(self.under_way)
        if cancel_futures:
            self.stop()
        if wait and under_way and threading.get_ident() == self.thread:
            raise RuntimeError(
                "shutdown(wait=True) would block the event loop it waits for; write `await executor.aclose()`"
            )
        if wait:
            futures.wait(under_way)
        if not self.under_way:
            self.cross_last()

    def cross_last(self) -> None:
        try:
            self.cross(self.dismiss)
        except NoRuntimeError:
            pass  # all is over anyway

    def dismiss(self) -> None:
        """End the pool of its own."""
        if self.pool is not None and self.pool.state is not lifecycle.DEAD:
            self.pool.overseer.terminate(self.pool)

    async def aclose(self) -> None:
        """Take nothing new, and wait until all is done; if cancelled while waiting, what is under way is stopped."""
        self.shut = True
        try:
            if self.crossing is None:
                await self.finish()
            elif not self.crossing.closed:
                await self.crossing.perform(self.finish)
        finally:
            self.stop()

    async def finish(self) -> None:
        """Wait until all is done, and for the end of the pool."""
        try:
            if self.under_way:
                await self.idle.wait()
        finally:
            self.stop()
            self.dismiss()
        if self.pool is not None:
            await self.pool.wait_dead()
        self.pool = None
        await trio.lowlevel.checkpoint()

    def stop(self) -> None:
        """Stop what is under way."""
        for future in list(self.under_way):
            future.cancel()

    async def __aenter__(self) -> Self:
        if self.crossing is None:
            await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.aclose()


def here() -> trio.lowlevel.TrioToken:
    """The way into the runtime's thread, which this has to be."""
    try:
        return trio.lowlevel.current_trio_token()
    except RuntimeError:
        raise RuntimeError(
            "make the Executor in the task that has the runtime open; after that any thread may use it"
        ) from None


def mailbox_of(handle: ActorHandle) -> PoolMailbox:
    """The mailbox of a pool whose members can run functions beside their methods."""
    life = life_of(handle)
    mailbox, options = life.mailbox, life.spec.options
    if not isinstance(mailbox, PoolMailbox):
        raise TypeError(f"an Executor wraps a pool, and {life.path} is one actor; write Pool(...).start()")
    if not isinstance(options.executor, Process) or not options.executor.trusted:
        raise TypeError(f"functions run in trusted processes, and the members of {life.path} are none")
    if awaits(life.spec.cls):
        raise TypeError(f"a function would hold up the event loop of the members of {life.path}")
    if mailbox.key is not None:
        raise TypeError(f"{life.path} has key=, and functions have none; write Executor(size=...)")
    return mailbox


def made_here(
    method: ActorMethod[Any], mailbox: PoolMailbox, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Call:
    """A call of a pool's own method, made in whatever thread this is."""
    if getattr(method.mailbox, "near", method.mailbox) is not mailbox:
        raise TypeError(f"{method!r} is not of this executor's pool; make one with Executor(its pool)")
    if method.check(*args, **kwargs):
        raise TypeError(f"{method.name}() was given an ObjectRef; an Executor takes the value itself")
    # What runs in the runtime's thread just now has nothing to do with us.
    return mailbox.make(CALL, method, args, kwargs, by=NOBODY)


def remote_of(function: Any, max_retries: int) -> RemoteFunction[Any]:
    if isinstance(function, RemoteFunction):
        return function  # pyright: ignore[reportUnknownVariableType]
    return RemoteFunction(function, {"max_retries": max_retries})


def is_constant(function: Any) -> bool:
    """May its pickled code be kept?  That of a closure, a partial or an object may change with what it holds."""
    return isinstance(function, RemoteFunction) or (
        getattr(function, "__closure__", 0) is None and getattr(function, "__self__", None) is None
    )
