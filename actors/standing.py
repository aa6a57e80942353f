"""Where an actor stands in its life, and how others wait for that to change; the same for one actor and for a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from . import lifecycle
from .errors import ActorStartError

if TYPE_CHECKING:
    from .reasons import ExitReason


class Standing:
    """A state of the rulebook that others may wait for."""

    if TYPE_CHECKING:
        path: str
        state: str
        number: int
        changed: trio.Event | None
        last_reason: ExitReason
    else:
        __slots__ = ()  # whoever stands so has the fields: two bases may not both bring slots

    def move(self, event: str) -> None:
        self.state = lifecycle.step(self.state, event)
        self.stir()

    def stir(self) -> None:
        """Let those who wait look again."""
        if self.changed is not None:
            changed, self.changed = self.changed, None
            changed.set()

    async def wait_ready(self) -> None:
        """Wait until the actor is ready; raises ActorStartError if it will never be."""
        while self.state is not lifecycle.READY:
            if self.state is lifecycle.DEAD or self.state is lifecycle.DOWN:
                raise ActorStartError(self.path, self.last_reason)
            await self.wait_changed()
        await trio.lowlevel.checkpoint_if_cancelled()

    @property
    def is_dead(self) -> bool:
        return self.state is lifecycle.DEAD

    async def wait_dead(self) -> None:
        while self.state is not lifecycle.DEAD and self.state is not lifecycle.DOWN:
            await self.wait_changed()

    async def wait_changed(self) -> None:
        if self.changed is None:
            self.changed = trio.Event()
        await self.changed.wait()
