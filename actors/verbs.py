"""What one does with refs and handles, as functions: `get`, `wait`, `cancel`, `kill`, `interrupt` and the like."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

import trio

from . import guest_verbs
from .errors import DeadlockError, GetTimeoutError
from .guest_ref import GuestRef
from .handle import ActorHandle, of_class
from .here import check_here
from .leaving import call_off
from .reasons import SIGNAL, ExitReason
from .ref import ObjectRef
from .sides import by_host
from .spawner import open_spawner
from .statistics import Statistics, statistics_of

if TYPE_CHECKING:
    from .actor import Handle
    from .life import Life

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
R = TypeVar("R", bound="ObjectRef[Any]")
T = TypeVar("T")

KILLED = ExitReason(SIGNAL, "killed by kill()", ordered=True)


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
    if by_host(refs):
        return await guest_verbs.get(refs, timeout=timeout)
    many: tuple[ObjectRef[Any], ...] = (refs,) if is_ref(refs) else tuple(refs)
    check_all_here(many, "get(...)")
    in_time = all(ref.done for ref in many)
    with trio.move_on_after(float("inf") if timeout is None or in_time else timeout):
        values: list[Any] = [await ref for ref in many]
        if is_ref(refs):
            return values[0]
        return tuple(values) if isinstance(refs, tuple) else values
    raise GetTimeoutError(f"get() did not have its values within {timeout} s")


def is_ref(value: object) -> bool:
    return isinstance(value, ObjectRef)


async def wait(
    refs: Sequence[R], *, num_returns: int = 1, timeout: float | None = None
) -> tuple[list[R], list[R]]:
    """Wait until `num_returns` of the refs have ended, or `timeout` seconds; returns (ended, pending), in order.

    The refs may be of any actors, of put values, and of different types; one that is given twice counts twice.

    Raises:
        TypeError: if one of them is no ref.
        ValueError: if there are fewer refs than that.
        DeadlockError: if all are waited for without a timeout, and one of them waits for the call that waits here.
    """
    if by_host(refs):
        return await guest_verbs.wait(refs, num_returns=num_returns, timeout=timeout)  # type: ignore[arg-type, return-value]
    many: list[R] = checked_refs(refs)
    if not 0 < num_returns <= len(many):
        raise ValueError(f"num_returns must be from 1 to the number of refs, {len(many)}, not {num_returns}")
    check_all_here(many, "wait(...)")
    pending = [ref for ref in many if not ref.done]
    missing = num_returns - len(many) + len(pending)
    if missing > 0:
        await wait_for(pending, missing, timeout)
    else:
        await trio.lowlevel.checkpoint()
    ended: list[R] = []
    rest: list[R] = []
    for ref in many:
        (ended if ref.done and len(ended) < num_returns else rest).append(ref)
    return ended, rest


def checked_refs(refs: Any) -> list[Any]:
    try:
        many: list[Any] = list(() if is_ref(refs) else refs)
    except TypeError:
        many = [None]
    if is_ref(refs) or not all(map(is_ref, many)):
        for one in many:
            guest_verbs.refuse_elsewhere(one)
        raise TypeError(f"wait() takes a list of refs, as in wait([ref]), not {refs!r}")
    return many


async def wait_for(pending: Sequence[ObjectRef[Any]], missing: int, timeout: float | None) -> None:
    """Wait until so many of these have ended, or the time is over; no task is needed for that."""
    enough = trio.Event()

    def count() -> None:
        nonlocal missing
        missing -= 1
        if missing == 0:
            enough.set()

    loosely = missing < len(pending) or timeout is not None
    claimed = claim_all(pending, loosely)
    for ref in pending:
        ref.watcher.listen(count)
    try:
        with trio.move_on_after(math.inf if timeout is None else timeout):
            await enough.wait()
    finally:
        for ref in pending:
            ref.watcher.ignore(count)
        for ref in claimed:
            ref.call.maker = None


def claim_all(refs: Sequence[ObjectRef[Any]], loosely: bool) -> list[ObjectRef[Any]]:
    """Have the call that runs here wait for all of these, or for none of them; returns those it had not waited for."""
    claimed: list[ObjectRef[Any]] = []
    try:
        claimed.extend(ref for ref in refs if ref.claim(loosely))  # keeps what comes before an error
    except DeadlockError:
        for ref in claimed:
            ref.call.maker = None
        raise
    return claimed


def cancel(ref: ObjectRef[Any]) -> bool:
    """Cancel a ref's call: queued, it never runs; running, it is interrupted as its executor can.

    Whoever awaits the ref gets a TaskCancelledError: at once, or, if the method has `cancel="wait"`, when it
    is known to have ended; `await ref.wait_done()` waits for that.  Returns False if the call had ended.
    """
    given: Any = ref
    if isinstance(given, GuestRef):
        return guest_verbs.cancel(given)
    check_all_here((ref,), "cancel(ref)")
    return call_off(ref.call, " by cancel()")


async def kill(handle: Handle[Any], *, no_restart: bool = True) -> None:
    """End an actor at once, without asking it; returns when it is dead.

    With `no_restart=False` its supervisor brings it back, and calls that had not begun are kept.
    """
    if by_host(handle):
        return await guest_verbs.kill(handle, no_restart=no_restart)
    life = life_of(handle, "kill(handle)")
    if no_restart:
        life.overseer.terminate(life, KILLED)
        await life.wait_dead()
    elif life.incarnation is not None:
        number = life.number
        life.incarnation.kill(KILLED)
        while life.is_running(number):
            await life.wait_changed()


class Company(Protocol):
    """Many actors behind one handle, such as all below a supervisor."""

    async def interrupt(self) -> bool: ...


async def interrupt(handle: Handle[Any] | Company) -> bool:
    """Interrupt what an actor runs; returns False if it ran nothing, or only calls marked `interrupt=False`.

    The caller gets a CallInterruptedError.  If the method does not end, the ladder is climbed: terminate,
    kill, and the supervisor decides.  Returns when the call has ended, however that came.  If cancelled while
    waiting, the interrupt goes on.  Of a supervisor all that runs below it is interrupted, leaves first, within 5 s.
    """
    if by_host(handle):
        return await guest_verbs.interrupt(handle)
    if not isinstance(handle, ActorHandle | type) and hasattr(handle, "interrupt"):
        return await handle.interrupt()
    incarnation = life_of(handle, "interrupt(handle)").incarnation
    ends = incarnation.interrupt() if incarnation is not None else ()
    for over in ends:
        await over.wait()
    if not ends:
        await trio.lowlevel.checkpoint()
    return bool(ends)


async def wait_ready(handle: Handle[Any]) -> None:
    """Wait until the actor is ready for calls.

    Raises:
        ActorStartError: if it will not be: its start failed, or it is dead.
    """
    if by_host(handle):
        return await guest_verbs.wait_ready(handle)
    await life_of(handle, "wait_ready(handle)").wait_ready()
    return None


def statistics(handle: Handle[Any]) -> Statistics:
    """What an actor is doing now, as a frozen value."""
    if by_host(handle):
        guest_verbs.statistics(handle)
    return statistics_of(life_of(handle, "statistics(handle)"))


@overload
def get_actor(name: str, /, *, namespace: str = "") -> Handle[Any]: ...
@overload
def get_actor(name: str, cls: Callable[..., T], /, *, namespace: str = "") -> Handle[T]: ...
def get_actor(name: str, cls: Any = None, /, *, namespace: str = "") -> Any:
    """The handle of an actor, by its name or its path in the tree; the class gives it its type, and is checked.

    Raises:
        ActorNotFoundError: if there is none.
        TypeError: if it is neither of that class nor of a subclass.
        NoRuntimeError: if no runtime is open.
    """
    if by_host():
        return guest_verbs.get_actor(name, cls, namespace=namespace)
    return of_class(open_spawner().find(name, namespace), cls)


def check_all_here(refs: Iterable[ObjectRef[Any]], verb: str) -> None:
    for ref in refs:
        check_here(ref.house.stage, f"call {ref.id}", verb if ref.by_a_door else "")


def life_of(handle: Any, verb: str = "") -> Life:
    """The life behind a handle; raises TypeError for anything else.

    `verb` is what is done with it, if `aio` and `blocking` have that too.
    """
    if not isinstance(handle, ActorHandle):
        raise TypeError(f"this takes the handle of an actor, not {handle!r}")
    life = handle._life  # pyright: ignore[reportPrivateUsage]
    check_here(life.house.stage, life.path, verb if handle._by_a_door else "")  # pyright: ignore[reportPrivateUsage]
    return life
