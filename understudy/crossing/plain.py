"""What `understudy.blocking` offers in a process that has runtimes: the verbs of plain code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TextIO, TypeGuard, TypeVar, Unpack, overload

import trio

from ..actors import guest_verbs, verbs
from ..actors.dump import dump as dump_there
from ..actors.errors import NoRuntimeError
from ..actors.feeding import feed as feed_there
from ..actors.function import RemoteFunction
from ..actors.method import ActorMethod
from ..actors.ref import ObjectRef
from ..actors.sides import by_host
from ..actors.signature import Check
from ..actors.streaming import StreamMethod
from ..supervisors.observing import Observing
from ..supervisors.spec import Supervisor
from ..supervisors.within import beside_the_call, waited_for
from ..transports.guests.interrupts import Interrupted
from ..transports.guests.protocol import CALL
from .handle import far_handle
from .mailbox import FarMailbox
from .runtime import FarRuntime, Shared
from .thread import RuntimeThread
from .verbs import divided, enough_of, far_list, far_refs, too_late, values_of
from .waiters import ThreadWaiter

if TYPE_CHECKING:
    from ..actors.actor import Handle
    from ..actors.worker_types import AwaitingCallMethod, CallMethod, RunMethod


A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class open_runtime(AbstractContextManager[FarRuntime, None]):  # noqa: N801  used as the function it is elsewhere
    """Open a runtime in a thread of its own, start the tree, and stop everything when the block is left.

    Left normally, accepted casts are carried out first; left by an exception, they are dropped.  A Ctrl-C
    while it closes has everything killed at once.

    Raises:
        ActorStartError: if a child of the tree does not start; what had started is stopped.
        TreeFailedError: when the block is left, if the tree's restarts ran out while it was open.
        NoRuntimeError: in a task of asyncio or trio, whose loop it would hold up.
    """

    def __init__(self, tree: Supervisor | None = None, **options: Unpack[Observing]) -> None:
        self.tree = tree
        self.options = options
        self.beside: AbstractContextManager[Any] | None = None

    def __enter__(self) -> FarRuntime:
        if in_a_loop():
            raise NoRuntimeError(IN_A_LOOP)
        self.beside = beside_the_call()
        self.beside.__enter__()
        try:
            return self.open()
        except BaseException:
            self.beside.__exit__(None, None, None)
            raise

    def open(self) -> FarRuntime:
        self.thread = RuntimeThread(self.tree, options=self.options)
        try:
            self.thread.begin()
            self.thread.crossing.sleep(self.thread.opened)
        except BaseException:
            self.thread.stop(drop=True)
            self.closed()
            raise
        if self.thread.failure is not None:
            self.closed()
            raise self.thread.failure
        runtime = FarRuntime(self.thread)
        self.shared = Shared(runtime)
        return runtime

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.shared.withdraw()
        self.thread.stop(drop=error is not None)
        with waited_for():
            self.closed()
        if self.beside is not None:
            self.beside.__exit__(None, None, None)
        failure = self.thread.failure
        if failure is not None and error is None:
            raise failure
        if failure is not None and error is not None and not isinstance(failure, Interrupted):
            error.add_note(f"Meanwhile the runtime's tree had failed: {failure}")

    async def __aenter__(self) -> NoReturn:
        raise NoRuntimeError(IN_A_LOOP)

    async def __aexit__(self, *details: object) -> None: ...

    def closed(self) -> None:
        """Wait until the thread has ended; a Ctrl-C hurries it."""
        try:
            self.thread.crossing.sleep(self.thread.ended)
        except BaseException:
            self.thread.hurry()
            self.thread.crossing.sleep(self.thread.ended)
            raise
        finally:
            self.thread.join()  # that was its last act


def in_a_loop() -> bool:
    """Does a task of asyncio or trio run here?"""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return trio.lowlevel.in_trio_run()
    return True


IN_A_LOOP = (
    "understudy.blocking.open_runtime() is entered by `with`, in plain code; under asyncio write"
    " `async with understudy.aio.open_runtime():`, under trio `async with understudy.open_runtime():`"
)

# -- Ray's shape: one runtime for the whole program ----------------------------------------------------

_program: list[open_runtime] = []


def init(
    tree: Supervisor | None = None, *, ignore_reinit_error: bool = False, **options: Unpack[Observing]
) -> FarRuntime:
    """Open a runtime for the rest of the program; it is closed by `shutdown()`, or when the interpreter exits.

    Raises:
        RuntimeError: if there is one, unless `ignore_reinit_error`.
    """
    if is_initialized():
        if not ignore_reinit_error:
            raise RuntimeError(
                "init() was called already; call shutdown() first, or give ignore_reinit_error=True"
            )
        return _program[-1].shared.runtime
    block = open_runtime(tree, **options)
    runtime = block.open()  # in a notebook's cell a loop runs, and that is no mistake
    _program[:] = [block]
    return runtime


def shutdown() -> None:
    """Close the runtime that `init()` opened; nothing if there is none."""
    if _program:
        _program.pop().__exit__(None, None, None)


def is_initialized() -> bool:
    """Is there a runtime that `init()` opened?"""
    return bool(_program) and not _program[-1].thread.ended.over


# -- verbs ---------------------------------------------------------------------------------------------


@overload
def call(method: RunMethod, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
@overload
def call(
    method: AwaitingCallMethod,
    function: Callable[P, Coroutine[Any, Any, R]],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R: ...
@overload
def call(method: CallMethod, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
@overload
def call(
    method: ActorMethod[Callable[P, R]] | RemoteFunction[Callable[P, R]], /, *args: P.args, **kwargs: P.kwargs
) -> R: ...
@overload
def call(method: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
def call(method: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call a method and wait for its value: `blocking.call(counter.add, 5)`; so with a remote function.

    `blocking.call(pool.add.broadcast, 5)` calls every member of a pool.  A Ctrl-C withdraws the call: queued, it
    never runs; running, it is interrupted.

    Raises:
        CallError: what ended the call otherwise than with its value.
        TypeError: for anything else, such as a method that is a generator: iterate over `h.m(...)`.
    """
    if by_host(method):
        return guest_verbs.call_blocking(method, *args, **kwargs)
    everyone = getattr(method, "__func__", None) is ActorMethod.broadcast
    method, check = bound(method.__self__ if everyone else method)
    mailbox, refs = method.mailbox, check(*args, **kwargs)
    if not isinstance(mailbox, FarMailbox):
        raise NoRuntimeError(f"{method!r} belongs to a runtime of this very trio run; await it")
    if everyone:
        return mailbox.crossing.perform_blocking(mailbox.near.broadcast, method, args, kwargs, refs)
    if refs:
        return mailbox.crossing.perform_blocking(mailbox.near.ask_with_refs, method, args, kwargs)
    return mailbox.crossing.ask_blocking(mailbox.make(CALL, method, args, kwargs))


