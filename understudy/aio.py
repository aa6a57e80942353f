"""The door for asyncio: the runtime lives in a thread of its own, and handles are awaited from tasks.

Example:
    async def main() -> None:
        async with aio.open_runtime(tree):
            counter = await Counter.start(10)
            print(await counter.add(5))

    asyncio.run(main())

Actor classes, handles, `get_actor` and errors are those of `understudy`; what has to wait is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar, Unpack, overload

import anyio

from .actors import verbs
from .actors.dump import dump as dump_there
from .actors.errors import NoRuntimeError
from .actors.feeding import feed as feed_there
from .actors.put import put
from .actors.ref import ObjectRef
from .actors.verbs import get_actor
from .crossing.channel import AioChannel as open_channel  # noqa: N813  used as the function it stands for
from .crossing.handle import far_handle
from .crossing.queue import AioQueue as Queue
from .crossing.runtime import FarRuntime, Shared
from .crossing.scope import open_scope
from .crossing.thread import RuntimeThread
from .crossing.verbs import cancel, divided, enough_of, far_list, far_refs, statistics, too_late, values_of
from .executor import Executor
from .supervisors import actorpool
from .supervisors.observing import Observing
from .supervisors.spec import Supervisor
from .supervisors.within import beside_the_call, in_guest
from .transports.guests.interrupts import Interrupted

if TYPE_CHECKING:
    from .actors.actor import Handle

__all__ = [
    "ActorPool", "Executor", "Queue", "cancel", "dump", "feed", "get", "get_actor", "interrupt", "kill", "lifespan", "open_channel", "open_runtime", "open_scope", "put", "statistics", "wait",
    "wait_ready",
]  # fmt: skip

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")


class open_runtime(AbstractAsyncContextManager[FarRuntime, None]):  # noqa: N801  used as the function it is elsewhere
    """Open a runtime in a thread of its own, start the tree, and stop everything when the block is left.

    Left normally, accepted casts are carried out first; left by an exception, they are dropped.  Cancelled
    while it closes, it closes all the same and is cancelled then.  May be entered in one task and left in
    another, as a notebook does.

    Raises:
        ActorStartError: if a child of the tree does not start; what had started is stopped.
        TreeFailedError: if the tree's restarts run out while it is open; the block is cancelled.
        NoRuntimeError: if this is not asyncio.
    """

    def __init__(self, tree: Supervisor | None = None, **options: Unpack[Observing]) -> None:
        self.tree = tree
        self.options = options
        self.host: asyncio.Task[Any] | None = None
        self.cancelled = False
        self.requests = 0
        self.beside: AbstractContextManager[Any] = nullcontext()

    async def __aenter__(self) -> FarRuntime:
        loop = running_loop()
        beside = beside_the_call()
        beside.__enter__()
        try:
            runtime = await self.open(loop)
        except BaseException:
            beside.__exit__(None, None, None)
            raise
        self.beside = beside
        return runtime

    async def open(self, loop: asyncio.AbstractEventLoop) -> FarRuntime:
        self.thread = RuntimeThread(self.tree, loop.is_closed, options=self.options)
        self.host = asyncio.current_task()
        self.requests = self.host.cancelling() if self.host is not None else 0
        self.thread.begin()
        try:
            await self.thread.crossing.passed(self.thread.opened)
        except BaseException:
            self.thread.stop(drop=True)
            await self.closed()
            raise
        if self.thread.failure is not None:
            await self.closed()
            raise self.thread.failure
        self.thread.failing.add(HostBell(loop, self.cancel_host))
        runtime = FarRuntime(self.thread)
        self.shared = Shared(runtime)
        return runtime

    def __enter__(self) -> NoReturn:
        raise NoRuntimeError(PLAIN)

    def __exit__(self, *details: object) -> None: ...

    def cancel_host(self) -> None:
        """The tree failed: the block is cancelled, unless it is being left already."""
        if self.host is not None:
            self.cancelled = self.host.cancel("the runtime's tree failed")

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        host, self.host = self.host, None
        self.shared.withdraw()
        struck = in_guest() and isinstance(error, asyncio.CancelledError)
        self.thread.stop(drop=error is not None, strike=struck)
        if isinstance(error, GeneratorExit):
            return  # the loop is gone, and nothing can be awaited; the thread ends by itself
        await self.closed()
        self.beside.__exit__(None, None, None)
        failure = self.thread.failure
        if isinstance(failure, Interrupted):
            return  # we had it interrupted ourselves
        if self.cancelled and host is not None and host.uncancel() > self.requests:
            return  # somebody else cancelled it too
        if failure is not None and (
            error is None or (self.cancelled and isinstance(error, asyncio.CancelledError))
        ):
            raise failure
        if failure is not None and error is not None:
            error.add_note(f"Meanwhile the runtime's tree had failed: {failure}")

    async def closed(self) -> None:
        """Wait until the thread has ended, whatever cancels us meanwhile."""
        try:
            await self.thread.crossing.outlast(self.thread.ended)
        finally:
            self.thread.join()  # that was its last act


PLAIN = "understudy.aio.open_runtime() is entered by `async with`; in plain code write `with understudy.blocking.open_runtime():`"


class HostBell:
    """Tells the loop that the tree failed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Callable[[], None]) -> None:
        self.loop = loop
        self.told = told

    def wake(self) -> None:
        try:
            self.loop.call_soon_threadsafe(self.told)
        except RuntimeError:
            pass  # it is closed


