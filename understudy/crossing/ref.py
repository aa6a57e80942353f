"""`FarRef`: an ObjectRef that any loop and any thread may wait for."""

from __future__ import annotations

from typing import Any, TypeVar

from ..actors.call import Call
from ..actors.errors import CallError
from ..actors.ref import REF_TYPES, ObjectRef, Watcher
from .crossing import Crossing
from .waiters import Gate

R_co = TypeVar("R_co", covariant=True)


class Reply(Watcher):
    """Told of the call's end, in the runtime's thread: opens a gate for all who wait."""

    __slots__ = ("gate",)

    def __init__(self, house: Any) -> None:
        super().__init__(house)
        self.gate = Gate()

    def settled(self, call: Call) -> None:
        self.gate.open()
        super().settled(call)


class FarRef(ObjectRef[R_co]):
    """The result of `h.m.remote(...)` where `h` is a handle of a runtime in another thread."""

    __slots__ = ("crossing", "reply")

    by_a_door = True

    def __init__(self, call: Call, crossing: Crossing) -> None:
        super().__init__(call, call.mailbox.house)
        self.crossing = crossing
        self.watcher = self.reply = call.ref = Reply(self.house)
        self.reply.gate.over = call.ended  # an item of a stream is there already

    @property
    def done(self) -> bool:
        return self.reply.gate.over  # not the call's own state, which is set before its value

    async def outcome(self) -> R_co:
        await self.crossing.passed(self.reply.gate)
        return self.value()

    async def wait_done(self) -> None:
        """Wait until the call has ended, whatever its outcome; if cancelled, the call goes on."""
        await self.crossing.passed(self.reply.gate)

    def value(self) -> R_co:
        """The value of a call that has ended; raises what ended it."""
        try:
            value: R_co = self.call.unwrap()
        except CallError:
            self.seen = True
            raise
        return value

    def __del__(self) -> None:
        reply: Reply | None = getattr(self, "reply", None)
        if reply is not None and not self.seen and (self.call.error is not None or not reply.gate.over):
            self.crossing.post(reply.unwatched, self.call)


REF_TYPES.add(FarRef)


class ValueRef(FarRef[R_co]):
    """A put value, which is there: as a FarRef whose call has ended."""

    __slots__ = ()

    def __init__(self, ref: ObjectRef[R_co], crossing: Crossing) -> None:
        self.call, self.house, self.seen, self.crossing = ref.call, ref.house, True, crossing
        self.watcher = ref.watcher
        self.reply = Reply(ref.house)
        self.reply.gate.over = True
