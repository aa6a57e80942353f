"""What the methods of a guest do with refs and other actors: the names of the front door, and their blocking forms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from .errors import GetTimeoutError, NoRuntimeError
from .guest_handle import GuestHandle, GuestMethod
from .guest_monitor import monitor as monitor
from .guest_ref import GuestRef, GuestValue, ask, asking
from .guest_stream import GuestStreamMethod


def get_actor(name: str, cls: type | None = None, /, *, namespace: str = "") -> GuestHandle:
    """The handle of an actor, by its name or path; that there is none is told when it is called."""
    asking().check_trust("find", name)
    return GuestHandle(name, cls, namespace)


def cancel(ref: Any) -> bool:
    """Cancel a ref's call; False if it had ended."""
    return bool(checked_ref(ref, "cancel").cancel())


def put(value: Any) -> GuestValue:
    """A ref to a value, to be given to many calls; each method that gives it sends it once."""
    asking().check_trust("call", "put")
    return GuestValue(value)


# -- in async methods ----------------------------------------------------------------------------------


async def get(refs: Any, *, timeout: float | None = None) -> Any:
    """The value of a ref, or of several in their order.

    Raises:
        GetTimeoutError: if time runs out; the calls go on.
    """
    until = end_of(timeout)
    values: list[Any] = []
    for ref in checked_refs([refs] if isinstance(refs, GuestRef) else refs, "get"):
        if until is not None:
            ref.claim()
        if until is not None and not await ended_by([ref], 1, until):
            raise too_late(timeout)
        values.append(await ref)
    return in_shape(refs, values)


async def wait(
    refs: Sequence[GuestRef], *, num_returns: int = 1, timeout: float | None = None
) -> tuple[list[GuestRef], list[GuestRef]]:
    """Wait until `num_returns` of the refs have ended, or `timeout` seconds; returns (ended, pending), in order."""
    many = enough(refs, num_returns)
    claim_all(many, loosely=num_returns < len(many) or timeout is not None)
    await ended_by(many, num_returns, end_of(timeout))
    return divided(many, num_returns)


async def ended_by(refs: list[GuestRef], count: int, until: float | None) -> bool:
    """Wait until so many have ended, or until then; False if that came first."""
    while sum(ref.done for ref in refs) < count:
        pending = [ref for ref in refs if not ref.done]
        if not await pending[0].asker.wait_any_async([ref.question for ref in pending], until):
            return False
    return True


async def kill(handle: Any, *, no_restart: bool = True) -> None:
    """End an actor at once; returns when it is dead."""
    await errand("kill", handle, no_restart)


async def interrupt(handle: Any) -> bool:
    """Interrupt what an actor runs; False if it ran nothing that may be."""
    return bool(await errand("interrupt", handle))


async def wait_ready(handle: Any) -> None:
    """Wait until the actor is ready for calls; raises ActorStartError if it will not be."""
    await errand("ready", handle)


# -- in methods that are not async: understudy.blocking ------------------------------------------------


