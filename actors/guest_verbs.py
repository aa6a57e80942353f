"""What the methods of a guest do with refs and other actors: the names of the front door, and their blocking forms."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from .errors import GetTimeoutError
from .guest_handle import GuestHandle, GuestMethod, GuestRef


def get_actor(name: str, cls: type | None = None, /, *, namespace: str = "") -> GuestHandle:
    """The handle of an actor, by its name or path; that there is none is told when it is called."""
    return GuestHandle(name, cls, namespace)


def cancel(ref: Any) -> bool:
    """Cancel a ref's call; False if it had ended."""
    cancelled: bool = ref.cancel()
    return cancelled


async def get(refs: Any, *, timeout: float | None = None) -> Any:
    """The value of a ref, or of several in their order, in an `async` method.

    Raises:
        TypeError: for a `timeout`; either loop has its own.
    """
    if timeout is not None:
        raise TypeError(
            "in a method write get() without timeout, inside trio.fail_after() or asyncio.timeout()"
        )
    if isinstance(refs, GuestRef):
        return await refs
    values = [await ref for ref in refs]
    return tuple(values) if isinstance(refs, tuple) else values


# -- in methods that are not async: understudy.blocking ----------------------------------------------


def call_blocking(method: GuestMethod, *args: Any, **kwargs: Any) -> Any:
    """Call a method and wait for its value."""
    return (
        checked(method, GuestMethod, "call() takes a method, as in call(h.m, ...)")
        .asked(args, kwargs, awaited=True)
        .wait()
    )


def get_blocking(refs: Any, *, timeout: float | None = None) -> Any:
    """The value of a ref, or of several in their order; waits at most `timeout` seconds.

    Raises:
        GetTimeoutError: if time runs out.
    """
    until = None if timeout is None else time.monotonic() + timeout
    if isinstance(refs, GuestRef):
        return outcome(refs, until, timeout)
    values = [outcome(ref, until, timeout) for ref in refs]
    return tuple(values) if isinstance(refs, tuple) else values


def checked(value: Any, kind: type[Any], usage: str) -> Any:
    """It, if it is ours; a handle deep in an argument reaches a thread as the host's own, which is of no use here."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{usage}, of a handle that came as an argument of its own or from get_actor(); not {value!r}"
        )
    return value


def outcome(ref: GuestRef, until: float | None, timeout: float | None) -> Any:
    if until is not None and not done_by(ref, until):
        raise GetTimeoutError(f"get() did not have its values within {timeout} s")
    return ref.wait()


def wait_blocking(
    refs: Iterable[GuestRef], *, num_returns: int = 1, timeout: float | None = None
) -> tuple[list[GuestRef], list[GuestRef]]:
    """Wait until `num_returns` of the refs have ended, or `timeout` seconds; returns (ended, pending), in order."""
    refs = checked_list(refs)
    if not 0 < num_returns <= len(refs):
        raise ValueError(f"num_returns must be from 1 to the number of refs, {len(refs)}, not {num_returns}")
    until = None if timeout is None else time.monotonic() + timeout
    while sum(ref.done for ref in refs) < num_returns:
        pending = [ref for ref in refs if not ref.done]
        if not pending[0].asker.wait_any([ref.question for ref in pending], until):
            break
    ended = [ref for ref in refs if ref.done][:num_returns]
    chosen = {id(ref) for ref in ended}
    return ended, [ref for ref in refs if id(ref) not in chosen]


def checked_list(refs: Any) -> list[GuestRef]:
    many: list[Any] = list(refs) if hasattr(refs, "__iter__") else [None]
    if not all(isinstance(ref, GuestRef) for ref in many):
        raise TypeError(f"wait() takes a list of refs, as in wait([ref]), not {refs!r}")
    return many


def done_by(ref: GuestRef, until: float) -> bool:
    """Wait until a call has ended, or until then."""
    while not ref.done and ref.asker.wait_any([ref.question], until):
        pass
    return ref.done
