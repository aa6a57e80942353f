"""Faults at work: each strikes one actor, at times from a stream of random numbers of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .distributions import distribution
from .draws import draws
from .events import FaultStruck
from .faults import AGED, WHOLE, Crash, Fault, Hang, Leave, Slow
from .schedules import Schedule, follow

if TYPE_CHECKING:
    from .actor import SimulatedActor


class Hazard:
    """One fault of one actor."""

    __slots__ = ("actor", "by_clock", "fault", "noticed", "random", "when")

    def __init__(self, actor: SimulatedActor, fault: Fault, name: str) -> None:
        self.actor = actor
        self.fault = fault
        self.random = draws(actor.world.seed, actor.path, name)
        self.by_clock = not isinstance(fault.when, Schedule)
        self.when = None if isinstance(fault.when, Schedule) else distribution(fault.when)
        self.noticed = distribution(fault.noticed) if isinstance(fault, Crash | Hang) else None
        if isinstance(fault.when, Schedule):
            follow(actor.world, fault.when, self.random, self.pass_by)

    # -- when -----------------------------------------------------------------------------------

    def arm(self, turn: int) -> None:
        """An incarnation is up, or has aged: its clock begins."""
        assert self.when is not None
        world = self.actor.world
        world.at(world.now + self.when.draw(self.random), self.come, turn)

    def come(self, turn: int) -> None:
        """Its time has come, if that incarnation is still up."""
        actor = self.actor
        if actor.turn != turn or not actor.is_up:
            return
        if self.fault.clock == WHOLE and actor.world.down:
            self.arm(turn)
        else:
            self.strike()
            if isinstance(self.fault, Slow):
                self.arm(turn)

    def pass_by(self) -> None:
        """A time of its schedule."""
        if self.actor.is_up:
            self.strike()

    # -- what -----------------------------------------------------------------------------------

    def strike(self) -> None:
        STRIKES[type(self.fault)](self)

    def tell(self, what: str) -> None:
        actor = self.actor
        actor.world.emit(FaultStruck(actor.world.now, actor.path, actor.number, what))

    def wait(self) -> int:
        """Nanoseconds until somebody notices."""
        assert self.noticed is not None
        return self.noticed.draw(self.random)


def crash(hazard: Hazard) -> None:
    fault, actor = hazard.fault, hazard.actor
    assert isinstance(fault, Crash)
    spoilt = fault.corruption
    if spoilt is not None and hazard.random.random() < spoilt.share:
        hazard.tell("corruption")
        actor.shared.spoil(actor.id, spoilt, draws(actor.world.seed, actor.path, f"relapse {actor.turn}"))
    else:
        hazard.tell("crash")
    actor.crash(hazard.wait())


def hang(hazard: Hazard) -> None:
    hazard.tell("hang")
    hazard.actor.hang(hazard.wait())


def leave(hazard: Hazard) -> None:
    hazard.tell("leave")
    hazard.actor.leave()


def slow(hazard: Hazard) -> None:
    fault = hazard.fault
    assert isinstance(fault, Slow)
    hazard.tell("slow")
    hazard.actor.slow(fault.factor, distribution(fault.lasts).draw(hazard.random))


STRIKES: dict[type, Callable[[Hazard], None]] = {Crash: crash, Hang: hang, Leave: leave, Slow: slow}


def hazards_of(
    actor: SimulatedActor, faults: tuple[Fault, ...]
) -> tuple[tuple[Hazard, ...], tuple[Hazard, ...]]:
    """The hazards that begin when the actor is up, and those that begin when it has aged."""
    made = [Hazard(actor, fault, f"fault {index}") for index, fault in enumerate(faults)]
    clocked = [hazard for hazard in made if hazard.by_clock]
    return (
        tuple(hazard for hazard in clocked if hazard.fault.clock != AGED),
        tuple(hazard for hazard in clocked if hazard.fault.clock == AGED),
    )
