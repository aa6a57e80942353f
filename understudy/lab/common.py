"""Faults with one cause and several actors, and outages, as they happen in a simulated world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING

from .distributions import distribution
from .draws import draws
from .faults import Outage, Together
from .hazards import Hazard
from .schedules import follow

if TYPE_CHECKING:
    from .actor import SimulatedActor
    from .world import World


def plant_faults(world: World) -> None:
    """Let the faults of a scenario come."""
    for index, fault in enumerate(world.scenario.faults):
        random = draws(world.seed, "", f"fault {index}")
        chosen = [
            actor
            for actor in world.actors.values()
            if any(fnmatchcase(actor.path, each) for each in fault.actors)
        ]
        if isinstance(fault, Outage):
            follow(world, fault.when, random, outage(world, fault, chosen, random))
        else:
            follow(world, fault.when, random, together(fault, chosen, random, index))


def outage(world: World, fault: Outage, actors: list[SimulatedActor], random: Random) -> Callable[[], None]:
    lasts = distribution(fault.lasts)

    def begin() -> None:
        for actor in actors:
            actor.outages += 1
        world.at(world.now + lasts.draw(random), end, None)

    def end(_: object) -> None:
        for actor in actors:
            actor.outages -= 1

    return begin


def together(fault: Together, actors: list[SimulatedActor], random: Random, index: int) -> Callable[[], None]:
    hazards = [Hazard(actor, replace(fault.fault, when=0.0), f"common {index}") for actor in actors]

    def strike() -> None:
        up = [hazard for hazard in hazards if hazard.actor.is_up]
        if fault.hits == "one":
            up = [up[int(random.random() * len(up))]] if up else []
        for hazard in up:
            if hazard.actor.is_up:  # the end of another may have ended it
                hazard.strike()

    return strike
