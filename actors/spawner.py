"""How an actor reaches what is above it without knowing it: two protocols, and a contextvar the runtime fills."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from ..transports.guests.context import present
from .errors import NoRuntimeError

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Awaitable, Callable

    from ..transports.stage import Stage
    from .anchor import Anchors
    from .call import Call
    from .deadletter import DeadLetter
    from .events import ActorCrashed, Event
    from .executor import Executor
    from .handle import ActorHandle
    from .held import Held
    from .life import Life
    from .mailbox import Mailbox
    from .reasons import ExitReason


class Spawner(Protocol):
    """What an open runtime does for those who start and find actors."""

    @property
    def house(self) -> House: ...
    def spawn(self, spec: Any) -> ActorHandle: ...  # a child spec, or the plan of a pool
    async def start(self, spec: Any) -> ActorHandle: ...
    def find(self, name: str, namespace: str = "") -> ActorHandle: ...
    def functions(self, executor: Executor | None, awaits: bool) -> Mailbox: ...


class House(Protocol):
    """What every actor of a runtime shares."""

    states: dict[str, Any]  # what incarnations have left for the next, by path
    watching: bool  # does anybody want to know what happens to messages?
    anchors: Anchors  # of the actors that end when nobody holds a handle of them
    taps: dict[Mailbox, list[Callable[[Any, Call], None]]]  # who is given each step of one actor's messages

    @property
    def stage(self) -> Stage: ...
    @property
    def settling(self) -> deque[Held]: ...
    def emit(self, event: Event) -> None: ...
    def behind(self) -> bool: ...  # have those who read its events fallen behind?
    def tell(self, event: Event) -> None: ...
    def crashed(self, event: ActorCrashed) -> None: ...
    def ended(self, life: Life, reason: ExitReason) -> None: ...
    def request(self, life: Life, verb: str, /, *args: Any) -> Any: ...
    def bury(self, letter: DeadLetter) -> None: ...
    def unseen(self, call: Call) -> None: ...
    def abandoned(self, life: Life) -> None: ...
    def spawner(self) -> Spawner: ...
    def look_after(self, function: Callable[[], Awaitable[None]]) -> None: ...
    def find(self, name: str, namespace: str = "", number: int = 0) -> ActorHandle: ...
    def number_of(self, life: Life) -> int: ...


class Overseer(Protocol):
    """The supervisor of an actor, as the actor sees it."""

    @property
    def house(self) -> House: ...
    def ready(self, life: Life, /) -> None: ...
    def terminate(self, life: Life, /, reason: ExitReason | None = None) -> None: ...
    def ended(self, life: Life, /, reason: ExitReason, started: bool) -> None: ...


current: ContextVar[Spawner] = ContextVar("understudy_runtime")

# Runtimes that any thread and any task may use, the latest last: those of understudy.aio and understudy.blocking.
shared: list[Spawner] = []


def open_spawner() -> Spawner:
    """The runtime that is open here.

    Raises:
        NoRuntimeError: if there is none.
    """
    try:
        return current.get()
    except LookupError:
        if present().asker is not None:
            raise NoRuntimeError(NOT_IN_GUESTS) from None
        if shared:
            return shared[-1]
        raise NoRuntimeError(
            "no runtime is open here; write: async with open_runtime(): ... and start actors inside"
            " (under asyncio aio.open_runtime(), in plain code blocking.open_runtime())"
        ) from None


NOT_IN_GUESTS = (
    "this needs a runtime, and the methods of an actor in a process or a thread have none of their own: they call others, "
    "start actors by X.remote(...) and X.start(...), and put values; all else is for executor=Local() or the caller"
)
