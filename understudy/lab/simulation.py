"""`simulate(scenario)`: one run, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from ..actors.events import Event
from .common import plant_faults
from .distributions import NANO
from .figures import Figures, Gauge
from .log import write_log
from .scenario import Scenario
from .supervisor import SimulatedSupervisor
from .world import World


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a scenario: its events in order, and figures made from them.

    `ended` is when it was over, in seconds: when the tree gave up, or at the end of the scenario; `steps` counts
    what happened on the heap.
    """

    scenario: Scenario
    events: tuple[Event, ...]
    figures: Figures
    ended: float
    gave_up: bool
    steps: int

    @property
    def log(self) -> bytes:
        """The events as bytes, the same for this scenario and seed on every machine."""
        return write_log(self.events)

    @property
    def digest(self) -> str:
        """One short text for all of the log: two runs with the same one are the same."""
        return sha256(self.log).hexdigest()[:16]


def simulate(scenario: Scenario, keep: bool = True) -> Run:
    """Run a scenario in virtual time; the same scenario gives the same run.

    With `keep=False` events are measured and not kept, which saves some hundred bytes for each.

    Example:
        run = simulate(Scenario(tree, {"*": Model(start=1.0, faults=(Crash(Exponential(100.0)),))}))
        print(run.figures.availability)

    Raises:
        SimulationError: if time stands still, as with restarts that take none and have no limit.
    """
    gauge, events = Gauge(since=0), list[Event]()
    world = World(scenario, teller(gauge, events) if keep else gauge.read)
    root = SimulatedSupervisor("root", "", scenario.tree, world, None)
    plant_faults(world)
    root.begin()
    world.run()
    figures = gauge.figures(world.end)
    return Run(scenario, tuple(events), figures, world.now / NANO, world.over, world.steps)


def teller(gauge: Gauge, events: list[Event]) -> Callable[[Event], None]:
    read, keep = gauge.read, events.append

    def tell(event: Event) -> None:
        keep(event)
        read(event)

    return tell
