"""The same scenario in a live runtime: with actors that act out their models, or with real ones."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from ..actors.errors import ActorStartError
from ..actors.events import ActorEnded, ActorReady, ActorStarting, Event
from ..actors.handle import ActorHandle
from ..actors.spawner import open_spawner
from ..actors.spec import ChildSpec
from ..supervisors.runtime import TreeFailedError, open_runtime
from ..supervisors.spec import Plan, Supervisor
from .common import plant_faults
from .distributions import NANO
from .figures import Gauge
from .player import Player
from .scenario import Scenario
from .simulation import Run, teller
from .twin import Ground, Twin
from .world import World

if TYPE_CHECKING:
    from ..supervisors.house import RuntimeHouse


class LiveWorld(World):
    """A world on trio's clock; what happens in it is told by a runtime."""

    def __init__(self, scenario: Scenario, keep: Callable[[Event], None]) -> None:
        super().__init__(scenario, keep)
        self.origin = trio.current_time()
        self.twins: dict[str, Twin] = {}
        self.late: list[tuple[int, Callable[[Any], None], Any]] = []  # planned before there was a runtime
        self.real: RuntimeHouse | None = None

    @property
    def house(self) -> RuntimeHouse:
        assert self.real is not None
        return self.real

    def handle(self, path: str) -> ActorHandle:
        return self.house.find(path)

    # -- time -----------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock."""
        self.now = round((trio.current_time() - self.origin) * NANO)

    def at(self, when: int, what: Callable[[Any], None], about: Any) -> None:
        if self.real is None:
            self.late.append((when, what, about))
        else:
            self.real.stage.timers.at(self.origin + when / NANO, partial(self.do, when, what, about))

    def do(self, when: int, what: Callable[[Any], None], about: Any) -> None:
        if not self.over:
            self.now = when
            self.steps += 1
            what(about)

    # -- the runtime ----------------------------------------------------------------------------

    def open(self, first: Twin | None = None) -> None:
        """Listen to the runtime that is open here, once."""
        if self.real is not None:
            return
        self.real = open_spawner().house  # type: ignore[assignment]
        self.house.stream.listeners.append(self.read)
        late, self.late = self.late, []
        for when, what, about in late:
            self.at(when, what, about)
        if first is not None:
            self.read(ActorStarting(0, first.path, 1))

    def read(self, event: Event) -> None:
        """What has happened to a real actor."""
        if self.over:
            return
        self.tick()
        self.emit(replace(event, at=self.now))
        twin = self.twins.get(event.actor)
        if twin is None:
            return
        if isinstance(event, ActorStarting):
            twin.sees_start(event.incarnation)
        elif isinstance(event, ActorReady):
            twin.sees_ready()
        elif isinstance(event, ActorEnded):
            twin.sees_end(event.reason)


def cast_twins(world: LiveWorld, plan: Supervisor, above: str, act: bool) -> Supervisor:
    """A twin for each actor of a plan; the plan, with players in their places if they are to be replaced."""
    ground, children = Ground(world, above, plan.ids()), list[Plan]()
    for id, child in zip(plan.ids(), plan.children, strict=True):
        path = f"{above}/{id}" if above else id
        if isinstance(child, Supervisor):
            children.append(cast_twins(world, child, path, act))
        elif isinstance(child, ChildSpec):
            twin = world.twins[path] = Twin(id, path, child, ground)
            children.append(player_of(child, twin) if act else child)
    cast = copy(plan)
    cast.children = children
    return cast


FOR_SUPERVISORS = ("restart", "significant", "backoff", "shutdown", "start_timeout", "max_restarts")


def player_of(spec: ChildSpec[Any], twin: Twin) -> ChildSpec[Any]:
    """A player with all that supervisors look at."""
    options: dict[str, Any] = {name: getattr(spec.options, name) for name in FOR_SUPERVISORS}
    return Player.options(id=twin.id, **options).child(twin)


async def rehearse(scenario: Scenario) -> Run:
    """Run a scenario in a live runtime, with players in the places of its actors; on whatever clock trio has.

    With a `trio.testing.MockClock` that takes no time, and the run takes the decisions of `simulate(scenario)`.

    Example:
        run = trio.run(rehearse, scenario, clock=trio.testing.MockClock(autojump_threshold=0))
    """
    return await run_live(scenario, act=True)


async def perform(scenario: Scenario) -> Run:
    """Run a scenario with its real actors, in real time: crashes are SIGKILL, hangs SIGSTOP to their processes.

    Of the models only faults count, since actors start and stop as they do.  Actors that are no processes are
    ended in this one.
    """
    return await run_live(scenario, act=False)


async def run_live(scenario: Scenario, act: bool) -> Run:
    gauge, events = Gauge(since=0), list[Event]()
    world = LiveWorld(scenario, teller(gauge, events))
    tree = cast_twins(world, scenario.tree, "", act)
    plant_faults(world)
    gave_up = False
    try:
        async with open_runtime(tree):
            if not act:
                greet(world)
            await trio.sleep_until(world.origin + scenario.duration)
            world.now, world.over = world.end, True
    except (TreeFailedError, ActorStartError):
        gave_up = True
    figures = gauge.figures(world.end)
    return Run(scenario, tuple(events), figures, world.now / NANO, gave_up, world.steps)


def greet(world: LiveWorld) -> None:
    """Begin the time of a run when everybody is up, and say so."""
    world.origin = trio.current_time()
    world.open()
    for path, twin in world.twins.items():
        number = world.house.registry.paths[path].number
        for kind in (ActorStarting, ActorReady):
            world.read(kind(0, path, number))
        assert twin.is_up
