"""What can be mapped over many items: a method on a handle, a remote function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

if TYPE_CHECKING:
    from typing import TypeVarTuple

    from .call import Call
    from .mapping import MapStream

    Ts = TypeVarTuple("Ts")

A = TypeVar("A")
F_co = TypeVar("F_co", bound=Callable[..., Any], covariant=True)
R = TypeVar("R")

WINDOW = 1024  # calls under way: enough for several guests, who take 256 each


class Mappable(Generic[F_co]):
    # No docstrings here, as in ActorMethod; MapStream has them.
    __slots__ = ()

    @overload
    def map(
        self: Mappable[Callable[[A], R]],
        items: Iterable[A],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise"] = "raise",
    ) -> MapStream[R]: ...
    @overload
    def map(
        self: Mappable[Callable[[A], R]],
        items: Iterable[A],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["return"],
    ) -> MapStream[R | Exception]: ...
    def map(self, items: Iterable[Any], /, **how: Any) -> MapStream[Any]:
        made = self.making()
        return stream(lambda item: made((item,)), items, **how)

    @overload
    def starmap(
        self: Mappable[Callable[[*Ts], R]],
        items: Iterable[tuple[*Ts]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise"] = "raise",
    ) -> MapStream[R]: ...
    @overload
    def starmap(
        self: Mappable[Callable[[*Ts], R]],
        items: Iterable[tuple[*Ts]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["return"],
    ) -> MapStream[R | Exception]: ...
    def starmap(self, items: Iterable[Any], /, **how: Any) -> MapStream[Any]:
        made = self.making()
        return stream(lambda item: made(tuple(item)), items, **how)

    def making(self) -> Callable[[tuple[Any, ...]], Call]:
        """What makes the call record of one call, from its arguments."""
        raise NotImplementedError


def stream(
    make: Callable[[Any], Call], items: Iterable[Any], window: int = WINDOW, **how: Any
) -> MapStream[Any]:
    from .mapping import MapStream  # it needs an event loop, which a guest should not have to load

    return MapStream(make, items, window=window, **how)