def running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise NoRuntimeError(
            "this is the door for asyncio, and no asyncio loop runs here; under trio write understudy.open_runtime()"
        ) from None


def lifespan(
    tree: Supervisor | None = None, **options: Unpack[Observing]
) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]:
    """A lifespan for Starlette and FastAPI: the runtime is open while the application is.

    Requests find actors by `get_actor`, and the runtime itself in `request.state.runtime`.

    Example:
        app = FastAPI(lifespan=aio.lifespan(tree))
    """

    @asynccontextmanager
    async def opened(app: Any) -> AsyncGenerator[dict[str, Any]]:
        del app
        async with open_runtime(tree, **options) as runtime:
            yield {"runtime": runtime}

    return opened


@overload
async def get(refs: ObjectRef[A], *, timeout: float | None = None) -> A: ...
@overload
async def get(refs: tuple[ObjectRef[A], ObjectRef[B]], *, timeout: float | None = None) -> tuple[A, B]: ...  # type: ignore[overload-overlap]
@overload
async def get(  # type: ignore[overload-overlap]
    refs: tuple[ObjectRef[A], ObjectRef[B], ObjectRef[C]], *, timeout: float | None = None
) -> tuple[A, B, C]: ...
@overload
async def get(refs: Iterable[ObjectRef[A]], *, timeout: float | None = None) -> list[A]: ...
async def get(refs: Any, *, timeout: float | None = None) -> Any:
    """The value of a ref, or the values of several in their order.

    Waits at most `timeout` seconds; the calls go on after that, and if this is cancelled.

    Raises:
        GetTimeoutError: if time runs out.
        CallError: what ended the call, for the first ref in order that failed.
    """
    many = far_refs(refs)
    in_time = all(ref.done for ref in many)
    with anyio.move_on_after(None if in_time else timeout) as scope:
        for ref in many:
            await ref.wait_done()
            ref.value()
    if scope.cancelled_caught:
        raise too_late(timeout)
    return values_of(refs, many)


async def wait(
    refs: Sequence[ObjectRef[T]], *, num_returns: int = 1, timeout: float | None = None
) -> tuple[list[ObjectRef[T]], list[ObjectRef[T]]]:
    """Wait until `num_returns` of the refs have ended, or `timeout` seconds; returns (ended, pending), in order.

    Raises:
        TypeError: if one of them is no ref.
        ValueError: if there are fewer refs than that.
    """
    many = far_list(refs, num_returns)
    waiter = many[0].crossing.waiter()
    with enough_of(many, num_returns, waiter) as to_come, anyio.move_on_after(timeout):
        if to_come:
            await waiter.wait()
    return divided(refs, num_returns)


class ActorPool(actorpool.ActorPool[T]):
    """As `understudy.ActorPool`, with the same methods."""

    wait = staticmethod(wait)


async def kill(handle: Handle[Any], *, no_restart: bool = True) -> None:
    """End an actor at once, without asking it; returns when it is dead.

    With `no_restart=False` its supervisor brings it back, and calls that had not begun are kept.
    """
    await across(handle, partial(verbs.kill, no_restart=no_restart))


async def interrupt(handle: Handle[Any]) -> bool:
    """Interrupt the call that an actor runs; returns False if it ran none, or one marked `interrupt=False`.

    As `understudy.interrupt`: returns when the call has ended.  If cancelled while waiting, the interrupt goes on.
    """
    done: bool = await across(handle, verbs.interrupt)
    return done


async def wait_ready(handle: Handle[Any]) -> None:
    """Wait until the actor is ready for calls.

    Raises:
        ActorStartError: if it will not be: its start failed, or it is dead.
    """
    await across(handle, verbs.wait_ready)


async def dump(handle: Handle[Any], *, timeout: float = 2.0, file: TextIO | None = None) -> str:
    """Print the stacks of an actor's threads or tasks, and return them as text; as `understudy.dump`."""
    text: str = await across(handle, partial(dump_there, timeout=timeout, file=file))
    return text


async def feed(handle: Handle[Any], data: bytes | str = b"", *, close: bool = False) -> None:
    """Write to the standard input of an actor with `Process(stdin="pipe")`; as `understudy.feed`."""
    await across(handle, partial(feed_there, data=data, close=close))


async def across(handle: Any, verb: Callable[..., Any]) -> Any:
    far = far_handle(handle)
    return await far._crossing.perform(verb, far)  # pyright: ignore[reportPrivateUsage]
