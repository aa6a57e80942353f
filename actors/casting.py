"""How `h.m.cast(...)` is compiled: from the method's signature, so that a cast costs no more than it must.

A cast to an actor in this process is put into the mailbox as a note, a tuple of (method, args, id, what made
it); the mailbox writes a call record of it only if somebody asks for one.  A cast that takes context variables along,
or is made in a task that runs a method, is a record from the start.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..transports.guests.context import CARRIED, CASTING, role, running

if TYPE_CHECKING:
    from .mailbox import Mailbox
    from .method import ActorMethod

Note = tuple[Any, tuple[Any, ...], int, Any]
Cast = Callable[..., None]

NO_KEYWORDS: Mapping[str, Any] = {}
MISSING: Any = object()
ANCHOR = "anchor"  # what a method holds for its actor, among its own options: they pass to what is made of it

# Our names end in an underscore, so that no parameter of the user's hides them.
TEMPLATE = """
def make(method_, mailbox_, next_id_, running_, cast_elaborate_, ObjectRef_, MISSING_):
    def {name}({parameters}):
        queue_ = mailbox_.queue
        if ELABORATE_ or queue_ is None{refs}:
            return cast_elaborate_(method_, mailbox_, {args})
        queue_.append((method_, {args}, next_id_(), running_.call))
        receiver_ = mailbox_.receiver
        if receiver_ is not None and not receiver_.awake:
            receiver_.pump()
    return {name}
"""


def cast_of(method: ActorMethod[Any], mailbox: Mailbox) -> Cast:
    """The function behind `.cast` of one method of one actor."""
    if ANCHOR in method.changes:
        return functools.partial(cast_checked, twin_of(method), mailbox)
    if mailbox.takes_notes and method.timeout is None:
        make = maker_of(method.__wrapped__)
        if make is not None:
            from .ref import ObjectRef  # not above: a guest has none, and no event loop

            return make(method, mailbox, mailbox.next_id, running, cast_elaborate, ObjectRef, MISSING)
    return functools.partial(cast_checked, method, mailbox)


def twin_of(method: ActorMethod[Any]) -> ActorMethod[Any]:
    """The same method without a `cast`: what refers to itself is not gone with the last who refers to it."""
    twin: ActorMethod[Any] = object.__new__(type(method))
    for name in type(method).__slots__:
        if name != "cast":
            setattr(twin, name, getattr(method, name))
    return twin


def cast_elaborate(method: ActorMethod[Any], mailbox: Mailbox, args: tuple[Any, ...]) -> None:
    """A cast that may be more than a note."""
    refs = method.check(*args)
    queue = mailbox.queue
    if queue is None or refs or CARRIED or role.get() is not None:
        mailbox.cast(method, args, NO_KEYWORDS, refs)
        return
    queue.append((method, args, mailbox.next_id(), running.call))
    if mailbox.receiver is not None and not mailbox.receiver.awake:
        mailbox.receiver.pump()


def cast_checked(method: ActorMethod[Any], mailbox: Mailbox, /, *args: Any, **kwargs: Any) -> None:
    mailbox.cast(method, args, kwargs, method.check(*args, **kwargs))


@functools.lru_cache(maxsize=4096)
def maker_of(function: Callable[..., Any]) -> Callable[..., Cast] | None:
    """Compile the template for a signature of plain parameters, the last of them perhaps with a default."""
    import inspect  # a guest never needs it, and it costs a guest a tenth of its start

    try:
        parameters = list(inspect.signature(function).parameters.values())[1:]
    except (TypeError, ValueError):
        return None
    optional = [one for one in parameters if one.default is not one.empty]
    names = [one.name for one in parameters]
    if len(optional) > 1 or any(one.kind is not one.POSITIONAL_OR_KEYWORD for one in parameters):
        return None
    if any(name.endswith("_") for name in names):
        return None
    given = "".join(f"{name}, " for name in names)
    fewer = "".join(f"{name}, " for name in names[:-1])
    source = TEMPLATE.format(
        name=function.__name__ if function.__name__.isidentifier() else "method",
        parameters=", ".join([*names[:-1], f"{names[-1]}=MISSING_"] if optional else names),
        refs="".join(f" or {name}.__class__ is ObjectRef_" for name in names),
        args=f"(({given}) if {names[-1]} is not MISSING_ else ({fewer}))" if optional else f"({given})",
    )
    scope: dict[str, Any] = {}
    exec(source, CASTING, scope)  # ELABORATE_ is a global there, which costs a cast nothing to look at
    return functools.partial(named, scope["make"], function.__qualname__)


def named(make: Callable[..., Cast], name: str, *parts: Any) -> Cast:
    cast = make(*parts)
    cast.__qualname__ = name
    return cast
