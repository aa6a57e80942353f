"""`Actor`, the base of actor classes, and what `.options()` returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, TypeVarTuple, cast, overload

from ..transports.guests.backstage import ActorTimer, schedule
from ..transports.guests.context import backstage_of, present
from .exported import (
    EXPORTED,
    MARK,
    base_hook,
    export,
    is_for_code,
    refuse_async_hooks,
    refuse_misfit,
    runs_code,
)
from .exported import awaits as awaits
from .exported import exported_of as exported_of
from .method import ActorMethod
from .options import ActorOptions, Options
from .spawner import open_spawner
from .spec import OPTIONS, ChildSpec, make_spec, options_of

if TYPE_CHECKING:
    from typing import Self, TypeAlias, Unpack

    import trio

    from .down import Down
    from .guest_start import Starter

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

if TYPE_CHECKING:
    # A checker sees a handle as the class itself: read through a class, `@method` is an ActorMethod.
    Handle: TypeAlias = type[T]

RESERVED = frozenset({"call", "child", "options", "remote", "start"})


class ActorClass(Generic[P, T]):
    """An actor class with some options changed; made by `X.options(...)`."""

    __slots__ = ("changed", "cls")

    def __init__(self, cls: type, changed: Options) -> None:
        self.cls = cls
        self.changed = changed

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        return cast("Handle[T]", starter().spawn(make_spec(self.cls, self.changed, args, kwargs)))

    async def start(self, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        return cast("Handle[T]", await starter().start(make_spec(self.cls, self.changed, args, kwargs)))

    def child(self, *args: P.args, **kwargs: P.kwargs) -> ChildSpec[T]:
        return make_spec(self.cls, self.changed, args, kwargs)

    def options(self, **options: Unpack[ActorOptions]) -> Self:
        changed = self.changed.changed(options)
        refuse_misfit(self.cls, changed)
        return type(self)(self.cls, changed)

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

    A subclass may have hooks, `async` ones if it has `async` methods.  In each life of the object come, in this
    order, `load_state`, `on_start`, its calls, `save_state`, `on_stop`; what a hook raises ends the incarnation.
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

    # -- inside the actor -----------------------------------------------------------------------

    def after(self, seconds: float, function: Callable[[Unpack[Ts]], object], *args: *Ts) -> ActorTimer:
        """Run a function once, in so many seconds, in the actor's turn; `.cancel()` the timer to prevent it.

        It ends with the incarnation.  What the function raises ends the incarnation.

        Raises:
            RuntimeError: if no executor runs this object.
            ValueError: for seconds that are not a number of 0 or more.
        """
        return schedule(backstage_of(self), seconds, False, function, args)

    def every(self, seconds: float, function: Callable[[Unpack[Ts]], object], *args: *Ts) -> ActorTimer:
        """Run a function every so many seconds, as `after` does; runs that were missed are left out."""
        return schedule(backstage_of(self), seconds, True, function, args)

    @property
    def nursery(self) -> trio.Nursery:
        """A nursery for tasks that end with the incarnation; what one of them raises ends the incarnation.

        Raises:
            RuntimeError: if no executor runs this object, or not in tasks of trio.
        """
        found: trio.Nursery = backstage_of(self).nursery
        return found

    @base_hook
    def on_start(self) -> Awaitable[None] | None:
        """A hook: before the first call, after `load_state`; the actor is ready when it has returned."""

    @base_hook
    def on_stop(self, reason: str, /) -> Awaitable[None] | None:
        """A hook: after the last call, when the actor ends but not by a kill; has `shutdown` seconds.

        `reason` is normal, shutdown or error.
        """

    @base_hook
    def on_interrupt(self) -> Awaitable[None] | None:
        """A hook: after a method was interrupted half-way, before the next call begins."""

    @base_hook
    def on_down(self, down: Down, /) -> Awaitable[None] | None:
        """A hook: what the actor watches with `monitor(...)` has ended; runs in its turn, as a call does."""

    @base_hook
    def save_state(self) -> object:
        """A hook: what it returns goes to the next incarnation's `load_state`.

        Asked for whenever the actor ends and can still answer: not after a kill, nor after an interrupt with
        `after_interrupt="restart"`.
        """

    @base_hook
    def load_state(self, state: Any, /) -> Awaitable[None] | None:
        """A hook: takes what the incarnation before has saved, if it could; what it raises means a fresh start."""


setattr(Actor, OPTIONS, Options())
export(Actor, {})


def starter() -> Starter:
    """Who starts actors for whoever asks here: the open runtime, or in a guest its host."""
    if present().asker is not None:
        from .guest_start import starter_here  # not above: few guests start actors

        return starter_here()
    return open_spawner()


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
            exported[name] = kept_for_code(item, exported.get(name))
    refuse_unfit(cls, exported)
    export(cls, exported)
    refuse_misfit(cls, options_of(cls))
    refuse_async_hooks(cls)


def kept_for_code(item: Any, overridden: Any) -> Any:
    """An override of a method that runs code which its caller gives is one, too."""
    return runs_code(item) if is_for_code(overridden) else item


def refuse_unfit(cls: type, exported: dict[str, Any]) -> None:
    """Raise TypeError for a method that no handle could offer."""
    for name, item in exported.items():
        if name in RESERVED and not is_for_code(item):
            raise TypeError(f"{cls.__name__}.{name}: handles use this name themselves; choose another")
        if name.startswith("__"):
            raise TypeError(f"{cls.__name__}.{name}: special methods cannot be called through a handle")