def call_blocking(method: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a method and wait for its value."""
    if isinstance(method, GuestStreamMethod):
        raise TypeError(f"{method!r} gives a stream: iterate over h.{method.name}(...)")
    if not isinstance(method, GuestMethod):
        raise TypeError(
            f"call() takes a method of another actor, as in call(h.m, ...), not {method!r}; {DEEP}"
        )
    return method.asked(args, kwargs, awaited=True).wait()


def get_blocking(refs: Any, *, timeout: float | None = None) -> Any:
    """The value of a ref, or of several in their order; waits at most `timeout` seconds.

    Raises:
        GetTimeoutError: if time runs out.
    """
    until = end_of(timeout)
    values: list[Any] = []
    for ref in checked_refs([refs] if isinstance(refs, GuestRef) else refs, "get"):
        if until is not None:
            ref.claim()
        if until is not None and not ended_by_blocking([ref], 1, until):
            raise too_late(timeout)
        values.append(ref.wait())
    return in_shape(refs, values)


def wait_blocking(
    refs: Iterable[GuestRef], *, num_returns: int = 1, timeout: float | None = None
) -> tuple[list[GuestRef], list[GuestRef]]:
    """Wait until `num_returns` of the refs have ended, or `timeout` seconds; returns (ended, pending), in order."""
    many = enough(refs, num_returns)
    claim_all(many, loosely=num_returns < len(many) or timeout is not None)
    ended_by_blocking(many, num_returns, end_of(timeout))
    return divided(many, num_returns)


def ended_by_blocking(refs: list[GuestRef], count: int, until: float | None) -> bool:
    while sum(ref.done for ref in refs) < count:
        pending = [ref for ref in refs if not ref.done]
        if not pending[0].asker.wait_any([ref.question for ref in pending], until):
            return False
    return True


def kill_blocking(handle: Any, *, no_restart: bool = True) -> None:
    """End an actor at once; returns when it is dead."""
    errand("kill", handle, no_restart).wait()


def interrupt_blocking(handle: Any) -> bool:
    """Interrupt what an actor runs; False if it ran nothing that may be."""
    return bool(errand("interrupt", handle).wait())


def wait_ready_blocking(handle: Any) -> None:
    """Wait until the actor is ready for calls; raises ActorStartError if it will not be."""
    errand("ready", handle).wait()


# -- what they share -----------------------------------------------------------------------------------

DEEP = "in a thread a handle is of use where it came as an argument, or in a list, tuple, dict or set"


def refuse_elsewhere(value: Any) -> None:
    """Raise NoRuntimeError for what a method was given or has made, in a thread that the method has started."""
    if isinstance(value, GuestHandle | GuestMethod | GuestStreamMethod | GuestRef):
        asking()


def errand(verb: str, handle: Any, *details: Any) -> GuestRef:
    """Have the host do something with an actor."""
    asking().check_trust(verb, getattr(handle, "_path", ""))
    if not isinstance(handle, GuestHandle):
        raise TypeError(f"this takes the handle of an actor, not {handle!r}; {DEEP}")
    question = ask(verb, handle._target(), *details)  # pyright: ignore[reportPrivateUsage]
    return GuestRef(question, verb, True)


def end_of(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def too_late(timeout: float | None) -> GetTimeoutError:
    return GetTimeoutError(f"get() did not have its values within {timeout} s")


def in_shape(refs: Any, values: list[Any]) -> Any:
    """The values as the refs were given: one, a tuple, a list."""
    if isinstance(refs, GuestRef):
        return values[0]
    return tuple(values) if isinstance(refs, tuple) else values


def checked_ref(ref: Any, verb: str) -> GuestRef:
    if not isinstance(ref, GuestRef):
        raise TypeError(
            f"{verb}() takes refs, as h.m.remote(...) gives them in this actor's methods, not {ref!r}"
        )
    return ref


def checked_refs(refs: Iterable[Any], verb: str) -> list[GuestRef]:
    return [checked_ref(ref, verb) for ref in refs]


def enough(refs: Iterable[GuestRef], num_returns: int) -> list[GuestRef]:
    if isinstance(refs, GuestRef):
        raise TypeError(f"wait() takes a list of refs, as in wait([ref]), not {refs!r}")
    many = checked_refs(refs, "wait")
    if not 0 < num_returns <= len(many):
        raise ValueError(f"num_returns must be from 1 to the number of refs, {len(many)}, not {num_returns}")
    return many


def claim_all(refs: list[GuestRef], loosely: bool) -> None:
    """Tell the host who waits: one that waits in turn for the call that runs here ends with a DeadlockError."""
    for ref in refs:
        ref.claim(loosely)


def divided(refs: list[GuestRef], num_returns: int) -> tuple[list[GuestRef], list[GuestRef]]:
    ended = [ref for ref in refs if ref.done][:num_returns]
    chosen = {id(ref) for ref in ended}
    return ended, [ref for ref in refs if id(ref) not in chosen]


# -- what cannot be had there --------------------------------------------------------------------------


def refused(name: str, instead: str) -> Callable[..., NoReturn]:
    """Stands for a name that is of no use in a guest, and says what is."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise NoRuntimeError(
            f"{name} cannot be had in the methods of an actor in a process or a thread; {instead}"
        )

    return refuse


open_scope = refused("open_scope()", "a call owns the refs and streams made in it, and ends them")
statistics = refused("statistics()", "ask a method of the other actor, or an actor with executor=Local()")
dump = refused("dump()", "call it beside the actors, where the runtime was opened")
feed = refused("feed()", "call it beside the actors, where the runtime was opened")
