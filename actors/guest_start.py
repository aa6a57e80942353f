"""How the methods of a guest start actors: by way of their host, which ends them with the incarnation that started them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from ..transports.guests.context import present
from .errors import NoRuntimeError
from .guest_handle import GuestHandle
from .guest_ref import GuestRef, ask, asking, packed
from .spawner import current
from .spec import ChildSpec, make_spec

if TYPE_CHECKING:
    from ..transports.guests.asking import Question
    from .options import Options

numbers: Iterator[int] = itertools.count(1)


class Starter(Protocol):
    """Who starts actors for whoever asks here."""

    def spawn(self, spec: Any) -> Any: ...
    async def start(self, spec: Any) -> Any: ...


def starter_here() -> Starter:
    """In a guest the way to its host's runtime, unless it has opened one of its own."""
    return current.get(None) or GuestStarter()


class GuestStarter:
    """Starts actors for a guest."""

    def spawn(self, spec: Any) -> GuestHandle:
        """The handle at once; that the actor could not be started is told by its calls."""
        spec = with_id(checked_spec(spec))
        question = ask("start", parcel_of(spec, spec.args, spec.kwargs), False)
        return handle_of(spec, begun=question)

    async def start(self, spec: Any) -> GuestHandle:
        spec = with_id(checked_spec(spec))
        args = [await value if isinstance(value, GuestRef) else value for value in spec.args]
        kwargs = {
            name: await value if isinstance(value, GuestRef) else value for name, value in spec.kwargs.items()
        }
        question = ask("start", parcel_of(spec, tuple(args), kwargs), True)
        number = await GuestRef(question, f"{spec.cls.__name__}.start", True)
        return handle_of(spec, number)


def checked_spec(spec: Any) -> ChildSpec[Any]:
    asking().check_trust("start", getattr(spec, "label", ""))
    if not is_spec(spec):
        raise NoRuntimeError(
            f"the methods of an actor in a process or a thread start single actors, and no {type(spec).__name__}; "
            "start it beside the actor, and give the actor its handle"
        )
    return spec


def is_spec(value: Any) -> TypeGuard[ChildSpec[Any]]:
    return isinstance(value, ChildSpec)


def with_id(spec: ChildSpec[Any]) -> ChildSpec[Any]:
    """The spec with an id by which its actor is found: it is called before the host has heard of it."""
    options: Options = spec.options
    if options.id is not None or options.name is not None:
        return spec
    me = present().details or {}
    of = f"{me.get('path', 'guest')}.{me.get('incarnation', 1)}".replace("/", ".")
    made = options.changed({"id": f"{spec.cls.__name__.lower()}-{next(numbers)}-of-{of}"})
    return make_spec(spec.cls, made, spec.args, spec.kwargs)


def parcel_of(spec: ChildSpec[Any], args: tuple[Any, ...], kwargs: Any) -> Any:
    return packed(
        (spec.cls, spec.options, tuple(map(settled, args)), {k: settled(v) for k, v in kwargs.items()})
    )


def settled(value: Any) -> Any:
    """The value of a ref that has ended; raises ValueError for one that has not."""
    if not isinstance(value, GuestRef):
        return value
    if not value.done:
        raise ValueError(f"an actor is given {value!r}, which is pending; write: await X.start(...)")
    return value.value()


def handle_of(spec: ChildSpec[Any], number: int = 0, begun: Question | None = None) -> GuestHandle:
    options: Options = spec.options
    if options.id is not None:
        return GuestHandle(options.id, spec.cls, "", number, begun)
    assert options.name is not None
    return GuestHandle(options.name, spec.cls, options.namespace, number, begun)
