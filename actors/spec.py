"""What a supervisor needs to start a child: the class, its arguments, its options; a frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .exported import refuse_misfit
from .options import ActorOptions, Options

if TYPE_CHECKING:
    from typing import TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")

T_co = TypeVar("T_co", covariant=True)

OPTIONS = "__understudy_options__"


class ChildSpec(Generic[T_co]):
    """How to start one child, and how to treat its end.

    Usually made by `X.child(...)` or `X.options(id="x", restart="transient").child(...)`, which check the
    arguments more closely.

    Raises:
        TypeError: if the class is no actor class, or an option does not exist.
        ValueError: if an option has a value it cannot have.
    """

    __slots__ = ("args", "cls", "kwargs", "options")

    if TYPE_CHECKING:

        @overload
        def __init__(self, cls: Callable[[], T_co], **options: Unpack[ActorOptions]) -> None: ...
        @overload
        def __init__(
            self,
            cls: Callable[[*Ts], T_co],
            *,
            args: tuple[*Ts],
            **options: Unpack[ActorOptions],
        ) -> None: ...
        @overload
        def __init__(
            self,
            cls: Callable[..., T_co],
            *,
            args: tuple[Any, ...] = (),
            kwargs: dict[str, Any],
            **options: Unpack[ActorOptions],
        ) -> None: ...

    def __init__(self, cls: Any, *, args: tuple[Any, ...] = (), kwargs: Any = None, **options: Any) -> None:
        if not isinstance(cls, type) or not hasattr(cls, OPTIONS):
            raise TypeError(
                f"{cls!r} is no actor class; write class X(Actor): ... or @remote above the class"
            )
        changed = options_of(cls).changed(options)
        refuse_misfit(cls, changed)
        self.fill(cls, args, kwargs or {}, changed)

    def fill(self, cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options) -> None:
        for name, value in (("cls", cls), ("args", args), ("kwargs", kwargs), ("options", options)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a ChildSpec does not change; make another")

    @property
    def label(self) -> str:
        """The id it asks for, or its class's name."""
        return self.options.id or self.options.name or self.cls.__name__.lower()

    if TYPE_CHECKING:
        cls: type[Any]
        args: tuple[Any, ...]
        kwargs: Mapping[str, Any]
        options: Options

    def __repr__(self) -> str:
        given = [repr(value) for value in self.args] + [
            f"{name}={value!r}" for name, value in self.kwargs.items()
        ]
        return f"<child {self.label!r}: {self.cls.__name__}({', '.join(given)})>"


def new_spec() -> Any:
    plain: Any = ChildSpec
    return object.__new__(plain)


def make_spec(
    cls: type, options: Options, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> ChildSpec[Any]:
    """A spec from options that are checked already."""
    spec: ChildSpec[Any] = new_spec()
    spec.fill(cls, args, kwargs, options)
    return spec


def options_of(cls: type) -> Options:
    found: Options = getattr(cls, OPTIONS)
    return found
