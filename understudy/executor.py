"""`Executor`: functions in supervised processes, for whoever takes a `concurrent.futures.Executor`, from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent import futures
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

import trio

from .actors.call import Call
from .actors.errors import NoRuntimeError
from .actors.executor import Process
from .actors.function import FunctionMethod, RemoteFunction
from .actors.leaving import cancelled
from .actors.spawner import open_spawner
from .supervisors.functions import DEFAULT, FunctionMailbox, FunctionPool
from .supervisors.runtime import Runtime

if TYPE_CHECKING:
    from .crossing.crossing import Crossing
    from .supervisors.pool import Size

P = ParamSpec("P")
T = TypeVar("T")

KEPT = 256  # functions whose code is kept pickled


class PoolFuture(futures.Future[T]):
    """The future of a function that runs in a pool.  Cancelled before it is done, it is stopped even if it runs."""

    def __init__(self, executor: Executor, call: Call) -> None:
        super().__init__()
        self.executor = executor
        self.call = call
        call.ref = self

    def cancel(self) -> bool:
        """Stop the function: waiting, it never runs; running, it is interrupted.  False if it is done."""
        if not super().cancel():
            return False
        self.executor.cross(self.withdraw)
        return True

    def put(self) -> None:
        try:
            self.call.mailbox.put(self.call)
        except Exception as error:
            self.call.error = error
            self.settled(self.call)

    def withdraw(self) -> None:
        self.call.mailbox.withdraw(self.call, cancelled(self.call))

    def settled(self, call: Call) -> None:
        if self.set_running_or_notify_cancel():
            if call.error is None:
                self.set_result(call.value)
            else:
                self.set_exception(call.error)
        self.executor.settled(self)


class Executor(futures.Executor):
    """Runs functions in processes of the open runtime, as a `concurrent.futures.Executor`.

    Make it where the runtime is open, by whichever door; then any thread may use it.  With a `size`, as of a Pool,
    it has processes of its own, which end with it; without, it shares those of `@remote` functions.  A process that
    dies fails the call it ran (or has it tried again, `max_retries` times) and is replaced: the executor never breaks.

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
    """

    def __init__(
        self, size: Size | None = None, *, executor: Process = DEFAULT, max_retries: int = 0
    ) -> None:
        runtime: Any = open_spawner()
        self.pool: FunctionPool | None = None
        self.crossing: Crossing | None = None  # if the runtime lives in a thread of its own
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

    def prepare(self, runtime: Runtime, executor: Process, size: Size | None) -> FunctionMailbox:
        """Find or start those who run functions; in the runtime's thread."""
        if size is None:
            return runtime.functions(executor)
        runtime.refuse_if_closing()
        self.pool = runtime.function_pools.plant(executor, size)
        return self.pool.tasks

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> futures.Future[T]:
        """Run a function in a process; its future at once.

        Raises:
            RuntimeError: after `shutdown()`.
            Unsendable: if the function or an argument cannot be pickled.
            NoRuntimeError: if the runtime has ended.
        """
        if self.shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        call = self.mailbox.task(self.method_of(fn), args, kwargs)
        future: PoolFuture[T] = PoolFuture(self, call)
        self.under_way.add(future)
        try:
            self.cross(future.put)
        except NoRuntimeError:
            self.under_way.discard(future)
            raise
        return future

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
                self.steps.clear()
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
        if self.pool is not None:
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


def remote_of(function: Any, max_retries: int) -> RemoteFunction[Any]:
    if isinstance(function, RemoteFunction):
        return function  # pyright: ignore[reportUnknownVariableType]
    return RemoteFunction(function, {"max_retries": max_retries})


def is_constant(function: Any) -> bool:
    """May its pickled code be kept?  That of a closure, a partial or an object may change with what it holds."""
    return isinstance(function, RemoteFunction) or (
        getattr(function, "__closure__", 0) is None and getattr(function, "__self__", None) is None
    )
