"""A modelled actor at work in a simulated world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..actors.events import ActorDied, ActorEnded, ActorReady, ActorStarting
from ..actors.reasons import ERROR, NORMAL, SHUTDOWN_EXIT, SIGNAL, TIMEOUT, ExitReason
from ..actors.spec import ChildSpec
from ..supervisors.strategies.strategy import Sample
from .corruption import Shared
from .distributions import NANO, Distribution, distribution
from .draws import draws
from .events import FaultStruck
from .hazards import hazards_of
from .load import SimulatedMailbox

if TYPE_CHECKING:
    from .world import World

DOWN, STARTING, UP, FALLEN, HUNG, STOPPING = "down", "starting", "up", "fallen", "hung", "stopping"

CRASHED = ExitReason(ERROR, "a fault of its model")
NOT_STARTED = ExitReason(ERROR, "its start failed, by its model")
OUT = ExitReason(ERROR, "what it needs was down when it started")
LATE = ExitReason(TIMEOUT, "its start took longer than its start_timeout")
LEFT = ExitReason(NORMAL, "left, by its model", ordered=True)
UNHEARD = ExitReason(TIMEOUT, "it hung, and was killed")
KILLED = ExitReason(SIGNAL, "killed, as it did not stop in time", ordered=True)


class Above(Protocol):
    """What is above an actor: its supervisor, simulated, or what stands in for one that is live."""

    @property
    def world(self) -> World: ...
    @property
    def shared(self) -> Shared: ...
    def ready(self, child: Any, /) -> None: ...
    def ended(self, child: Any, reason: ExitReason, started: bool, /) -> None: ...


class SimulatedActor:
    """What a Life is in a runtime, on the heap."""

    def __init__(self, id: str, path: str, spec: ChildSpec[Any], above: Above) -> None:
        self.id = id
        self.path = path
        self.spec = spec
        self.above = above
        self.world = world = above.world
        self.shared = above.shared
        self.model = model = world.scenario.model(path)
        self.deadline = spec.options.start_timeout * NANO
        self.began = 0
        self.number = 0  # of the incarnation
        self.turn = 0  # the same, but it never begins anew
        self.state = DOWN
        self.has_aged = False
        self.has_starter = False
        self.slowness = 1.0
        self.planned = False  # its last end was
        self.outages = 0  # that keep it from starting now
        self.starting = draws(world.seed, path, "start")
        self.stopping = draws(world.seed, path, "stop")
        self.first = distribution(model.start)
        self.restart = self.first if model.restart is None else distribution(model.restart)
        self.renewal = self.first if model.renewal is None else distribution(model.renewal)
        self.politely = distribution(model.stop)
        self.ageing: Distribution | None = None if model.ageing is None else distribution(model.ageing)
        self.hazards, self.late = hazards_of(self, model.faults)
        self.mailbox = self.make_mailbox()
        world.actors[path] = self
        world.down += 1

    def come_back(self, above: Above) -> None:
        """It was forgotten, and is made anew: all but its luck begins from the start."""
        self.above, self.number = above, 0

    @property
    def is_up(self) -> bool:
        return self.state == UP

    def make_mailbox(self) -> SimulatedMailbox | None:
        return None if self.model.load is None else SimulatedMailbox(self, self.model.load)

    # -- what its supervisor orders -------------------------------------------------------------

    def begin(self) -> None:
        world = self.world
        self.number += 1
        self.set_out()
        world.emit(ActorStarting(world.now, self.path, self.number))
        world.start(self, self.turn)

    def stop(self, timeout: int | None, returns: bool = False) -> None:
        """End when asked: at once while it starts, and never before the deadline if it hangs."""
        if self.state == STARTING:
            self.end(SHUTDOWN_EXIT)
            return
        if self.state == FALLEN:
            self.end(CRASHED)
            return
        if timeout == 0:
            self.kill()
            return
        world = self.world
        if self.state == UP:
            self.leave_up()
            self.state = STOPPING
            world.at(world.now + self.politely.draw(self.stopping), self.stopped, self.turn)
        if timeout is not None:
            world.at(world.now + timeout, self.killed, self.turn)

    def kill(self) -> None:
        """End at once."""
        if self.state == STARTING:
            self.stop(0)
        elif self.state != DOWN:
            self.leave_up()
            self.state = STOPPING
            self.end(KILLED)

    def rest(self, reason: ExitReason | None) -> None:
        """Stay down; with a reason, whoever calls is told it."""
        if self.mailbox is not None and reason is not None:
            self.mailbox.close(reason)

    def retire(self, reason: ExitReason) -> None:
        self.world.emit(ActorDied(self.world.now, self.path, self.number, reason))
        if self.mailbox is not None:
            self.mailbox.close(reason)

    # -- its life -------------------------------------------------------------------------------

    def awaits(self, turn: int) -> bool:
        """Does this incarnation still wait for its start?"""
        return self.turn == turn and self.state == STARTING

    def set_out(self) -> None:
        """It begins to start."""
        self.turn += 1
        self.state, self.began = STARTING, self.world.now
        self.shared.began(self.id)
        if self.mailbox is not None:
            self.mailbox.closed = None

    def launch(self) -> None:
        """A starter is at its service."""
        world, self.has_starter = self.world, True
        if self.outages:
            world.at(world.now, self.refused, self.turn)
            return
        if self.number == 1:
            takes = self.first
        else:
            takes = self.renewal if self.planned else self.restart
        ready = world.now + takes.draw(self.starting)
        fails = self.model.start_fails and self.starting.random() < self.model.start_fails
        if ready - self.began > self.deadline:
            world.at(max(world.now, self.began + round(self.deadline)), self.belated, self.turn)
        else:
            world.at(ready, self.failed if fails else self.ready, self.turn)

    def ready(self, turn: int) -> None:
        """Its start has come to a good end."""
        if not self.awaits(turn):
            return
        self.world.emit(ActorReady(self.world.now, self.path, self.number))
        self.rise()
        self.above.ready(self)

    def rise(self) -> None:
        """Be up: the clocks of its faults begin."""
        world, turn = self.world, self.turn
        self.state, self.has_aged, self.slowness = UP, False, 1.0
        world.down -= 1
        self.release()
        for hazard in self.hazards:
            hazard.arm(turn)
        if self.ageing is not None:
            world.at(world.now + self.ageing.draw(self.starting), self.aged, turn)
        for taint in self.shared.taints:
            if taint.victim == self.id:  # what is spoilt brings it down again
                world.at(world.now + taint.recurs.draw(taint.random), self.relapse, turn)
        if self.mailbox is not None:
            self.mailbox.pump()

    def release(self) -> None:
        """Let the starter serve the next one."""
        if self.has_starter:
            self.has_starter = False
            self.world.started()

    def relapse(self, turn: int) -> None:
        if turn == self.turn and self.state == UP:
            self.world.emit(FaultStruck(self.world.now, self.path, self.number, "corruption"))
            self.crash(0)

    def aged(self, turn: int) -> None:
        if turn == self.turn and self.state == UP:
            self.has_aged = True
            for hazard in self.late:
                hazard.arm(turn)

    def failed(self, turn: int) -> None:
        self.stillborn(turn, NOT_STARTED)

    def refused(self, turn: int) -> None:
        self.stillborn(turn, OUT)

    def belated(self, turn: int) -> None:
        self.stillborn(turn, LATE)

    def stillborn(self, turn: int, reason: ExitReason) -> None:
        if self.awaits(turn):
            self.end(reason)

    # -- faults ---------------------------------------------------------------------------------

    def crash(self, noticed: int) -> None:
        if not noticed:
            self.end(CRASHED)
            return
        self.leave_up()
        self.state = FALLEN
        self.world.at(self.world.now + noticed, self.crashed, self.turn)

    def hang(self, noticed: int) -> None:
        self.leave_up()
        self.state = HUNG
        self.world.at(self.world.now + noticed, self.unheard, self.turn)

    def leave(self) -> None:
        self.end(LEFT)

    def slow(self, factor: float, lasts: int) -> None:
        self.slowness = factor
        self.world.at(self.world.now + lasts, self.recover, self.turn)

    def recover(self, turn: int) -> None:
        if turn == self.turn:
            self.slowness = 1.0

    # -- its end --------------------------------------------------------------------------------

    def crashed(self, turn: int) -> None:
        if turn == self.turn and self.state == FALLEN:
            self.end(CRASHED)

    def unheard(self, turn: int) -> None:
        if turn == self.turn and self.state == HUNG:
            self.end(UNHEARD)

    def stopped(self, turn: int) -> None:
        if turn == self.turn and self.state == STOPPING:
            self.end(SHUTDOWN_EXIT)

    def killed(self, turn: int) -> None:
        if turn == self.turn and self.state in (STOPPING, HUNG):
            self.end(KILLED)

    def leave_up(self) -> None:
        if self.state == UP:
            self.world.down += 1

    def end(self, reason: ExitReason) -> None:
        started = self.state != STARTING
        self.sink(reason)
        self.world.emit(ActorEnded(self.world.now, self.path, self.number, reason))
        self.above.ended(self, reason, started)
        if self.mailbox is not None:
            self.mailbox.fell(reason)

    def sink(self, reason: ExitReason) -> None:
        """Be down."""
        self.leave_up()
        self.release()
        self.state = DOWN
        self.planned = reason.ordered or not reason.abnormal
        self.shared.ended(self.id)

    def sample(self) -> Sample:
        """A look at it."""
        box = self.mailbox
        if box is None:
            return Sample(memory=int(self.has_aged))
        return Sample(box.waiting(), int(box.running is not None), int(self.has_aged))
