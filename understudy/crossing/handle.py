"""`FarHandle`: a handle that works in any loop and any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..actors.guest_verbs import refuse_elsewhere
from ..actors.handle import ActorHandle
from ..actors.life import Life
from ..actors.method import ActorMethod
from ..actors.nearby import FAR, as_seen_there
from ..actors.streaming import StreamMethod
from .crossing import Crossing
from .mailbox import FarMailbox
from .stream import far_method


class FarHandle(ActorHandle):
    """Calls an actor of a runtime in another thread, exactly as an `ActorHandle` calls one in its own."""

    _by_a_door = True

    def __init__(self, life: Life, crossing: Crossing) -> None:
        super().__init__(life)
        self._crossing = crossing
        self._mailbox = FarMailbox(life.mailbox, crossing)

    def _offer(self, name: str, function: Callable[..., Any]) -> ActorMethod[Any] | StreamMethod[Any]:
        return far_method(self._mailbox, self._crossing, name, function)


FAR[FarHandle] = as_seen_there


def far_handle(value: Any) -> FarHandle:
    """The value, if it is a handle that this door can use.

    Raises:
        TypeError: for anything else.
    """
    if not isinstance(value, FarHandle):
        refuse_elsewhere(value)
        raise TypeError(f"this takes a handle that was made under aio or blocking, not {value!r}")
    return value
