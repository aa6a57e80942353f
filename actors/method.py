"""`@method`, and what a method becomes on a handle: typed by a descriptor that exists for checkers only.

At run time `@method` marks the function and returns it, so that the class stays the class.  On a handle, which
a checker sees as `type[X]`, the same name is an `ActorMethod`.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ..transports.guests.protocol import CALL
from .casting import cast_of
from .exported import MARK, refuse_unknown_group
from .mappable import Mappable
from .options import METHOD_CHECKS, MethodOptions, retried_kinds
from .signature import Check, check_of

if TYPE_CHECKING:
    from typing import Self, Unpack

    from .mailbox import Mailbox
    from .mappable import MapOptions
    from .mapping import MapStream
    from .ref import ObjectRef
    from .streaming import StreamMethod

F_co = TypeVar("F_co", bound=Callable[..., Any], covariant=True)
P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class ActorMethod(Mappable[F_co]):
    # No docstrings here: editors then show the user's own.  One covariant callable as the only parameter,
    # because a ParamSpec in a nominal generic is invariant and an override could not widen its signature.
    __slots__ = (
        "__doc__",
        "__wrapped__",
        *("cast",),  # unpacked, or pyright takes it for a variable and does not bind it
        "changes",
        "check",
        "interruptible",
        "mailbox",
        "name",
        "own",
        "patient",
        "plain",
        "retries",
        "retry_on",
        "timeout",
    )

    def __init__(self, mailbox: Mailbox, name: str, function: Callable[..., Any], **changes: Any) -> None:
        own: dict[str, Any] = {**getattr(function, MARK, {}), **changes}
        options = mailbox.options
        self.changes = changes
        self.own = own
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.mailbox = mailbox
        self.name = name
        self.check: Check = check_of(function)
        self.timeout: float | None = own.get("timeout", options.call_timeout)
        self.retries: int = own.get("max_task_retries", options.max_task_retries)
        self.retry_on = retried_kinds(own.get("retry_exceptions", options.retry_exceptions))
        self.patient: bool = own.get("cancel", options.cancel) == "wait"
        # Nothing but the arguments travels, unless another actor calls.
        self.plain = self.timeout is None and "ahead" not in own
        self.interruptible: bool = own.get("interrupt", True)
        setattr(self, "cast", cast_of(self, mailbox))  # noqa: B010  checkers see a method

    def __call__(
        self: ActorMethod[Callable[P, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        mailbox = self.mailbox
        if self.check(*args, **kwargs):
            return mailbox.ask_with_refs(self, args, kwargs)
        return mailbox.asked(mailbox.make(CALL, self, args, kwargs))

    def remote(self: ActorMethod[Callable[P, R]], /, *args: P.args, **kwargs: P.kwargs) -> ObjectRef[R]:
        return self.mailbox.submit(self, args, kwargs, self.check(*args, **kwargs))

    def mapped(self, items: Iterable[Any], star: bool, how: MapOptions) -> MapStream[Any]:
        return self.mailbox.map(self, items, star, **how)  # type: ignore[return-value]

    def broadcast(
        self: ActorMethod[Callable[P, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, list[R]]:
        return self.mailbox.broadcast(self, args, kwargs, self.check(*args, **kwargs))

    if TYPE_CHECKING:

        def cast(self: ActorMethod[Callable[P, Any]], /, *args: P.args, **kwargs: P.kwargs) -> None: ...

    def options(self, **options: Unpack[MethodOptions]) -> Self:
        refuse_unknown_group(self.name, options.get("concurrency_group", ""), self.mailbox.options)
        return type(self)(self.mailbox, self.name, self.__wrapped__, **{**self.changes, **checked(options)})

    def __repr__(self) -> str:
        return f"<method {self.name} of {self.mailbox.label}>"


if TYPE_CHECKING:

    class Method(Generic[F_co]):
        """The two shapes of a decorated method: plain on an instance, an `ActorMethod` on a handle."""

        @overload
        def __get__(
            self: Method[Callable[P, Coroutine[Any, Any, R]]], instance: None, owner: type[Any], /
        ) -> ActorMethod[Callable[P, R]]: ...
        @overload
        def __get__(
            self: Method[Callable[P, AsyncIterator[R]]], instance: None, owner: type[Any], /
        ) -> StreamMethod[Callable[P, R]]: ...
        @overload
        def __get__(
            self: Method[Callable[P, Iterator[R]]], instance: None, owner: type[Any], /
        ) -> StreamMethod[Callable[P, R]]: ...
        @overload
        def __get__(
            self: Method[Callable[P, R]], instance: None, owner: type[Any], /
        ) -> ActorMethod[Callable[P, R]]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any], /) -> F_co: ...
        def __get__(self, instance: Any, owner: type[Any], /) -> Any: ...


@overload
def method(function: Callable[Concatenate[Any, P], R], /) -> Method[Callable[P, R]]: ...
@overload
def method(
    **options: Unpack[MethodOptions],
) -> Callable[[Callable[Concatenate[Any, P], R]], Method[Callable[P, R]]]: ...
def method(function: Any = None, /, **options: Any) -> Any:
    """Mark a method that may be called through a handle.

    Options: `timeout` (seconds; of a generator: for each item), `max_task_retries`, `retry_exceptions`,
    `interrupt=False` for a method that must not be stopped half-way, `cancel="wait"` for one whose cancelled
    caller returns only when it is known to have ended, `concurrency_group` (one of the actor's
    `concurrency_groups`), and for a generator `ahead`, how many items it may be ahead of its reader (256).

    Example:
        class Counter(Actor):
            @method
            def add(self, n: int = 1) -> int: ...

    Raises:
        TypeError: for an option that does not exist.
        ValueError: for a value that it cannot have.
    """
    checked(options)
    if function is None:
        return functools.partial(method, **options)
    if not callable(function):
        raise TypeError(f"@method marks a function, not {function!r}; put it above other decorators")
    setattr(function, MARK, options)
    return function


def checked(options: Any) -> Any:
    for name, value in options.items():
        if name not in METHOD_CHECKS:
            raise TypeError(f"@method has no option {name!r}; there are {', '.join(sorted(METHOD_CHECKS))}")
        holds, meaning = METHOD_CHECKS[name]
        if not holds(value):
            raise ValueError(f"{name} must be {meaning}, not {value!r}")
    return options
