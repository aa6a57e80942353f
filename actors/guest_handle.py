"""Other actors, as the methods of a guest see them: handles whose calls go by way of the host.

In an `async` method `await h.m(...)`; in any other `blocking.get(h.m.remote(...))`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..transports.guests.context import present
from ..transports.guests.protocol import ANSWER
from .exported import exported_of, full_name
from .guest_map import GuestMap
from .guest_ref import GuestRef, ask, asking, call_here, parcel
from .guest_stream import GuestStreamMethod
from .kinds import kind_of
from .mappable import Mappable
from .method import checked
from .signature import compiled

if TYPE_CHECKING:
    from ..transports.guests.asking import Question
    from .mappable import MapOptions

# In the host: how handles that come along with a message are found.
finder: ContextVar[Callable[[str, str, int], Any] | None] = ContextVar("understudy_finder", default=None)


class GuestHandle:
    """The handle of another actor; without its class, whatever is called is asked for there.

    One that was given to us, or started by us, is of that very actor, by its number; one that was looked for by
    name or path is of whoever has that.
    """

    def __init__(
        self,
        path: str,
        cls: type | None,
        namespace: str = "",
        number: int = 0,
        begun: Question | None = None,
    ) -> None:
        self._path = path
        self._namespace = namespace
        self._cls = cls
        self._number = number  # of the actor, in its runtime; 0: not known, or not asked for
        self._begun = begun  # by which this guest has started the actor, without waiting for that

    def __getattr__(self, name: str) -> GuestMethod | GuestStreamMethod:
        if name.startswith("__"):
            raise AttributeError(name)
        method = self._method(name)
        setattr(self, name, method)
        return method

    def _method(self, name: str) -> GuestMethod | GuestStreamMethod:
        function = self._function(name)
        if function is not None and kind_of(function).streams:
            return GuestStreamMethod(self._target(), name, function, {})
        return GuestMethod(self, name, function, {})

    def _target(self) -> list[Any]:
        return [
            self._path,
            self._namespace,
            full_name(self._cls) if self._cls is not None else "",
            self._begun.number if self._begun is not None else 0,
            self._actor(),
        ]

    def _actor(self) -> int:
        """The number of the actor; 0 if any will do that has the name."""
        answer = self._begun.answer if self._begun is not None else None
        if answer is not None and answer[0] == ANSWER:
            self._number = answer[2]
        return self._number

    def _function(self, name: str) -> Callable[..., Any] | None:
        if self._cls is None:
            return None
        function = exported_of(self._cls).get(name)
        if function is None:
            there = ", ".join(sorted(exported_of(self._cls))) or "none"
            text = f"{self._cls.__name__} has no method {name!r}; it has {there}"
            raise AttributeError(text, name=name, obj=self)
        return function

    def __dir__(self) -> list[str]:
        return sorted(exported_of(self._cls)) if self._cls is not None else []

    def __repr__(self) -> str:
        return f"<{self._cls.__name__ if self._cls else 'actor'} {self._path!r}, seen from another actor>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GuestHandle) or other._target()[:2] != self._target()[:2]:
            return False
        numbers = {self._actor(), other._actor()} - {0}
        return len(numbers) < 2

    def __hash__(self) -> int:
        return hash(self._path)

    def __reduce__(self) -> Any:
        return handle_at, (self._path, self._cls, self._namespace, self._actor())


class GuestMethod(Mappable[Any]):
    # A method of another actor; its docstring is the user's own.
    __slots__ = ("__doc__", "__wrapped__", "changes", "check", "handle", "name")

    def __init__(
        self,
        handle: GuestHandle,
        name: str,
        function: Callable[..., Any] | None,
        changes: Mapping[str, Any],
    ) -> None:
        self.handle = handle
        self.name = name
        self.changes = changes
        self.check = compiled(function, 1) if function is not None else unchecked
        self.__wrapped__ = function
        self.__doc__ = function.__doc__ if function is not None else None

    @property
    def target(self) -> list[Any]:
        return self.handle._target()  # pyright: ignore[reportPrivateUsage]

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return await self.asked(args, kwargs, awaited=True)

    def remote(self, /, *args: Any, **kwargs: Any) -> GuestRef:
        return self.asked(args, kwargs, awaited=False)

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, awaited: bool) -> GuestRef:
        self.check(*args, **kwargs)
        asking().check_trust("call", self.target[0])
        parts = parcel(args, kwargs, self.changes)
        question = ask("call", self.target, self.name, *parts, awaited, asking().heard)
        return GuestRef(question, self.name, awaited)

    def cast(self, /, *args: Any, **kwargs: Any) -> None:
        self.check(*args, **kwargs)
        asking().check_trust("cast", self.target[0])
        asking().order(call_here(), ["cast", self.target, self.name, *parcel(args, kwargs, self.changes)])

    def mapped(self, items: Iterable[Any], star: bool, how: MapOptions) -> Any:
        def make(item: Any) -> GuestRef:
            return self.asked(tuple(item) if star else (item,), {}, awaited=True)

        return GuestMap(make, items, **how)

    def options(self, **options: Any) -> GuestMethod:
        return GuestMethod(self.handle, self.name, self.__wrapped__, {**self.changes, **checked(options)})

    def __repr__(self) -> str:
        return f"<method {self.name} of {self.target[0]}, seen from another actor>"


def unchecked(*args: Any, **kwargs: Any) -> None:
    """Nothing is known of the method here: its host checks."""


def handle_at(path: str, cls: type | None, namespace: str = "", number: int = 0) -> Any:
    """The handle of an actor that came along with a message."""
    find = finder.get()
    if find is not None:  # what has come is of a runtime here, be this a guest as well
        return find(path, namespace, number)
    if present().asker is not None or "understudy_guest" in sys.modules:
        return GuestHandle(path, cls, namespace, number)
    from .spawner import open_spawner

    return open_spawner().find(path, namespace)
