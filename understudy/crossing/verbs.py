"""What `aio` and `blocking` share of their verbs."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard, TypeVar

from ..actors import guest_verbs, verbs
from ..actors.errors import GetTimeoutError
from ..actors.put import PutValue
from ..actors.ref import ObjectRef
from ..actors.sides import by_host
from ..actors.spawner import open_spawner
from ..actors.statistics import Statistics
from .crossing import Crossing
from .handle import far_handle
from .ref import FarRef, ValueRef
from .waiters import Tally, Waiter

T = TypeVar("T")

Refs = Sequence[ObjectRef[T]]


def is_far_ref(value: Any) -> TypeGuard[FarRef[Any]]:
    return isinstance(value, FarRef)


def open_crossing() -> Crossing:
    """The way to the runtime that is open here; raises NoRuntimeError if there is none."""
    found: Any = open_spawner()
    crossing: Crossing = found.crossing
    return crossing


def is_put(value: Any) -> TypeGuard[ObjectRef[Any]]:
    return isinstance(getattr(value, "call", None), PutValue)


def is_many(value: Any) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable)


def far_ref(value: Any) -> FarRef[Any]:
    """The value, if it is a ref that these doors can use; raises TypeError for anything else."""
    if is_far_ref(value):
        return value
    if is_put(value):
        return ValueRef(value, open_crossing())
    guest_verbs.refuse_elsewhere(value)
    raise TypeError(
        f"this takes a ref, h.m.remote(...), of a handle made under aio or blocking, not {value!r}"
    )


def far_refs(refs: Any) -> tuple[FarRef[Any], ...]:
    """One ref or several, as several."""
    return tuple(map(far_ref, refs)) if is_many(refs) else (far_ref(refs),)


def values_of(refs: Any, many: Iterable[FarRef[Any]]) -> Any:
    """The values of refs that have ended, in the shape that was asked for."""
    values = [ref.value() for ref in many]
    if isinstance(refs, ObjectRef):
        return values[0]
    return tuple(values) if isinstance(refs, tuple) else values


def too_late(timeout: float | None) -> GetTimeoutError:
    return GetTimeoutError(f"get() did not have its values within {timeout} s")


def far_list(refs: Any, num_returns: int) -> list[FarRef[Any]]:
    """What `wait` was given, as refs that these doors can use.

    Raises:
        TypeError: if it is no list of refs.
        ValueError: if there are fewer refs than that.
    """
    many = list(map(far_ref, verbs.checked_refs(refs)))
    if not many:
        raise ValueError("wait() was given no refs; num_returns must be from 1 to their number")
    if not 0 < num_returns <= len(many):
        raise ValueError(f"num_returns must be from 1 to the number of refs, {len(many)}, not {num_returns}")
    return many


@contextmanager
def enough_of(many: list[FarRef[Any]], num_returns: int, waiter: Waiter) -> Generator[bool]:
    """Tells the waiter once so many refs have ended; gives whether that is still to come."""
    tally = Tally(waiter)
    over = sum(not ref.reply.gate.add(tally) for ref in many)
    try:
        yield over < num_returns and tally.arm(num_returns - over)
    finally:
        for ref in many:
            ref.reply.gate.discard(tally)


def divided(refs: Refs[T], num_returns: int) -> tuple[list[ObjectRef[T]], list[ObjectRef[T]]]:
    """The refs that have ended, at most so many, and the others; both in order."""
    ended = [ref for ref in refs if ref.done][:num_returns]
    chosen = {id(ref) for ref in ended}
    return ended, [ref for ref in refs if id(ref) not in chosen]


def cancel(ref: ObjectRef[Any]) -> bool:
    """Cancel a ref's call: queued, it never runs; running, it is interrupted as its executor can.

    Whoever waits for the ref gets a TaskCancelledError at once.  Returns False if the call had ended.
    """
    if by_host(ref):
        return guest_verbs.cancel(ref)
    far = far_ref(ref)
    return far.crossing.do(verbs.cancel, far)


def statistics(handle: Any) -> Statistics:
    """What an actor is doing now, as a frozen value."""
    if by_host(handle):
        guest_verbs.statistics(handle)
    far = far_handle(handle)
    return far._crossing.do(verbs.statistics, far)  # pyright: ignore[reportPrivateUsage]
