"""`StdlibWorker`: what a `Worker` does, by the standard library's process pool; to compare with, and no more.

Where it is weaker: its process starts in a tenth of a second or more and imports the program's main module again; an interrupt ends the
wait, while the code goes on and later calls wait for it; a death is told only as a broken pool; all that comes
back is unpickled, so the code must be trusted; and if this process is killed, that one may outlive it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any, ClassVar

import trio

from . import stdlib_child as child
from .actors.actor import Actor
from .actors.executor import Local
from .actors.exported import runs_code
from .actors.method import method
from .actors.namespaces import MAIN
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
            return await self.done(child.call, pickles.dumps((function, args, kwargs)))

        @method
        @runs_code
        async def run(self, function, /, *args, **kwargs):
            """Call a function and drop what it returns."""
            await self.done(child.run, pickles.dumps((function, args, kwargs)))

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
        return await self.done(child.evaluate, source, namespace, pickles.dumps(given), discard, filename)

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
        await self.done(child.execute, source, namespace, pickles.dumps(given), filename)

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