def bound(method: Any) -> tuple[ActorMethod[Any], Check]:
    """The method behind what `call` was given, and what checks its arguments."""
    if isinstance(method, RemoteFunction):
        return method.method(), method.check
    if is_method(method):
        return method, method.check
    if isinstance(method, StreamMethod):
        raise TypeError(f"{method.name}() gives a stream: write `for item in h.{method.name}(...)`")
    guest_verbs.refuse_elsewhere(method)
    raise TypeError(
        f"call() takes a method of a handle or a remote function, as in call(h.m, ...), not {method!r}"
    )


def is_method(value: Any) -> TypeGuard[ActorMethod[Any]]:
    return isinstance(value, ActorMethod)


@overload
def get(refs: ObjectRef[A], *, timeout: float | None = None) -> A: ...
@overload
def get(refs: tuple[ObjectRef[A], ObjectRef[B]], *, timeout: float | None = None) -> tuple[A, B]: ...  # type: ignore[overload-overlap]
@overload
def get(  # type: ignore[overload-overlap]
    refs: tuple[ObjectRef[A], ObjectRef[B], ObjectRef[C]], *, timeout: float | None = None
) -> tuple[A, B, C]: ...
@overload
def get(refs: Iterable[ObjectRef[A]], *, timeout: float | None = None) -> list[A]: ...
def get(refs: Any, *, timeout: float | None = None) -> Any:
    """The value of a ref, or the values of several in their order.

    Waits at most `timeout` seconds; the calls go on after that, and after a Ctrl-C.

    Raises:
        GetTimeoutError: if time runs out.
        CallError: what ended the call, for the first ref in order that failed.
    """
    if by_host(refs):
        return guest_verbs.get_blocking(refs, timeout=timeout)
    many = far_refs(refs)
    until = None if timeout is None else time.monotonic() + timeout
    for ref in many:
        left = None if until is None else until - time.monotonic()
        if not ref.crossing.sleep(ref.reply.gate, left):
            raise too_late(timeout)
        ref.value()
    return values_of(refs, many)


