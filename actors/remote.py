"""`@remote`: for functions, and for plain classes, Ray's dynamic way, everything public callable and typed `Any`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from .actor import RESERVED, Actor, ActorClass, install, refuse_unfit
from .exported import export, refuse_misfit
from .function import RemoteFunction
from .options import ActorOptions
from .spec import ChildSpec, options_of

if TYPE_CHECKING:
    from typing import Unpack

GIVEN = ("remote", "start", "child", "options")  # what a plain class is given

C = TypeVar("C", bound=type[Actor])
P = ParamSpec("P")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


class PlainActorClass(Protocol[T_co]):
    """A plain class that `@remote` made an actor class."""

    def __call__(self, *args: Any, **kwargs: Any) -> T_co: ...
    def remote(self, *args: Any, **kwargs: Any) -> Any: ...
    async def start(self, *args: Any, **kwargs: Any) -> Any: ...
    def child(self, *args: Any, **kwargs: Any) -> ChildSpec[Any]: ...
    def options(self, **options: Unpack[ActorOptions]) -> ActorClass[..., Any]: ...


class RemoteOptions(ActorOptions, total=False):
    """What `@remote(...)` takes: the options of actors over a class, those of functions over a function."""

    max_retries: int
    timeout: float | None


class RemoteDecorator(Protocol):
    """What `@remote(...)` with options gives."""

    @overload
    def __call__(self, cls: C, /) -> C: ...  # type: ignore[overload-overlap] # pyright: ignore[reportOverlappingOverload]
    @overload
    def __call__(self, cls: type[T_co], /) -> PlainActorClass[T_co]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, f: Callable[P, Coroutine[Any, Any, R]], /) -> RemoteFunction[Callable[P, R]]: ...
    @overload
    def __call__(self, f: Callable[P, R], /) -> RemoteFunction[Callable[P, R]]: ...


@overload
def remote(cls: C, /) -> C: ...  # type: ignore[overload-overlap] # pyright: ignore[reportOverlappingOverload]
@overload
def remote(cls: type[T_co], /) -> PlainActorClass[T_co]: ...  # type: ignore[overload-overlap]
@overload
def remote(f: Callable[P, Coroutine[Any, Any, R]], /) -> RemoteFunction[Callable[P, R]]: ...
@overload
def remote(f: Callable[P, R], /) -> RemoteFunction[Callable[P, R]]: ...
@overload
def remote(**options: Unpack[RemoteOptions]) -> RemoteDecorator: ...
def remote(cls: Any = None, /, **options: Any) -> Any:
    """Make a remote function of a function, or an actor class of a plain class.

    Of a class all public methods can be called through a handle; the class itself is returned, with `.remote`,
    `.start`, `.child` and `.options` added.  A function becomes a RemoteFunction.

    Example:
        @remote
        class Greeter:
            def greet(self, name: str) -> str:
                return f"hello {name}"

        print(await Greeter.remote().greet("you"))

        @remote(max_retries=0)
        def square(x: int) -> int:
            return x * x

        print(await square(2))

    Raises:
        TypeError: if it decorates something that is neither a class nor a function, or for an unknown option.
    """
    if cls is None:
        return partial(made_remote, options=options)
    return made_remote(cls, options)


def made_remote(item: Any, options: Any) -> Any:
    if is_class(item):
        return remote_class(item, options)
    if not callable(item):
        raise TypeError(
            f"@remote makes actor classes of classes and remote functions of functions; {item!r} is neither"
        )
    function: RemoteFunction[Any] = RemoteFunction(item, options)
    return function


def remote_class(cls: Any, options: Any) -> Any:
    mark(cls, options)
    return cls


def is_class(value: object) -> bool:
    return isinstance(value, type)


def mark(cls: type, options: Any) -> None:
    is_actor = Actor in cls.__mro__
    install(cls, cls.__mro__ if is_actor else cls.__mro__[1:], options)
    if not is_actor:
        export_public(cls)
        for name in GIVEN:
            setattr(cls, name, vars(Actor)[name])


def raw(cls: type, name: str) -> Any:
    """What the class holds under this name, before any descriptor; None if nothing."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def export_public(cls: type) -> None:
    for name in sorted(RESERVED):
        if raw(cls, name) not in (None, vars(Actor).get(name)):
            raise TypeError(
                f"{cls.__name__}.{name}: actor classes and handles use this name themselves; choose another"
            )
    names = [name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name))]
    names = [name for name in names if not isinstance(raw(cls, name), staticmethod | classmethod)]
    exported: dict[str, Any] = {name: getattr(cls, name) for name in names}
    refuse_unfit(cls, exported)
    export(cls, exported)
    refuse_misfit(cls, options_of(cls))
