"""`trace(handle)`: what one actor gets and answers, message by message, with what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ..actors.deadletter import arguments_of
from ..actors.events import Event, MessageEnded, MessageQueued
from ..actors.inspection import inspected
from ..actors.mailbox import Mailbox
from .events import EventReader

if TYPE_CHECKING:
    from ..actors.actor import Handle
    from ..actors.call import Call
    from ..actors.events import MessageEvent
    from ..actors.life import Life

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Traced(Event):
    """One step of one message: `event` tells which.

    A MessageQueued comes with `args` and `kwargs`, a MessageEnded with `value`; a MessageFailed has its `error`.
    """

    event: MessageEvent
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    value: Any = None


class Trace(EventReader):
    """Iterate over what one actor gets and answers; made by `trace(handle)`, and as any reader of events."""

    def __init__(self, life: Life) -> None:
        self.life = life
        house: Any = life.house
        super().__init__(house.stream, messages=True)
        house.taps.setdefault(life.mailbox, []).append(self.tap)

    def put(self, event: Event) -> None:
        """What happens to others is not wanted here, and what happens to this one comes with what is in it."""

    def tap(self, event: MessageEvent, call: Call) -> None:
        if isinstance(event, MessageQueued):
            self.hold(event, *arguments_of(call, self.life.craft))
        else:
            self.hold(event, value=call.value if isinstance(event, MessageEnded) else None)

    def hold(
        self,
        event: MessageEvent,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] = NOTHING,
        value: Any = None,
    ) -> None:
        super().put(Traced(event.at, event.actor, event.incarnation, event, args, kwargs, value))

    async def __anext__(self) -> Traced:
        return cast("Traced", await super().__anext__())

    def close(self) -> None:
        """Trace no more; idempotent."""
        taps: dict[Mailbox, list[Any]] = self.life.house.taps
        if self.tap in taps.get(self.life.mailbox, ()):
            taps[self.life.mailbox].remove(self.tap)
            if not taps[self.life.mailbox]:
                del taps[self.life.mailbox]
        super().close()


def trace(handle: Handle[Any]) -> Trace:
    """What an actor gets and answers from now on, step by step, with arguments, values and errors.

    While somebody traces, all messages of the runtime take a little longer.

    Example:
        async with inspection.trace(worker) as steps:
            async for step in steps:
                print(step.event.method, type(step.event).__name__, step.args or step.value)

    A reader that falls 10,000 steps behind is told what it missed, by EventsMissed.  If cancelled while waiting,
    no step is lost.

    Raises:
        PermissionError: if the actor runs with `trusted=False`.
        TypeError: for what is no handle of an actor, or that of a pool.
    """
    return Trace(inspected(handle, "trace"))
