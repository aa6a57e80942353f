"""`@remote` functions: a plain function that runs in a pool of processes, which comes with the runtime."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict, TypeVar

from ..transports.guests import pickles
from ..transports.guests.protocol import CALL
from .checks import is_timeout
from .errors import NEVER_SENT, Unsendable
from .executor import Executor, Process
from .kinds import kind_of
from .mappable import F_co, Mappable
from .method import ActorMethod
from .options import CHECKS
from .signature import Check, compiled
from .spawner import open_spawner

if TYPE_CHECKING:
    from typing import Self, Unpack

    from .mailbox import Mailbox
    from .mappable import MapOptions
    from .mapping import MapStream
    from .ref import ObjectRef

P = ParamSpec("P")
R = TypeVar("R")

RETRIES = 3  # as in Ray: a function that is called by its arguments alone can usually be called again


class FunctionOptions(TypedDict, total=False):
    """What `@remote(...)` over a function and `f.options(...)` take."""

    max_retries: int
    retry_exceptions: bool | tuple[type[BaseException], ...]
    timeout: float | None
    executor: Executor | None


class FunctionMethod(ActorMethod[Any]):
    # A function as a method of those who run functions: `wire` is its name to them, `code` what is sent along.
    __slots__ = (
        "__doc__",
        "code",
        "given",
        "pace",
        "wire",
    )  # the first anew, or None in the class would hide it

    def __init__(self, mailbox: Mailbox, function: RemoteFunction[Any]) -> None:
        options = function.chosen
        super().__init__(
            mailbox,
            function.__name__,
            anything,
            max_task_retries=options.get("max_retries", RETRIES),
            retry_exceptions=options.get("retry_exceptions", False),
            timeout=options.get("timeout"),
        )
        self.__wrapped__ = function.__wrapped__
        self.check = lambda *args, **kwargs: function.check(*args, **kwargs)  # compiled only if somebody asks
        digest, blob = function.pickled()
        self.wire = "run" if function.awaits else f"{self.name}:{digest.hex()}"
        self.given = (digest,) if function.awaits else ()
        self.code = {digest: blob}
        self.pace: Any = None


def anything(*args: Any, **kwargs: Any) -> None:
    """The arguments of a function are checked by the function's own signature."""


class RemoteFunction(Mappable[F_co]):
    """A function that `@remote` made: `await f(2)`, `f.remote(2)`, `f.map(items)`; `f.__wrapped__` is the plain one.

    It runs in a process of the runtime's own pool (an `async` function in its event loop, beside others), which
    starts with the first call, grows up to one process for each core and shrinks when it is idle.  Lambdas,
    closures and partials work: what a process cannot import is sent to it, once, as it was at the first call.

    A call whose process dies is tried again, at most `max_retries` times (3; `-1`: as often as is allowed, `0`:
    never); with `retry_exceptions` one that raised, too.  `cancel(ref)` or a cancelled await: what waits never runs,
    what runs is interrupted.

    Example:
        @remote
        def square(x: int) -> int:
            return x * x

        print(await square(2))
        ref = square.options(timeout=1.0).remote(3)

    Raises:
        Unsendable: at the call, if the function or an argument cannot be pickled.
        NoRuntimeError: at the call, if no runtime is open.
    """

    def __init__(self, function: Callable[..., Any], options: FunctionOptions) -> None:
        functools.update_wrapper(self, function)
        self.__name__: str = name_of(function)
        self.__qualname__: str = getattr(function, "__qualname__", self.__name__)
        self.__module__: str = getattr(function, "__module__", None) or "__main__"
        self.__understudy_function__ = function
        self.__wrapped__ = function
        self.chosen = checked(options)
        kind = kind_of(function)
        if kind.streams:
            raise TypeError(
                f"{self.__name__} is a generator; a remote function returns one value. Make it an actor's method"
            )
        self.awaits = kind.awaits
        self.executor = options.get("executor")
        self.origin = self  # the one without changed options, whose code is sent
        self.sent: tuple[bytes, bytes] | None = None
        self.bound: FunctionMethod | None = None

    def __call__(
        self: RemoteFunction[Callable[P, R]], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        refs = self.check(*args, **kwargs)
        method = self.method()
        mailbox = method.mailbox
        if refs:
            return mailbox.ask_with_refs(method, args, kwargs)
        return mailbox.asked(mailbox.make(CALL, method, args, kwargs))

    def remote(self: RemoteFunction[Callable[P, R]], *args: P.args, **kwargs: P.kwargs) -> ObjectRef[R]:
        """Call it; its ObjectRef at once."""
        refs = self.check(*args, **kwargs)
        method = self.method()
        return method.mailbox.submit(method, args, kwargs, refs)

    def options(self, **options: Unpack[FunctionOptions]) -> Self:
        """The same function with other options."""
        changed: FunctionOptions = {**self.chosen, **options}
        made = type(self)(self.__wrapped__, changed)
        made.origin = self.origin
        return made

    def mapped(self, items: Iterable[Any], star: bool, how: MapOptions) -> MapStream[Any]:
        return self.method().mapped(items, star, how)

    @functools.cached_property
    def check(self) -> Check:
        """Takes what the function takes."""
        return compiled(self.__wrapped__)

    # -- how it travels -------------------------------------------------------------------------

    def method(self) -> FunctionMethod:
        """The function in the runtime that is open here."""
        mailbox = open_spawner().functions(self.executor, self.awaits)
        bound = self.bound
        if bound is None or bound.mailbox is not mailbox:
            bound = self.bound = FunctionMethod(mailbox, self)
        return bound

    def pickled(self) -> tuple[bytes, bytes]:
        """The hash of the function's code, and the code."""
        if self.origin is not self:
            return self.origin.pickled()
        if self.sent is None:
            self.sent = pickled(self if pickles.importable(self) else self.__wrapped__, self.__name__)
        return self.sent

    def __reduce__(self) -> Any:
        if pickles.importable(self):
            return self.__qualname__
        return RemoteFunction, (self.__wrapped__, self.chosen)

    def __repr__(self) -> str:
        return f"<remote function {self.__name__}>"


def pickled(function: Any, name: str) -> tuple[bytes, bytes]:
    """A function's code by its hash.

    Raises:
        Unsendable: if it cannot be pickled.
    """
    code: dict[bytes, bytes] = {}
    try:
        digest = pickles.code_of(function, code, whole_module=pickles.is_homeless(function))
    except Exception as error:
        text = f"the function {name}() cannot be pickled, or something it refers to: {error}"
        raise Unsendable(text, NEVER_SENT, 0, name) from error
    return digest, code[digest]


def name_of(function: Any) -> str:
    """A name for messages: a partial has that of its function."""
    inner = getattr(function, "func", function)
    return str(getattr(function, "__name__", None) or getattr(inner, "__name__", type(function).__name__))


def is_process(value: object) -> bool:
    return value is None or isinstance(value, Process)


OPTION_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "max_retries": CHECKS["max_task_retries"],
    "retry_exceptions": CHECKS["retry_exceptions"],
    "timeout": (is_timeout, "a number of seconds, or None"),
    "executor": (is_process, "a Process(...), for functions run in processes"),
}


def checked(options: FunctionOptions) -> FunctionOptions:
    for name, value in options.items():
        if name not in OPTION_CHECKS:
            raise TypeError(
                f"a function has no option {name!r}; there are {', '.join(sorted(OPTION_CHECKS))}"
            )
        holds, meaning = OPTION_CHECKS[name]
        if not holds(value):
            raise ValueError(f"{name} must be {meaning}, not {value!r}")
    return options
