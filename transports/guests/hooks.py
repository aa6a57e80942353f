"""When the hooks of a guest's actor run, and what their failure means.

Told once for all loops: one without tasks runs these coroutines to their end at once, as nothing in them waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from . import protocol as p
from .context import ActorExit

if TYPE_CHECKING:
    from .guest import Guest

T = TypeVar("T")


class Staged(Protocol):
    """A loop, as its actor's hooks need it: `cue` runs one in the actor's turn, awaited where it is async."""

    guest: Guest

    def cue(self, function: Callable[..., Any], /, *args: Any) -> Coroutine[Any, Any, Any]: ...
    def passes(self, error: BaseException, /) -> bool: ...
    def clear(self) -> None: ...


async def rise(staged: Staged, settings: Mapping[str, Any]) -> None:
    """Make the actor, hand it what its forerunner saved, let it start; raises what that raises."""
    guest = staged.guest
    guest.make_actor(settings)
    if "state" in settings and p.LOAD in guest.hooks:
        guest.step = p.LOAD
        try:
            await staged.cue(guest.actor.load_state, guest.values.load(settings["state"]))
        except BaseException as error:
            let_through(staged, error)
            guest.mishap(p.LOAD, error)
            staged.clear()
            guest.make_actor(settings)  # half a state is none
    guest.step = "on_start"
    if "on_start" in guest.hooks:
        await staged.cue(guest.actor.on_start)


async def fall(staged: Staged) -> None:
    """Save what the next incarnation shall have, then let the actor stop."""
    guest = staged.guest
    if p.SAVE in guest.hooks:
        try:
            state = guest.values.item(await staged.cue(guest.actor.save_state))
            guest.say([p.STATE, state])
        except BaseException as error:
            let_through(staged, error)
            guest.mishap(p.SAVE, error)
    if p.LAST in guest.hooks:
        try:
            await staged.cue(guest.actor.on_stop, guest.why)
        except BaseException as error:
            let_through(staged, error)
            if not leaves(error):
                guest.mishap(p.LAST, error)


async def mend(staged: Staged) -> None:
    """Let the actor repair itself after an interrupt; raises Leave if it could not."""
    guest = staged.guest
    while guest.hurt and not guest.ending:
        guest.hurt = False
        try:
            await staged.cue(guest.actor.on_interrupt)
        except BaseException as error:
            let_through(staged, error)
            guest.fall("on_interrupt()", error)


def has_last_words(guest: Guest) -> bool:
    """Has its actor something to do when it ends?"""
    return bool(guest.hooks & {p.SAVE, p.LAST})


def leaves(error: BaseException) -> bool:
    """Is this an actor that ends itself on purpose?"""
    return isinstance(error, ActorExit) or (isinstance(error, SystemExit) and error.code in (0, None))


def let_through(staged: Staged, error: BaseException) -> None:
    """Raise what of it is for the whole guest."""
    if staged.passes(error):
        raise error
    if isinstance(error, BaseExceptionGroup):
        through, _ = cast("BaseExceptionGroup[BaseException]", error).split(staged.passes)
        if through is not None:
            raise through


def first_of(error: BaseException) -> BaseException:
    """The first exception of a group, however deep."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseException", error.exceptions[0])
    return error


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in which nothing waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    raise AssertionError("nothing here may wait")


def finished(guest: Guest, value: Any, function: Callable[..., Any]) -> Any:
    """What a function returned, which nothing here could await."""
    if isinstance(value, Awaitable):
        if isinstance(value, Coroutine):
            value.close()
        cls = type(guest.actor).__name__
        raise TypeError(
            f"{name_of(function)} is async, but {cls} has no async methods, so no event loop runs it"
        )
    return value


def name_of(function: Any) -> str:
    """For a person: what was called."""
    return f"{getattr(function, '__name__', type(function).__name__)}()"


def no_nursery(guest: Guest) -> RuntimeError:
    cls = type(guest.actor).__name__
    return RuntimeError(f"{cls} has no async methods, so it has no nursery; make one of its methods async")
