"""The actor that acts out a model in a live runtime, as its twin in the laboratory says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..actors.actor import Actor
from ..actors.executor import Local
from ..actors.method import method

if TYPE_CHECKING:
    from .twin import Twin


class FaultError(Exception):
    """A start that failed, by its model."""


class Player(Actor, executor=Local()):
    """Starts and stops when its twin says so; the twin outlives it."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        twin.world.open(twin)

    @method
    async def idle(self) -> None:
        """Do nothing; with an `async` method the hooks may wait."""

    async def on_start(self) -> None:
        reason = await self.twin.play_start()
        if reason is not None:
            raise FaultError(reason.text)

    async def on_stop(self, reason: str) -> None:
        if reason == "shutdown":
            await self.twin.play_stop()
