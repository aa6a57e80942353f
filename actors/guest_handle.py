"""Other actors, as the methods of a guest see them: handles and refs whose calls go by way of the host.

In an `async` method `await h.m(...)`; in any other `blocking.get(h.m.remote(...))`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from ..transports.guests.asking import Asking, Question
from ..transports.guests.context import carried_here, present
from ..transports.guests.protocol import REFUSAL
from . import errors
from .exported import exported_of, full_name
from .kinds import kind_of
from .reasons import ExitReason
from .signature import compiled

if TYPE_CHECKING:
    from .errors import UnderstudyError

# In the host: how handles that come along with a message are found.
finder: ContextVar[Callable[[str], Any] | None] = ContextVar("understudy_finder", default=None)


class GuestHandle:
    """The handle of another actor, by its name or path; without its class, whatever is called is asked for there."""

    def __init__(self, path: str, cls: type | None, namespace: str = "") -> None:
        self._path = path
        self._namespace = namespace
        self._cls = cls

    def __getattr__(self, name: str) -> GuestMethod:
        if name.startswith("__"):
            raise AttributeError(name)
        wanted = full_name(self._cls) if self._cls is not None else ""
        method = GuestMethod([self._path, self._namespace, wanted], name, self._function(name))
        setattr(self, name, method)
        return method

    def _function(self, name: str) -> Callable[..., Any] | None:
        if self._cls is None:
            return None
        function = exported_of(self._cls).get(name)
        if function is None:
            there = ", ".join(sorted(exported_of(self._cls))) or "none"
            text = f"{self._cls.__name__} has no method {name!r}; it has {there}"
            raise AttributeError(text, name=name, obj=self)
        if kind_of(function).streams:
            raise AttributeError(f"{name}() gives a stream; a guest can call methods that give one value")
        return function

    def __dir__(self) -> list[str]:
        return sorted(exported_of(self._cls)) if self._cls is not None else []

    def __repr__(self) -> str:
        return f"<{self._cls.__name__ if self._cls else 'actor'} {self._path!r}, seen from another actor>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GuestHandle) and (other._path, other._namespace) == (
            self._path,
            self._namespace,
        )

    def __hash__(self) -> int:
        return hash(self._path)

    def __reduce__(self) -> Any:
        return handle_at, (self._path, self._cls)


class GuestMethod:
    # A method of another actor; its docstring is the user's own.
    __slots__ = ("__doc__", "__wrapped__", "check", "name", "target")

    def __init__(self, target: list[str], name: str, function: Callable[..., Any] | None) -> None:
        self.target = target
        self.name = name
        self.check = compiled(function, 1) if function is not None else unchecked
        self.__wrapped__ = function
        self.__doc__ = function.__doc__ if function is not None else None

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return await self.asked(args, kwargs, awaited=True)

    def remote(self, *args: Any, **kwargs: Any) -> GuestRef:
        return self.asked(args, kwargs, awaited=False)

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, awaited: bool) -> GuestRef:
        self.check(*args, **kwargs)
        question = ask("call", self.target, self.name, packed((args, kwargs, carried_here())), awaited)
        return GuestRef(question, self.name, awaited)

    def cast(self, *args: Any, **kwargs: Any) -> None:
        self.check(*args, **kwargs)
        asking().order(call_here(), ["cast", self.target, self.name, packed((args, kwargs, carried_here()))])

    def __repr__(self) -> str:
        return f"<method {self.name} of {self.target[0]}, seen from another actor>"


def unchecked(*args: Any, **kwargs: Any) -> None:
    """Nothing is known of the method here: its host checks."""


class GuestRef:
    """The result of a call that a guest has made; it belongs to the call in whose method it was made."""

    __slots__ = ("alone", "asker", "awaited", "call_id", "name", "question")

    def __init__(self, question: Question, name: str, awaited: bool) -> None:
        here = present()
        self.question = question
        self.name = name
        self.awaited = awaited  # the host knows that somebody waits
        self.alone = awaited  # only who made the call waits for it: without them, nobody does
        self.asker = here.asker
        self.call_id = call_here()

    @property
    def done(self) -> bool:
        """Has the call ended?"""
        return self.question.answer is not None

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.outcome().__await__()

    async def outcome(self) -> Any:
        self.claim()
        try:
            await self.asker.wait_async(self.question)
        except BaseException:
            if self.alone:
                self.cancel()
            raise
        return self.value()

    def wait(self) -> Any:
        """Wait in a method that is not `async`; raises what the call raised."""
        self.claim()
        try:
            self.asker.wait(self.question)
        except BaseException:
            if self.alone:
                self.cancel()
            raise
        return self.value()

    def claim(self) -> None:
        """Tell the host that somebody waits: that may close a circle of calls that wait for each other."""
        if not self.awaited and not self.done:
            self.awaited = True
            self.asker.asking.tell(0, self.call_id, ["wait", self.question.number])

    def cancel(self) -> bool:
        """Cancel the call; False if it had ended."""
        if self.done:
            return False
        self.asker.asking.forget(self.question, self.call_id)
        text = f"a call of {self.name}() was cancelled by the actor that made it"
        about: list[Any] = ["TaskCancelledError", text, errors.UNKNOWN, 0, self.name, []]
        self.question.answered([REFUSAL, self.question.number, ["", "", text, "", None, *about]])
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
    return asking().ask(call_here(), list(request))


def call_here() -> int:
    """The id of the call that runs here; 0 if none does."""
    here = present()
    return here.call[0] if here.call is not None else 0


def packed(value: Any) -> Any:
    """A value as part of a request."""
    return asking().guest.values.item(value)


def handle_at(path: str, cls: type) -> Any:
    """The handle of an actor that came along with a message."""
    if present().asker is not None or "understudy_guest" in sys.modules:
        return GuestHandle(path, cls)
    find = finder.get()
    if find is None:
        from .spawner import open_spawner

        find = open_spawner().find
    return find(path)


def near(value: Any) -> Any:
    """In the host: the handle itself for one that a guest in this process has given; raises ActorNotFoundError."""
    find = finder.get()
    if not isinstance(value, GuestHandle) or find is None:
        return value
    return find(value._path)  # pyright: ignore[reportPrivateUsage]


# -- errors ------------------------------------------------------------------------------------------


def error_of(fault: list[Any]) -> BaseException:
    """The error that the host's refusal describes."""
    module, name, text, traceback, pickled, kind, shown, fate, call_id, method, reason = fault
    cause = loaded(pickled)
    if kind not in ("", "TaskError"):
        return rebuilt(getattr(errors, kind, errors.CallError), shown, fate, call_id, method, reason)
    if not kind and cause is not None:
        return cause
    if cause is not None:
        return errors.task_error(cause, call_id, method, "another actor", traceback)
    return errors.foreign_error(f"{module}.{name}", text, call_id, method, "another actor", traceback)


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
