"""A look into a running actor, for a person who wonders: its state, and time to look at it.

What OTP's `sys` does for its processes.  State travels as Python's own pickles take it, so only actors that are
trusted are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import trio

from . import suspension
from .errors import Unsendable
from .life import Life
from .suspension import ask_first
from .verbs import life_of

if TYPE_CHECKING:
    from .actor import Handle

State = dict[str, Any]

A_PERSON = "a person"  # who has suspended it, beside those of us who need that for a while


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stands for an attribute that cannot travel from the actor's process to ours."""

    why: str


async def get_state(handle: Handle[Any]) -> Any:
    """The attributes of an actor's object by name, between two of its calls and ahead of those that wait.

    A class with a `__getstate__` of its own, which may leave out what is secret, gives what that returns.  From a
    process come copies, and `Opaque` for what cannot travel; from an actor in this process the values themselves.
    A suspended actor answers.  If cancelled while waiting, the actor is not asked.

    Raises:
        ActorDiedError: if the actor is dead.
        PermissionError: if it runs with `trusted=False`.
        TaskError: if its own `__getstate__` raises.
        TypeError: for what is no handle of an actor, or that of a pool.
    """
    life = inspected(handle, "get_state")
    with suspension.standing_still(life.mailbox):  # what comes from this process is copied before it changes
        return await state_of(life)


async def replace_state(handle: Handle[Any], function: Callable[[Any], Any]) -> Any:
    """Change an actor's state: `function` is given what `get_state` gives, and returns the new; so does this.

    Nothing else runs in the actor meanwhile.  What the function raises is raised here, and then no attribute has
    changed.  A class with a `__setstate__` of its own is given the new state; else every attribute is set, and
    those that are not in it are deleted; what is `Opaque` stays.

    Raises:
        ActorDiedError: if the actor is dead.
        PermissionError: if it runs with `trusted=False`.
        TaskError: if setting an attribute raises.
        TypeError: for what is no handle of an actor, or if the new state is no dict.
    """
    life = inspected(handle, "replace_state")
    with suspension.standing_still(life.mailbox):
        old = await state_of(life)
        new = function(copy_of(old))
        if hasattr(life.spec.cls, "__setstate__"):
            await ask_first(life, "__setstate__", new)
        else:
            await set_attributes(life, old, new)
        return new


async def suspend(handle: Handle[Any]) -> None:
    """Let an actor begin nothing more: what is sent to it waits until `resume`; idempotent.

    Returns when it has ended the calls that it had been given.  In a class that runs several at once they have
    begun, and go on; so do timers and tasks of its own.  It stays suspended when it restarts, and is asked to stop
    as ever: what waits then is not done.  If cancelled while waiting, it is not suspended.

    Raises:
        ActorDiedError: if it is dead.
        PermissionError: if it runs with `trusted=False`.
        TypeError: for what is no handle of an actor, or that of a pool.
    """
    life = inspected(handle, "suspend")
    was_suspended = suspension.is_suspended(life.mailbox, A_PERSON)
    suspension.suspend(life.mailbox, A_PERSON)
    try:
        await ask_first(life, "__sizeof__")  # it answers when it has ended what it had been given before
    except BaseException:
        if not was_suspended:
            suspension.resume(life.mailbox, A_PERSON)
        raise


async def resume(handle: Handle[Any]) -> None:
    """Let a suspended actor go on with what waits, in order; idempotent."""
    suspension.resume(inspected(handle, "resume").mailbox, A_PERSON)
    await trio.lowlevel.checkpoint()


def is_suspended(handle: Handle[Any]) -> bool:
    """Is it suspended?"""
    return suspension.is_suspended(inspected(handle, "is_suspended").mailbox, A_PERSON)


# -- how ---------------------------------------------------------------------------------------------


def inspected(handle: Any, verb: str) -> Life:
    """The one actor behind a handle, which must be trusted."""
    life: Any = life_of(handle)
    if not is_one(life):
        raise TypeError(
            f"{verb}() takes one actor, and {life.path} is a pool; get_actor('{life.path}/0') is a member"
        )
    if not getattr(life.spec.options.executor, "trusted", True):
        raise PermissionError(f"{verb}() is for trusted actors, and {life.path} runs with trusted=False")
    return cast("Life", life)


def is_one(life: object) -> bool:
    return isinstance(life, Life)


async def state_of(life: Life) -> Any:
    try:
        state = await ask_first(life, "__getstate__")
    except Unsendable:
        return await attributes_of(life)
    if state is None:
        return {}
    # With slots: the attributes that are in the dict, and those that are not.
    if is_pair(state):
        both: State = {**(state[0] or {}), **state[1]}
        return both
    return copy_of(state)


def copy_of(state: Any) -> Any:
    copied: State = dict(state) if is_dict(state) else state
    return copied


def is_dict(value: object) -> bool:
    return type(value) is dict


def is_pair(value: object) -> bool:
    return type(value) is tuple


async def attributes_of(life: Life) -> State:
    """The same one by one, as some cannot travel."""
    found: State = {}
    for name in await ask_first(life, "__dir__"):
        if not is_attribute(life.spec.cls, name):
            continue
        try:
            found[name] = await ask_first(life, "__getattribute__", name)
        except Unsendable as error:
            found[name] = Opaque(str(error))
    return found


def is_attribute(cls: type, name: str) -> bool:
    """Is it of the object, and not of its class?"""
    missing: Any = Opaque
    of_class = getattr(cls, name, missing)
    is_slot = hasattr(of_class, "__objclass__") and hasattr(of_class, "__set__")
    return not name.startswith("__") and (of_class is missing or is_slot)


async def set_attributes(life: Life, old: Any, new: Any) -> None:
    if not (is_dict(new) and is_dict(old)):
        raise TypeError(f"the new state must be a dict of attributes by name, not {new!r}")
    for name in new:
        if not isinstance(name, str):
            raise TypeError(f"the new state must name its attributes by texts, not {name!r}")
    # What cannot be set is found out before anything is lost.
    for name, value in new.items():
        if type(value) is not Opaque:
            await ask_first(life, "__setattr__", name, value)
    for name in old:
        if name not in new:
            await ask_first(life, "__delattr__", name)