def wait(
    refs: Sequence[ObjectRef[T]], *, num_returns: int = 1, timeout: float | None = None
) -> tuple[list[ObjectRef[T]], list[ObjectRef[T]]]:
    """Wait until `num_returns` of the refs have ended, or `timeout` seconds; returns (ended, pending), in order.

    Raises:
        TypeError: if one of them is no ref.
        ValueError: if there are fewer refs than that.
    """
    if by_host(refs):
        return guest_verbs.wait_blocking(refs, num_returns=num_returns, timeout=timeout)  # type: ignore[arg-type, return-value]
    many, waiter = far_list(refs, num_returns), ThreadWaiter()
    with enough_of(many, num_returns, waiter) as to_come:
        if to_come:
            many[0].crossing.refuse_own_thread()
            waiter.wait(timeout)
    return divided(refs, num_returns)


def kill(handle: Handle[Any], *, no_restart: bool = True) -> None:
    """End an actor at once, without asking it; returns when it is dead.

    With `no_restart=False` its supervisor brings it back, and calls that had not begun are kept.
    """
    if by_host(handle):
        return guest_verbs.kill_blocking(handle, no_restart=no_restart)
    across(handle, partial(verbs.kill, no_restart=no_restart))
    return None


def interrupt(handle: Handle[Any]) -> bool:
    """Interrupt the call that an actor runs; returns False if it ran none, or one marked `interrupt=False`.

    As `understudy.interrupt`: returns when the call has ended.  After a Ctrl-C the interrupt goes on.
    """
    if by_host(handle):
        return guest_verbs.interrupt_blocking(handle)
    done: bool = across(handle, verbs.interrupt)
    return done


def wait_ready(handle: Handle[Any]) -> None:
    """Wait until the actor is ready for calls.

    Raises:
        ActorStartError: if it will not be: its start failed, or it is dead.
    """
    if by_host(handle):
        return guest_verbs.wait_ready_blocking(handle)
    across(handle, verbs.wait_ready)
    return None


def dump(handle: Handle[Any], *, timeout: float = 2.0, file: TextIO | None = None) -> str:
    """Print the stacks of an actor's threads or tasks, and return them as text; as `understudy.dump`."""
    text: str = across(handle, partial(dump_there, timeout=timeout, file=file))
    return text


def feed(handle: Handle[Any], data: bytes | str = b"", *, close: bool = False) -> None:
    """Write to the standard input of an actor with `Process(stdin="pipe")`; as `understudy.feed`."""
    across(handle, partial(feed_there, data=data, close=close))


def across(handle: Any, verb: Callable[..., Any]) -> Any:
    far = far_handle(handle)
    return far._crossing.perform_blocking(verb, far)  # pyright: ignore[reportPrivateUsage]
