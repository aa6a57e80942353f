"""`Actor`, the base of actor classes, and what `.options()` returns."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from .kinds import kind_of
from .method import MARK, ActorMethod
from .options import ActorOptions, Options
from .spawner import open_spawner
from .spec import OPTIONS, ChildSpec, make_spec, options_of

if TYPE_CHECKING:
    from typing import Self, TypeAlias, Unpack

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

if TYPE_CHECKING:
    # A checker sees a handle as the class itself: read through a class, `@method` is an ActorMethod.
    Handle: TypeAlias = type[T]

EXPORTED = "__exported__"
RESERVED = frozenset({"call", "child", "options", "remote", "start"})


class ActorClass(Generic[P, T]):
    """An actor class with some options changed; made by `X.options(...)`."""

    __slots__ = ("changed", "cls")

    def __init__(self, cls: type, changed: Options) -> None:
        self.cls = cls
        self.changed = changed

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        return cast("Handle[T]", open_spawner().spawn(make_spec(self.cls, self.changed, args, kwargs)))

    async def start(self, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        return cast("Handle[T]", await open_spawner().start(make_spec(self.cls, self.changed, args, kwargs)))

    def child(self, *args: P.args, **kwargs: P.kwargs) -> ChildSpec[T]:
        return make_spec(self.cls, self.changed, args, kwargs)

    def options(self, **options: Unpack[ActorOptions]) -> Self:
        return type(self)(self.cls, self.changed.changed(options))

    def __repr__(self) -> str:
        return f"<{self.cls.__name__} with {self.changed}>"


class Actor:
    """Base of actor classes: methods marked with `@method` can be called through a handle.

    Example:
        class Counter(Actor, executor=Process()):
            def __init__(self, start: int = 0) -> None:
                self.value = start

            @method
            def add(self, n: int = 1) -> int:
                self.value += n
                return self.value

        counter = Counter.remote(10)                # a handle at once; the start goes on behind it
        counter = await Counter.start(10)           # the same, ready, or ActorStartError
        counter = Counter.options(name="c").remote(10)
        spec = Counter.child(10)                    # for a Supervisor

    The class stays the class: in a unit test just make an instance.
    """

    def __init_subclass__(cls, **options: Unpack[ActorOptions]) -> None:
        super().__init_subclass__()
        install(cls, cls.__mro__[1:], options)

    @classmethod
    def remote(cls: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        return plain(cls).remote(*args, **kwargs)

    @classmethod
    async def start(cls: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        return await plain(cls).start(*args, **kwargs)

    @classmethod
    def child(cls: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> ChildSpec[T]:
        return plain(cls).child(*args, **kwargs)

    @classmethod
    def options(cls: Callable[P, T], **options: Unpack[ActorOptions]) -> ActorClass[P, T]:
        return plain(cls).options(**options)

    if TYPE_CHECKING:

        @overload
        @classmethod
        def call(
            cls: type[T], function: ActorMethod[Callable[P, R]], /, *args: P.args, **kwargs: P.kwargs
        ) -> Coroutine[Any, Any, R]: ...
        @overload
        @classmethod
        def call(
            cls: type[T], function: Callable[Concatenate[T, P], R], /, *args: P.args, **kwargs: P.kwargs
        ) -> Coroutine[Any, Any, R]: ...
        @classmethod
        def call(cls, function: Any, /, *args: Any, **kwargs: Any) -> Any: ...


setattr(Actor, OPTIONS, Options())
setattr(Actor, EXPORTED, {})


def plain(cls: Callable[P, T]) -> ActorClass[P, T]:
    if cls is Actor:
        raise TypeError("Actor is the base of actor classes; write a subclass with methods marked @method")
    kind = cast("type", cls)
    return ActorClass(kind, options_of(kind))


def install(cls: type, bases: tuple[type, ...], options: Any) -> None:
    """Collect a class's options and exported methods; refuse what cannot work, by name."""
    inherited = next((getattr(base, OPTIONS) for base in bases if hasattr(base, OPTIONS)), Options())
    setattr(cls, OPTIONS, inherited.changed(options))
    exported = {name: item for base in reversed(bases) for name, item in getattr(base, EXPORTED, {}).items()}
    for name, item in vars(cls).items():
        # An override of an exported method stays exported, though it forgot its mark.
        if hasattr(item, MARK) or name in exported:
            exported[name] = item
    refuse_unfit(cls, exported)
    setattr(cls, EXPORTED, exported)


def refuse_unfit(cls: type, exported: dict[str, Any]) -> None:
    """Raise TypeError for a method that no handle could offer."""
    for name in exported:
        if name in RESERVED:
            raise TypeError(f"{cls.__name__}.{name}: handles use this name themselves; choose another")
        if name.startswith("__"):
            raise TypeError(f"{cls.__name__}.{name}: special methods cannot be called through a handle")


def exported_of(cls: type) -> dict[str, Callable[..., Any]]:
    """The methods of an actor class that a handle offers, by name."""
    found: dict[str, Callable[..., Any]] = getattr(cls, EXPORTED)
    return found


def awaits(cls: type) -> bool:
    """Has this class methods that run in tasks of an event loop?"""
    return any(kind_of(item).awaits for item in exported_of(cls).values())
