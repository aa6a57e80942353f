"""What checkers see of a worker's `call` and `run`: the function that is given tells its arguments and its result.

Nothing here is loaded at run time, where both are methods as any.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias, TypeVar, overload

from .method import ActorMethod

if TYPE_CHECKING:
    from .mapping import MapStream
    from .ref import ObjectRef

P = ParamSpec("P")
R = TypeVar("R")
H_co = TypeVar("H_co", covariant=True)
O_co = TypeVar("O_co", covariant=True)

Coro: TypeAlias = Coroutine[Any, Any, R]
Anything: TypeAlias = Callable[..., Any]


class Shapes(Generic[H_co, O_co]):
    """One name on a handle, and on the object itself."""

    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> H_co: ...
    @overload
    def __get__(self, instance: object, owner: type[Any], /) -> O_co: ...
    def __get__(self, instance: Any, owner: type[Any], /) -> Any: ...


# mypy: disable-error-code="override, empty-body"
# pyright: reportIncompatibleMethodOverride=false


class CallMethod(ActorMethod[Anything]):
    """`worker.call`"""

    def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Coro[R]: ...
    def remote(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> ObjectRef[R]: ...
    def cast(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
    def broadcast(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Coro[list[R]]: ...
    def map(self, items: Iterable[Callable[[], R]], /, **options: Any) -> MapStream[R]: ...
    def starmap(self, items: Iterable[tuple[Any, ...]], /, **options: Any) -> MapStream[Any]: ...


class RunMethod(CallMethod):
    """`worker.run`"""

    def __call__(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Coro[None]: ...
    def remote(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> ObjectRef[None]: ...
    def broadcast(
        self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coro[list[None]]: ...


class AwaitingCallMethod(CallMethod):
    """The same of a worker that awaits."""

    @overload
    def __call__(self, function: Callable[P, Coro[R]], /, *args: P.args, **kwargs: P.kwargs) -> Coro[R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Coro[R]: ...
    def __call__(self, function: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    @overload
    def remote(
        self, function: Callable[P, Coro[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> ObjectRef[R]: ...
    @overload
    def remote(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> ObjectRef[R]: ...
    def remote(self, function: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    @overload
    def broadcast(
        self, function: Callable[P, Coro[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coro[list[R]]: ...
    @overload
    def broadcast(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Coro[list[R]]: ...
    def broadcast(self, function: Any, /, *args: Any, **kwargs: Any) -> Any: ...


class Plain:
    """`call` of the object itself"""

    def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...


class PlainDone:
    def __call__(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None: ...


class Awaiting:
    @overload
    def __call__(self, function: Callable[P, Coro[R]], /, *args: P.args, **kwargs: P.kwargs) -> Coro[R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Coro[R]: ...
    def __call__(self, function: Any, /, *args: Any, **kwargs: Any) -> Any: ...


class AwaitingDone:
    def __call__(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Coro[None]: ...


Called: TypeAlias = Shapes[CallMethod, Plain]
Done: TypeAlias = Shapes[RunMethod, PlainDone]
AsyncCalled: TypeAlias = Shapes[AwaitingCallMethod, Awaiting]
AsyncDone: TypeAlias = Shapes[RunMethod, AwaitingDone]
