"""`StdlibWorker`: what a `Worker` does, by the standard library's process pool; to compare with, and no more.

Where it is weaker: its process starts in a tenth of a second or more and imports the program's main module again; an interrupt ends the
wait, while the code goes on and later calls wait for it; a death is told only as a broken pool; all that comes
back is unpickled, so the code must be trusted; ends of channels, handles and refs mean nothing there, and are refused
as `Unsendable`; and if this process is killed, that one may outlive it.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any, ClassVar

import trio

from . import stdlib_child as child
from .actors.actor import Actor
from .actors.channel_ends import HostEnd
from .actors.errors import NEVER_SENT, Unsendable
from .actors.executor import Local
from .actors.exported import runs_code
from .actors.guest_end import GuestEnd
from .actors.guest_handle import GuestHandle
from .actors.handle import ActorHandle
from .actors.method import method
from .actors.namespaces import MAIN
from .actors.ref import ObjectRef
from .transports.guests import pickles

if TYPE_CHECKING:
    from .actors.worker_types import Awaiting, AwaitingDone, CallMethod, RunMethod, Shapes


class StdlibWorker(Actor, executor=Local(), crash_on=(BrokenExecutor,)):
    """A worker whose code runs in a `concurrent.futures.ProcessPoolExecutor` of one process.

    `call`, `run`, `eval` and `exec` are those of a `Worker`.  When the pool is broken the incarnation ends, and
    its supervisor starts another.

    Example:
        worker = await StdlibWorker.start()
        print(await worker.call(math.factorial, 20))
    """

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        self.pid = 0

    async def on_start(self) -> None:
        await self.nursery.start(self.hold)

    async def hold(self, task_status: trio.TaskStatus[None]) -> None:
        """Have the process until the incarnation ends."""
        try:
            self.pid = await self.done(os.getpid)
            task_status.started()
            await trio.sleep_forever()
        finally:
            if self.pid:
                end(self.pid)
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(partial(self.pool.shutdown, cancel_futures=True))

    if TYPE_CHECKING:
        call: ClassVar[Shapes[CallMethod, Awaiting]]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]
        run: ClassVar[Shapes[RunMethod, AwaitingDone]]
    else:

        @method
        @runs_code
        async def call(self, function, /, *args, **kwargs):
            """Call a function; returns what it returns."""
            return await self.done(child.call, packed((function, args, kwargs)))

        @method
        @runs_code
        async def run(self, function, /, *args, **kwargs):
            """Call a function and drop what it returns."""
            await self.done(child.run, packed((function, args, kwargs)))

    @method
    @runs_code
    async def eval(
        self,
        source: str,
        namespace: str = MAIN,
        *,
        given: Mapping[str, Any] | None = None,
        discard: bool = False,
        filename: str | None = None,
    ) -> Any:
        """The value of an expression; None with `discard`."""
        return await self.done(child.evaluate, source, namespace, packed(given), discard, filename)

    @method
    @runs_code
    async def exec(
        self,
        source: str,
        namespace: str = MAIN,
        *,
        given: Mapping[str, Any] | None = None,
        filename: str | None = None,
    ) -> None:
        """Run statements."""
        await self.done(child.execute, source, namespace, packed(given), filename)

    async def done(self, function: Callable[..., Any], *args: Any) -> Any:
        """Have the pool do something; cancelled, what has not begun never does."""
        future: Future[Any] = self.pool.submit(function, *args)
        over = trio.Event()
        token = trio.lowlevel.current_trio_token()
        future.add_done_callback(lambda _: tell(token, over))
        try:
            await over.wait()
        except trio.Cancelled:
            future.cancel()
            raise
        return future.result()


def packed(value: Any) -> bytes:
    """A value for the pool's process; raises Unsendable."""
    try:
        return pickled(pickle.Pickler, value)
    except Unsendable:
        raise
    except Exception:  # by value, then
        return pickled_by_value(value)


def pickled_by_value(value: Any) -> bytes:
    try:
        return pickled(pickles.cloud_pickler(), value)
    except Unsendable:
        raise
    except Exception as error:
        raise Unsendable(f"it cannot be pickled: {error}", NEVER_SENT) from error


def pickled(base: Any, value: Any) -> bytes:
    by_base: Callable[..., Any] = getattr(base, "reducer_override", lambda *_: NotImplemented)  # pyright: ignore[reportUnknownLambdaType]

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, item: Any) -> Any:
            if isinstance(item, OURS):
                raise Unsendable(f"{item!r} {NOT_THERE}", NEVER_SENT)
            return by_base(self, item)

    sink = BytesIO()
    Pickler(sink, 5).dump(value)
    return sink.getvalue()


OURS = HostEnd, GuestEnd, ActorHandle, GuestHandle, ObjectRef
NOT_THERE = "cannot travel to a StdlibWorker, whose process knows no runtime: send values, or use a Worker"


def tell(token: trio.lowlevel.TrioToken, over: trio.Event) -> None:
    """In the pool's own thread."""
    try:
        token.run_sync_soon(over.set)
    except trio.RunFinishedError:
        pass  # nobody waits any more


def end(pid: int) -> None:
    """Kill the pool's process, unless it has ended by itself and its number is somebody else's."""
    for process in active_children():
        if process.pid == pid:
            process.kill()
