"""The twin of a live actor: it knows what befalls it next, and does it to the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from ..actors.process import ProcessIncarnation
from ..actors.reasons import SHUTDOWN, ExitReason
from ..actors.spec import ChildSpec
from ..testing.injection import inject
from .actor import CRASHED, DOWN, FALLEN, STARTING, STOPPING, SimulatedActor

if TYPE_CHECKING:
    from ..actors.life import Life
    from .live import LiveWorld


class Ground:
    """What is above the twins of one supervisor's actors: what they share, and nobody who decides."""

    def __init__(self, world: LiveWorld, path: str, ids: list[str]) -> None:
        self.world = world
        self.shared = world.share(path, ids)

    def ready(self, child: Any, /) -> None:
        """The real actor has told its real supervisor."""

    def ended(self, child: Any, reason: ExitReason, started: bool, /) -> None:
        """Likewise."""


class Twin(SimulatedActor):
    """A modelled actor whose faults strike a real one; it follows the real one by its events.

    A `Player` asks it how long to start and to stop, any other actor starts and stops as it does.
    """

    world: LiveWorld

    def __init__(self, id: str, path: str, spec: ChildSpec[Any], ground: Ground) -> None:
        super().__init__(id, path, spec, ground)
        self.outcome: ExitReason | None = None
        self.through = trio.Event()  # with its start, or its stop

    def make_mailbox(self) -> None:
        """Calls come to the real one, from whoever makes them."""

    # -- what the real one does -----------------------------------------------------------------

    def sees_start(self, number: int) -> None:
        if self.state == DOWN:
            self.number = number
            self.set_out()

    def sees_ready(self) -> None:
        if self.state == STARTING:
            self.rise()

    def sees_end(self, reason: ExitReason) -> None:
        if self.state == FALLEN and reason.kind == SHUTDOWN:
            reason = CRASHED  # it was asked to stop before anybody knew
        if self.state != DOWN:
            self.sink(reason)

    # -- what a player asks ---------------------------------------------------------------------

    async def play_start(self) -> ExitReason | None:
        """Take as long to start as the model says; returns why it failed, if it did."""
        self.through, self.outcome = trio.Event(), None
        self.world.tick()
        self.world.start(self, self.turn)
        await self.through.wait()
        return self.outcome

    async def play_stop(self) -> None:
        """Take as long to stop as the model says, which may be for ever."""
        if self.state == FALLEN:
            return
        self.through = trio.Event()
        self.world.tick()
        self.stop(None)
        await self.through.wait()

    # -- what the model does --------------------------------------------------------------------

    def ready(self, turn: int) -> None:
        if self.awaits(turn):
            self.through.set()

    def stillborn(self, turn: int, reason: ExitReason) -> None:
        if self.awaits(turn):
            self.outcome = reason
            self.through.set()

    def hang(self, noticed: int) -> None:
        if self.is_process:
            self.leave_up()
            self.state = FALLEN  # the runtime will notice by its own means
            inject(self.world.handle(self.path), "SIGSTOP")
        else:
            super().hang(noticed)

    def end(self, reason: ExitReason) -> None:
        """A stop is done; anything else is done to the real one, whose end is then seen."""
        if self.state == STOPPING:
            self.through.set()
            return
        self.leave_up()
        self.state = FALLEN
        if self.is_process and reason is CRASHED:
            inject(self.world.handle(self.path), "SIGKILL")
        else:
            self.life.kill(reason)

    @property
    def life(self) -> Life:
        return self.world.house.registry.paths[self.path]

    @property
    def is_process(self) -> bool:
        return isinstance(self.life.incarnation, ProcessIncarnation)
