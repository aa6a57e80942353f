"""`FarRuntime`: a runtime in a thread of its own, as its users see it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..actors import spawner
from ..actors.deadletter import DeadLetter
from ..actors.errors import NoRuntimeError
from ..actors.events import Event
from ..actors.executor import Executor
from ..actors.handle import ActorHandle, of_class
from ..actors.life import Life
from ..supervisors.house import RuntimeHouse
from ..supervisors.runtime import Runtime
from ..supervisors.trace import Trace
from .blocks import Block, belonging_to, block_for
from .handle import FarHandle
from .mailbox import FarMailbox
from .stream import EventPump, FarStream
from .thread import RuntimeThread

if TYPE_CHECKING:
    from ..actors.actor import Handle

T = TypeVar("T")


class FarRuntime:
    """As `understudy.Runtime`.  What it is asked it asks its thread, which takes some 50 µs."""

    def __init__(self, thread: RuntimeThread) -> None:
        self.thread = thread
        self.crossing = thread.crossing
        self.pools: dict[tuple[Executor | None, bool], FarMailbox] = {}

    @property
    def near(self) -> Runtime:
        if self.thread.runtime is None:
            raise NoRuntimeError("the runtime is not open yet")
        return self.thread.runtime

    # -- what users ask -------------------------------------------------------------------------

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """Messages nobody could deal with, oldest first; the last 10,000."""
        return list(self.near.dead_letters.copy())

    def events(self, *, messages: bool = False) -> FarStream[Event]:
        """A reader of every event from now on, for `async for` or, in plain code, `for`."""
        reader = self.crossing.do(partial(self.near.events, messages=messages))
        stream: FarStream[Event] = FarStream(EventPump(self.crossing, self.near.house, reader))
        stream.begin()
        return stream

    def tracing(self, on: bool = True) -> None:
        """Keep the last 10,000 events for `trace()`, those of messages too; or keep them no longer."""
        self.crossing.do(self.near.tracing, on)

    def trace(self, call_id: int) -> Trace:
        """Everything known of one message, by its id, and of those that were made in its method."""
        return self.crossing.do(self.near.trace, call_id)

    def tree(self, *, all: bool = False) -> str:  # noqa: A002  as in Runtime
        """The tree as text; with `all=True` also every process below it, as the system lists them."""
        return self.crossing.do(partial(self.near.tree, all=all))

    def capabilities(self) -> dict[str, str]:
        """Which of the system's means are in use, and what stands in for the others."""
        return self.near.capabilities()

    @overload
    def get_actor(self, name: str, /, *, namespace: str = "") -> Handle[Any]: ...
    @overload
    def get_actor(self, name: str, cls: Callable[..., T], /, *, namespace: str = "") -> Handle[T]: ...
    def get_actor(self, name: str, cls: Any = None, /, *, namespace: str = "") -> Any:
        """As `get_actor`, for this runtime."""
        return of_class(self.find(name, namespace), cls)

    def __repr__(self) -> str:
        return f"<{self.crossing.closed or repr(self.thread.runtime)}, in a thread>"

    @property
    def house(self) -> RuntimeHouse:
        return self.near.house

    # -- what actors ask ------------------------------------------------------------------------

    def far(self, life: Life) -> FarHandle:
        return FarHandle(life, self.crossing)

    def spawn(self, spec: Any) -> ActorHandle:
        """Start an actor under the dynamic supervisor; its handle at once."""
        handle = self.crossing.do(self.spawn_for, block_for(self.crossing), spec)
        return self.far(handle._life)  # pyright: ignore[reportPrivateUsage]

    def spawn_for(self, block: Block | None, spec: Any) -> ActorHandle:
        with belonging_to(block):
            return self.near.spawn(spec)

    async def start(self, spec: Any) -> ActorHandle:
        """Start an actor and wait until it is ready; if cancelled while waiting, the actor is ended."""
        handle = await self.crossing.perform(self.start_for, block_for(self.crossing), spec)
        return self.far(handle._life)  # pyright: ignore[reportPrivateUsage]

    async def start_for(self, block: Block | None, spec: Any) -> ActorHandle:
        with belonging_to(block):
            return await self.near.start(spec)

    def functions(self, executor: Executor | None, awaits: bool) -> FarMailbox:
        """Where calls of remote functions go."""
        self.crossing.check()
        found = self.pools.get((executor, awaits))
        if found is None:
            near = self.crossing.do(self.near.functions, executor, awaits)
            found = self.pools[executor, awaits] = FarMailbox(near, self.crossing)
        return found

    def find(self, name: str, namespace: str = "") -> ActorHandle:
        """The handle of an actor by name or path; raises ActorNotFoundError."""
        handle = self.crossing.do(self.near.find, name, namespace)
        return self.far(handle._life)  # pyright: ignore[reportPrivateUsage]


class Shared:
    """A runtime on offer: in the context that opened it, and wherever no other is open."""

    def __init__(self, runtime: FarRuntime) -> None:
        self.runtime = runtime
        self.token: Token[Any] = spawner.current.set(runtime)
        spawner.shared.append(runtime)

    def withdraw(self) -> None:
        if self.runtime in spawner.shared:
            spawner.shared.remove(self.runtime)
        try:
            spawner.current.reset(self.token)
        except ValueError:
            pass  # left in another task than it was entered in, as in a notebook: that context has ended
