"""What can be mapped over many items: a method on a handle, a remote function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, overload

if TYPE_CHECKING:
    from typing import TypeVarTuple

    from .mapping import MapStream

    Ts = TypeVarTuple("Ts")

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
F_co = TypeVar("F_co", bound=Callable[..., Any], covariant=True)
R = TypeVar("R")

WINDOW = 1024  # calls under way: enough for several guests, who take 256 each


class MapOptions(TypedDict):
    """How many calls are under way at a time, in which order results come, what becomes of errors."""

    window: int
    ordered: bool
    errors: Literal["raise", "return"]


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
    def map(
        self,
        items: Iterable[Any],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise", "return"] = "raise",
    ) -> MapStream[Any]:
        return self.mapped(iterable(items), False, {"window": window, "ordered": ordered, "errors": errors})

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
    # mypy finds no `*Ts` where a method has parameters by name only, so the usual numbers are written out.
    @overload
    def starmap(
        self: Mappable[Callable[[A], R]],
        items: Iterable[tuple[A]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise"] = "raise",
    ) -> MapStream[R]: ...
    @overload
    def starmap(
        self: Mappable[Callable[[A], R]],
        items: Iterable[tuple[A]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["return"],
    ) -> MapStream[R | Exception]: ...
    @overload
    def starmap(
        self: Mappable[Callable[[A, B], R]],
        items: Iterable[tuple[A, B]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise"] = "raise",
    ) -> MapStream[R]: ...
    @overload
    def starmap(
        self: Mappable[Callable[[A, B], R]],
        items: Iterable[tuple[A, B]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["return"],
    ) -> MapStream[R | Exception]: ...
    @overload
    def starmap(
        self: Mappable[Callable[[A, B, C], R]],
        items: Iterable[tuple[A, B, C]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise"] = "raise",
    ) -> MapStream[R]: ...
    @overload
    def starmap(
        self: Mappable[Callable[[A, B, C], R]],
        items: Iterable[tuple[A, B, C]],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["return"],
    ) -> MapStream[R | Exception]: ...
    def starmap(
        self,
        items: Iterable[Any],
        /,
        *,
        window: int = WINDOW,
        ordered: bool = True,
        errors: Literal["raise", "return"] = "raise",
    ) -> MapStream[Any]:
        return self.mapped(iterable(items), True, {"window": window, "ordered": ordered, "errors": errors})

    def mapped(self, items: Iterable[Any], star: bool, how: MapOptions) -> MapStream[Any]:
        raise NotImplementedError


def iterable(items: Any) -> Iterable[Any]:
    """The items; raises TypeError for what is iterated over by `async for` only."""
    if hasattr(items, "__aiter__") and not hasattr(items, "__iter__"):
        raise TypeError(
            "a map takes its items by `for`, in whichever thread its runtime is, and these come by `async for`: collect them"
            " first, h.m.map([item async for item in items])"
        )
    found: Iterable[Any] = items
    return found
