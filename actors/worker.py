"""`Worker` and `AsyncWorker`: actors that run code, functions and text, in a process of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..transports.guests import context
from .actor import Actor
from .executor import Process
from .exported import runs_code
from .method import method
from .namespaces import AWAITING, MAIN, PLAIN, Namespaces, code_of, run, run_async

if TYPE_CHECKING:
    from .worker_types import AsyncCalled, AsyncDone, Called, Done


class Worker(Actor, executor=Process(trusted=False)):
    """Runs code in a process that can always be interrupted; by default nothing it says is believed.

    `call(f, *args, **kwargs)` calls a function and gives its result; `run(f, ...)` drops it where it is;
    `eval("x + 1")` gives the value of an expression, or drops it with `discard=True`; `exec("x = 1")` runs
    statements.  Text runs in a namespace, `"__main__"` or any module's: one that is loaded, or can be imported,
    or is made under that name; `given` sets names there first.  Namespaces last as long as the process.

    Each of them is awaited, or `.remote(...)` for an ObjectRef, or `.cast(...)`; a cast that fails is told as an
    event (FailureUnseen) and ends nothing.  Functions and values of any kind go to it.  What comes back is
    data: numbers, text, bytes, None, lists and dicts of them; tuples and sets come as lists.  For results of any
    kind trust it: `Worker.options(executor=Process())`.  `max_concurrency=8` runs up to eight at once, in threads.

    Example:
        worker = await Worker.start()
        print(await worker.call(math.factorial, 20))
        await worker.exec("import os; x = os.getpid()")
        print(await worker.eval("x + n", given={"n": 1}))

    Raises:
        TaskError: what the code raised; also an instance of that, where it can be rebuilt here.
        Unsendable: if the function or an argument cannot be pickled, or the result may not travel.
    """

    def __init__(self) -> None:
        self.namespaces = Namespaces(lambda: is_alone(self))

    if TYPE_CHECKING:
        call: ClassVar[Called]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]
        run: ClassVar[Done]
    else:

        @method
        @runs_code
        def call(self, function, /, *args, **kwargs):
            """Call a function; returns what it returns."""
            return run(function, args, kwargs)

        @method
        @runs_code
        def run(self, function, /, *args, **kwargs):
            """Call a function and drop what it returns, which need not be fit to travel."""
            run(function, args, kwargs)

    @method
    @runs_code
    def eval(
        self,
        source: str,
        namespace: str = MAIN,
        *,
        given: Mapping[str, Any] | None = None,
        discard: bool = False,
        filename: str | None = None,
    ) -> Any:
        """The value of an expression; None with `discard`."""
        code = code_of(source, "eval", filename, PLAIN)
        value = run(eval, (code, self.namespaces.names(namespace, given)), {})
        return None if discard else value

    @method
    @runs_code
    def exec(
        self,
        source: str,
        namespace: str = MAIN,
        *,
        given: Mapping[str, Any] | None = None,
        filename: str | None = None,
    ) -> None:
        """Run statements."""
        code = code_of(source, "exec", filename, PLAIN)
        run(exec, (code, self.namespaces.names(namespace, given)), {})


class AsyncWorker(Actor, executor=Process(trusted=False)):
    """A `Worker` with an event loop: `async` functions are awaited, and text may `await`; many run side by side.

    `executor=Process(trusted=False, loop="asyncio")` chooses the loop; it is trio's otherwise.  What does not
    await holds up all else that runs in it.

    Example:
        worker = await AsyncWorker.start()
        await worker.exec("import trio; await trio.sleep(0.1)")
        print(await worker.call(fetch, "a"))        # async def fetch(...)
    """

    def __init__(self) -> None:
        self.namespaces = Namespaces(lambda: is_alone(self))

    if TYPE_CHECKING:
        call: ClassVar[AsyncCalled]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]
        run: ClassVar[AsyncDone]
    else:

        @method
        @runs_code
        async def call(self, function, /, *args, **kwargs):
            """Call a function, await it if it is `async`; returns what it returns."""
            return await run_async(function, args, kwargs)

        @method
        @runs_code
        async def run(self, function, /, *args, **kwargs):
            """Call a function and drop what it returns, which need not be fit to travel."""
            await run_async(function, args, kwargs)

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
        """The value of an expression, which may `await`; None with `discard`."""
        code = code_of(source, "eval", filename, AWAITING)
        value = await run_async(eval, (code, self.namespaces.names(namespace, given)), {})
        return None if discard else value

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
        """Run statements, which may `await`."""
        code = code_of(source, "exec", filename, AWAITING)
        await run_async(eval, (code, self.namespaces.names(namespace, given)), {})


def is_alone(worker: Actor) -> bool:
    """Is this process there for nobody but this worker?"""
    here, base = context.present(), context.base
    if here is base and base.actor is None:  # its own __init__ runs, or this is no guest
        return base.details is not None
    return here.actor is worker and here.details is base.details
