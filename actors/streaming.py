"""A method that is a generator, on a handle: calling it gives a `Stream`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from ..transports.guests.protocol import AHEAD, STREAM
from .kinds import kind_of
from .method import ActorMethod
from .stream import RefStream, Stream

if TYPE_CHECKING:
    from typing import Self, Unpack

    from .mailbox import Mailbox
    from .options import MethodOptions

F_co = TypeVar("F_co", bound=Callable[..., Any], covariant=True)
P = ParamSpec("P")
R = TypeVar("R")


class StreamMethod(Generic[F_co]):
    # A method that is a generator, on a handle; without docstrings as above.
    __slots__ = ("__wrapped__", "ahead", "method")

    def __init__(self, method: ActorMethod[Any]) -> None:
        self.method = method
        self.__wrapped__ = method.__wrapped__
        self.ahead: int = method.own.get("ahead", AHEAD)

    def __call__(self: StreamMethod[Callable[P, R]], *args: P.args, **kwargs: P.kwargs) -> Stream[R]:
        method = self.method
        refs = method.check(*args, **kwargs)
        return Stream(method.mailbox.made(STREAM, method, args, kwargs, refs), self.ahead)

    def remote(self: StreamMethod[Callable[P, R]], *args: P.args, **kwargs: P.kwargs) -> RefStream[R]:
        method = self.method
        refs = method.check(*args, **kwargs)
        method.mailbox.check_limit(method)
        return RefStream(Stream(method.mailbox.made(STREAM, method, args, kwargs, refs), self.ahead))

    def options(self, **options: Unpack[MethodOptions]) -> Self:
        return type(self)(self.method.options(**options))

    @property
    def name(self) -> str:
        return self.method.name

    def __repr__(self) -> str:
        return f"<stream method {self.method.name} of {self.method.mailbox.label}>"


def on_handle(
    mailbox: Mailbox, name: str, function: Callable[..., Any]
) -> ActorMethod[Any] | StreamMethod[Any]:
    """A method as a handle offers it: a generator gives a stream, anything else a value."""
    method: ActorMethod[Any] = ActorMethod(mailbox, name, function)
    return StreamMethod(method) if kind_of(function).streams else method
