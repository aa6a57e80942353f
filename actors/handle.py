"""`ActorHandle`: what the rest of the program holds of an actor, across all its incarnations."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from .actor import RESERVED
from .anchor import Anchor, hold
from .exported import MARK, awaits, exported_of, full_name
from .guest_handle import handle_at
from .kinds import kind_of as function_kind
from .method import ActorMethod
from .streaming import StreamMethod, on_handle

if TYPE_CHECKING:
    from .life import Life

OTHER_KINDS = (staticmethod, classmethod, property)


class ActorHandle:
    """Calls an actor: `await h.m(...)`, `h.m.remote(...)`, `h.m.cast(...)`.

    `await h.call(X.m, ...)` reaches any method, marked or not; of a class that has a method of its own named
    `call`, as a `Worker` has, it is that.

    To a type checker it is the actor class, so methods keep their signatures.
    """

    _by_a_door: ClassVar[bool] = False  # of a runtime in another thread

    _anchor: Anchor | None = None  # of an actor that ends when nobody holds a handle of it

    def __init__(self, life: Life) -> None:
        self._life = life
        anchors = life.house.anchors
        if life in anchors:
            self._anchor = anchors.anchor_of(life)

    def __getattr__(self, name: str) -> ActorMethod[Any] | StreamMethod[Any]:
        cls = self._life.spec.cls
        function = exported_of(cls).get(name)
        if function is None and name == "call":
            return self._call  # type: ignore[return-value]  # not kept: it would hold the handle
        if function is None:
            raise AttributeError(missing(cls, name), name=name, obj=self)
        method = self._anchored(name, function)
        setattr(self, name, method)  # the next access finds it without us
        return method

    def _call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call any method of the class, marked or not: `await h.call(Counter.helper, 5)`."""
        name = (
            function.name
            if isinstance(function, ActorMethod | StreamMethod)
            else getattr(function, "__name__", "")
        )
        found = getattr(self._life.spec.cls, name, None)
        if not callable(found):
            raise AttributeError(f"{self._life.spec.cls.__name__} has no method {name!r}")
        if function_kind(found).awaits and not awaits(self._life.spec.cls):
            raise TypeError(
                f"{self._life.spec.cls.__name__}.{name} is async, but no method of the class marked @method is, "
                "so no event loop runs it; mark it"
            )
        return self._anchored(name, found)(*args, **kwargs)

    def _anchored(self, name: str, function: Callable[..., Any]) -> ActorMethod[Any] | StreamMethod[Any]:
        method = self._offer(name, function)
        return method if self._anchor is None else hold(method, self._anchor)

    def _offer(self, name: str, function: Callable[..., Any]) -> ActorMethod[Any] | StreamMethod[Any]:
        return on_handle(self._life.mailbox, name, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self._life.spec.cls.__name__
        raise TypeError(f"this is a handle of one {name}; start another with {name}.remote(...)")

    def __dir__(self) -> list[str]:
        return sorted({*exported_of(self._life.spec.cls), "call"})

    def __repr__(self) -> str:
        life = self._life
        return f"<{life.spec.cls.__name__} {life.path!r}: {life.state}, incarnation {life.number}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorHandle) and other._life is self._life

    def __hash__(self) -> int:
        return hash(self._life)

    def __class_getitem__(cls, item: Any) -> type[ActorHandle]:
        return cls

    def __reduce__(self) -> Any:
        life = self._life
        return handle_at, (life.path, life.spec.cls, "", life.house.number_of(life))


def of_class(handle: ActorHandle, wanted: Any) -> ActorHandle:
    """The handle, if its actor is of this class or a subclass; `None` is any.

    Raises:
        TypeError: if it is of another, or `wanted` is no class.
    """
    if wanted is None:
        return handle
    life = handle._life  # pyright: ignore[reportPrivateUsage]
    cls, kind = life.spec.cls, class_of(wanted)
    if not issubclass(cls, kind):
        again = "; it was defined anew since then" if full_name(cls) == full_name(kind) else ""
        raise TypeError(f"{life.path!r} is a {full_name(cls)} and no {full_name(kind)}{again}")
    return handle


def of_class_named(handle: ActorHandle, wanted: str) -> ActorHandle:
    """As `of_class`, by the name under which another process knows the class; "" is any."""
    life = handle._life  # pyright: ignore[reportPrivateUsage]
    if wanted and wanted not in map(full_name, life.spec.cls.__mro__):
        raise TypeError(f"{life.path!r} is a {full_name(life.spec.cls)} and no {wanted}")
    return handle


def class_of(wanted: Any) -> type:
    kind = getattr(wanted, "cls", wanted)  # that of X.options(...)
    if not isinstance(kind, type):
        raise TypeError(f"get_actor(name, X) takes the actor's class, not {wanted!r}")
    return kind


def is_other_kind(found: object) -> bool:
    return isinstance(found, OTHER_KINDS)


def kind_of(found: object) -> str:
    return type(found).__name__


def is_unmarked(found: object) -> bool:
    return callable(found) and not hasattr(found, MARK)


def missing(cls: type, name: str) -> str:
    """Why a handle has no such method, and what to write."""
    if name in RESERVED:
        return f"{name!r} belongs to the class {cls.__name__}, not to a handle of it"
    found: Any = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    if is_other_kind(found):
        return f"{cls.__name__}.{name} is a {kind_of(found)}; a handle offers methods only"
    if is_unmarked(found):
        return f"{cls.__name__}.{name} is not marked; put @method above it, or write h.call({cls.__name__}.{name}, ...)"
    near = difflib.get_close_matches(name, exported_of(cls), 1)
    hint = (
        f"; did you mean {near[0]!r}?"
        if near
        else f"; it has {', '.join(sorted(exported_of(cls))) or 'none'}"
    )
    return f"{cls.__name__} has no method {name!r}{hint}"
