"""`ObjectRef`: a view of a call record or of a put value, as Ray's users know it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from ..transports.guests.context import role, running
from .chain import claim, claim_loosely
from .errors import CallError
from .signature import REF_TYPES as REF_TYPES

if TYPE_CHECKING:
    from ..transports.stored import Stored
    from .call import Call
    from .scope import Owner
    from .spawner import House

R_co = TypeVar("R_co", covariant=True)


class ObjectRef(Generic[R_co]):
    """The result of `h.m.remote(...)` or `put(value)`, to be awaited as often as you like.

    If a task is cancelled while it awaits the ref, the call goes on; `cancel(ref)` ends it.  A ref belongs to
    the call in whose method it was made, else to the innermost `open_scope()`, else to the runtime: when its
    owner ends, the call is cancelled.  A failure that nobody ever awaits is an event.
    """

    __slots__ = ("__weakref__", "call", "house", "seen", "watcher")

    by_a_door: ClassVar[bool] = False  # of a runtime in another thread

    def __init__(self, call: Call, house: House) -> None:
        self.call = call
        self.house = house
        self.seen = False
        self.watcher = call.ref = Watcher(house)

    @property
    def id(self) -> int:
        """The message id, the same in every event, log record and error."""
        return self.call.id

    @property
    def done(self) -> bool:
        """Has the call ended?"""
        return self.call.ended

    @property
    def as_argument(self) -> R_co:
        """The ref itself, but typed as its value: for a checker, where it is an argument of a call."""
        return cast("R_co", self)

    def __await__(self) -> Generator[Any, Any, R_co]:
        return self.outcome().__await__()

    async def outcome(self) -> R_co:
        waits = self.claim()
        try:
            value: R_co = await self.call.wait_shared()
        except CallError:
            self.seen = True
            raise
        finally:
            if waits:
                self.call.maker = None
        return value

    def claim(self, loosely: bool = False) -> bool:
        """Tell that the call that runs here, if one does, waits for this; `loosely`: among others, or for a time.

        Raises:
            DeadlockError: if it would wait for ever.
        """
        if running.call is None and role.get() is None:
            return False
        if loosely:
            self.watcher.loose = claim_loosely(self.call)
            return self.watcher.loose
        self.watcher.loose = False
        return claim(self.call)

    async def wait_done(self) -> None:
        """Wait until the call has ended, whatever its outcome; if cancelled, the call goes on.

        After `cancel(ref)` a call ends at once, and one with `cancel="wait"` when its method has ended.

        Raises:
            DeadlockError: if the call waits for the one that waits here.
        """
        waits = self.claim()
        try:
            await self.call.wait_ended()
        finally:
            if waits:
                self.call.maker = None

    def __del__(self) -> None:
        # A call that ends later finds that nobody can ask any more.
        watcher = getattr(self, "watcher", None)
        if watcher is not None and not self.seen:
            watcher.unwatched(self.call)

    def __repr__(self) -> str:
        return f"<ObjectRef of {self.call!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("an ObjectRef cannot travel; await it and send its value")


# What stands for its value among the arguments of a call; a door to other threads adds its own.
REF_TYPES.add(ObjectRef)


class Watcher:
    """Told of a call's end, it tells those who listen; a failure that nobody can await becomes an event."""

    __slots__ = ("house", "leaving", "listeners", "loose", "lost", "owner", "stored")

    def __init__(self, house: House) -> None:
        self.house = house
        self.lost = False
        self.loose = False  # whoever waits for the call can go on without it
        self.leaving = False  # called off, and open only because its end in the actor is not known yet
        self.listeners: list[Callable[[], None]] | None = None
        self.stored: Stored | None = None  # the value, for guests that get it as an argument
        self.owner: Owner | None = None

    def settled(self, call: Call) -> None:
        if self.owner is not None:
            self.owner.release(call)
            self.owner = None
        if self.listeners is not None:
            listeners, self.listeners = self.listeners, None
            for told in listeners:
                told()
        if self.lost and call.error is not None:
            self.house.unseen(call)

    def unwatched(self, call: Call) -> None:
        self.lost = True
        if call.ended and call.error is not None:
            self.house.unseen(call)

    def move(self, call: Call, owner: Owner | None) -> None:
        """Give the call another owner; None is the runtime."""
        if self.owner is not None:
            self.owner.release(call)
        self.owner = owner
        if owner is not None:
            owner.take(call)

    def listen(self, told: Callable[[], None]) -> None:
        """Call `told` when the call ends; it must not raise."""
        if self.listeners is None:
            self.listeners = []
        self.listeners.append(told)

    def ignore(self, told: Callable[[], None]) -> None:
        """Take back one `listen`."""
        if self.listeners is not None and told in self.listeners:
            self.listeners.remove(told)
