"""Other actors, as the methods of a guest see them: the same handle, whose calls go by way of the host.

In an `async` method `await h.m(...)`; in any other `blocking.get(h.m.remote(...))`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from ..transports.guests.asking import Asking, Question
from ..transports.guests.context import present
from ..transports.guests.protocol import REFUSAL
from . import errors
from .actor import exported_of
from .kinds import kind_of
from .reasons import ExitReason
from .signature import check_of

if TYPE_CHECKING:
    from .errors import UnderstudyError


# In the host: how handles that come along with a message are found.
finder: ContextVar[Callable[[str], Any] | None] = ContextVar("understudy_finder", default=None)


class FarHandle:
    """The handle of another actor: `await h.m(...)`, `h.m.remote(...)`, `h.m.cast(...)`."""

    def __init__(self, path: str, cls: type) -> None:
        self._path = path
        self._cls = cls

    def __getattr__(self, name: str) -> FarMethod:
        function = exported_of(self._cls).get(name)
        if function is None:
            there = ", ".join(sorted(exported_of(self._cls))) or "none"
            raise AttributeError(
                f"{self._cls.__name__} has no method {name!r}; it has {there}", name=name, obj=self
            )
        if kind_of(function).streams:
            raise AttributeError(f"{name}() gives a stream; a guest can call methods that give one value")
        method = FarMethod(self._path, name, function)
        setattr(self, name, method)
        return method

    def __dir__(self) -> list[str]:
        return sorted(exported_of(self._cls))

    def __repr__(self) -> str:
        return f"<{self._cls.__name__} {self._path!r}, seen from another actor>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FarHandle) and other._path == self._path

    def __hash__(self) -> int:
        return hash(self._path)

    def __reduce__(self) -> Any:
        return handle_at, (self._path, self._cls)


class FarMethod:
    # A method of another actor; its docstring is the user's own.
    __slots__ = ("__doc__", "__wrapped__", "check", "name", "path")

    def __init__(self, path: str, name: str, function: Callable[..., Any]) -> None:
        self.path = path
        self.name = name
        self.check = check_of(function)
        self.__wrapped__ = function
        self.__doc__ = function.__doc__

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return await self.remote(*args, **kwargs)

    def remote(self, *args: Any, **kwargs: Any) -> FarRef:
        self.check(*args, **kwargs)
        return FarRef(ask("call", self.path, self.name, packed((args, kwargs))), self.name)

    def cast(self, *args: Any, **kwargs: Any) -> None:
        self.check(*args, **kwargs)
        ask("cast", self.path, self.name, packed((args, kwargs)))

    def __repr__(self) -> str:
        return f"<method {self.name} of {self.path}, seen from another actor>"


class FarRef:
    """The result of a call that a guest has made; it belongs to the call in whose method it was made."""

    __slots__ = ("asker", "call_id", "name", "question")

    def __init__(self, question: Question, name: str) -> None:
        here = present()
        self.question = question
        self.name = name
        self.asker = here.asker
        self.call_id = here.call[0] if here.call is not None else 0

    @property
    def done(self) -> bool:
        """Has the call ended?"""
        return self.question.answer is not None

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.outcome().__await__()

    async def outcome(self) -> Any:
        try:
            await self.asker.wait_async(self.question)
        except BaseException:
            self.cancel()
            raise
        return self.value()

    def wait(self) -> Any:
        """Wait in a method that is not `async`; raises what the call raised."""
        try:
            self.asker.wait(self.question)
        except BaseException:
            self.cancel()
            raise
        return self.value()

    def cancel(self) -> bool:
        """Cancel the call; False if it had ended."""
        if self.done:
            return False
        self.asker.asking.forget(self.question, self.call_id)
        return True

    def value(self) -> Any:
        answer = self.question.answer
        assert answer is not None
        if answer[0] == REFUSAL:
            raise error_of(answer[2])
        return asking().guest.values.load(answer[2])

    def __repr__(self) -> str:
        return f"<ref of {self.name}(), {'ended' if self.done else 'under way'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an ObjectRef cannot travel; get its value and send that")


def asking() -> Asking:
    """What asks the host, for the method that runs here.

    Raises:
        NoRuntimeError: outside a method.
    """
    asker = present().asker
    if asker is None:
        raise errors.NoRuntimeError("other actors can be called only while a method of this actor runs")
    found: Asking = asker.asking
    return found


def ask(*request: Any) -> Question:
    here = present()
    return asking().ask(here.call[0] if here.call is not None else 0, list(request))


def packed(value: Any) -> Any:
    """A value as part of a request."""
    return asking().guest.values.item(value)


def get_actor(name: str, cls: Any = None, /) -> Any:
    """The handle of an actor, by its name or path, in a method that is not `async`.

    Raises:
        ActorNotFoundError: if there is none.
    """
    del cls
    ref = FarRef(ask("find", name), "get_actor")
    path, kind = ref.wait()
    return FarHandle(path, kind)


def handle_at(path: str, cls: type) -> Any:
    """The handle of an actor that came along with a message."""
    if present().asker is not None or in_guest():
        return FarHandle(path, cls)
    find = finder.get()
    if find is None:
        from .spawner import open_spawner

        find = open_spawner().find
    return find(path)


def near(value: Any) -> Any:
    """The reverse; raises ActorNotFoundError."""
    if not isinstance(value, FarHandle):
        return value
    find = finder.get()
    return value if find is None else find(value._path)  # pyright: ignore[reportPrivateUsage]


def in_guest() -> bool:
    import sys

    return "understudy_guest" in sys.modules


def error_of(fault: list[Any]) -> BaseException:
    """The error that the host's refusal describes."""
    module, name, text, traceback, pickled, kind, shown, fate, call_id, method, reason = fault
    cause = loaded(pickled)
    if not kind:
        return cause or errors.foreign_error(f"{module}.{name}", text, 0, "", "the host", traceback)
    if kind == "TaskError":
        if cause is not None:
            return errors.task_error(cause, call_id, method, "another actor", traceback)
        return errors.foreign_error(f"{module}.{name}", text, call_id, method, "another actor", traceback)
    return rebuilt(getattr(errors, kind, errors.CallError), shown, fate, call_id, method, reason)


def rebuilt(
    kind: type[UnderstudyError], shown: str, fate: str, call_id: int, method: str, reason: list[str]
) -> BaseException:
    if issubclass(kind, errors.ActorError):
        return kind(shown, ExitReason(reason[0], reason[1]), fate, call_id, method)
    if issubclass(kind, errors.CallError):
        return kind(shown, fate, call_id, method)
    return kind(shown)


def loaded(pickled: Any) -> BaseException | None:
    """The exception itself, where it can be had."""
    if isinstance(pickled, BaseException) or pickled is None:
        return pickled
    from ..transports.guests.pickles import loads

    try:
        found = loads(pickled)
    except Exception:
        return None
    return found if isinstance(found, BaseException) else None
