"""`monitor` in the methods of a guest: its host watches, and its actor's hook is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..transports.guests.protocol import DOWN
from .guest_handle import GuestHandle
from .guest_ref import asking, call_here

if TYPE_CHECKING:
    from ..transports.guests.downs import Downs


class GuestMonitor:
    """What an actor in a guest watches; its hook `on_down` is told."""

    def __init__(self, downs: Downs) -> None:
        self.downs = downs
        self.ids: list[int] = []
        self.id = 0  # of the actor that was given or added last: its Down has it as `monitor`

    def add(self, handle: GuestHandle, /) -> int:
        """Watch one more; returns the number its Down will have."""
        target = target_of(handle, "monitor() takes the handles of actors, as in monitor(worker)")
        self.id = self.downs.watch(call_here(), target)
        self.ids.append(self.id)
        return self.id

    def close(self) -> bool:
        """Watch nothing any more; returns whether any had not been told of."""
        ids, self.ids = self.ids, []
        return max([self.downs.unwatch(call_here(), id) for id in ids], default=False)

    def __aiter__(self) -> NoReturn:
        raise RuntimeError("in a process or thread of its own an actor is told by its on_down hook")


def monitor(*handles: Any) -> GuestMonitor:
    """Watch actors: the hook on_down is told."""
    asked = asking()
    if DOWN not in asked.guest.hooks:
        cls = type(asked.guest.actor).__name__
        raise TypeError(
            f"monitor() tells the hook on_down, and {cls} has none; write one: def on_down(self, down)"
        )
    made = GuestMonitor(asked.guest.downs)
    for handle in handles:
        made.add(handle)
    return made


def target_of(handle: Any, usage: str) -> list[Any]:
    """The path, the namespace and the actor's number of a handle."""
    if not isinstance(handle, GuestHandle):
        raise TypeError(f"{usage}, that came as arguments of their own or from get_actor(); not {handle!r}")
    return [handle._path, handle._namespace, handle._actor()]  # pyright: ignore[reportPrivateUsage]
