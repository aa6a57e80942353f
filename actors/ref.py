"""`ObjectRef`: a view of a call record, as Ray's users know it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..transports.guests.context import role, running
from .chain import claim
from .errors import CallError

if TYPE_CHECKING:
    from .call import Call
    from .spawner import House

R_co = TypeVar("R_co", covariant=True)


class ObjectRef(Generic[R_co]):
    """The result of `h.m.remote(...)`, to be awaited as often as you like.

    If a task is cancelled while it awaits the ref, the call goes on; `cancel(ref)` ends it.  A ref belongs to
    the runtime: when that closes, the call is cancelled.  A failure that nobody ever awaits is an event.
    """

    __slots__ = ("__weakref__", "call", "house", "seen")

    def __init__(self, call: Call, house: House) -> None:
        self.call = call
        self.house = house
        self.seen = False
        call.ref = Watcher(house)

    @property
    def id(self) -> int:
        """The message id, the same in every event, log record and error."""
        return self.call.id

    @property
    def done(self) -> bool:
        """Has the call ended?"""
        return self.call.ended

    def __await__(self) -> Generator[Any, Any, R_co]:
        return self.outcome().__await__()

    async def outcome(self) -> R_co:
        waits = (running.call is not None or role.get() is not None) and claim(self.call)
        try:
            value: R_co = await self.call.wait_shared()
        except CallError:
            self.seen = True
            raise
        finally:
            if waits:
                self.call.maker = None
        return value

    async def wait_done(self) -> None:
        """Wait until the call has ended, whatever its outcome; if cancelled, the call goes on."""
        try:
            await self.call.wait_shared()
        except CallError:
            pass

    def __del__(self) -> None:
        # A call that ends later finds that nobody can ask any more.
        watcher = getattr(getattr(self, "call", None), "ref", None)
        if watcher is not None and not self.seen:
            watcher.unwatched(self.call)

    def __repr__(self) -> str:
        return f"<ObjectRef of {self.call!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("an ObjectRef cannot travel; await it and send its value")


class Watcher:
    """Remembers whether somebody can still await a call's outcome; if not, its failure becomes an event."""

    __slots__ = ("house", "lost")

    def __init__(self, house: House) -> None:
        self.house = house
        self.lost = False

    def settled(self, call: Call) -> None:
        if self.lost and call.error is not None:
            self.house.unseen(call)

    def unwatched(self, call: Call) -> None:
        self.lost = True
        if call.ended and call.error is not None:
            self.house.unseen(call)
