"""The world of one simulated run: its time, what will happen in it, and what has happened."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from ..actors.events import Event
from .corruption import Shared
from .distributions import NANO
from .scenario import Scenario

if TYPE_CHECKING:
    from .actor import SimulatedActor
    from .supervisor import SimulatedSupervisor

STANDSTILL = 1_000_000  # things at one moment, after which time is said to stand still


class SimulationError(Exception):
    """A simulation cannot go on: time stands still, as with restarts that take no time and have no limit."""


class World:
    """A heap of what will happen: (when, the how-manyth, what to do, about what)."""

    def __init__(self, scenario: Scenario, keep: Callable[[Event], None]) -> None:
        self.scenario = scenario
        self.seed = scenario.seed
        self.emit = keep
        self.now: int = 0
        self.end = round(scenario.duration * NANO)
        self.heap: list[tuple[int, int, Callable[[Any], None], Any]] = []
        self.order = itertools.count()
        self.steps: int = 0
        self.calls = 0  # made so far
        self.fed: deque[tuple[SimulatedSupervisor, Any]] = deque()
        self.actors: dict[str, SimulatedActor] = {}  # by path
        self.shared: dict[str, Shared] = {}  # by the path of their supervisor
        self.down = 0  # actors that are not up
        self.starters = scenario.starters
        self.queue: deque[tuple[SimulatedActor, int]] = deque()  # wait for a starter
        self.over = False

    def at(self, when: int, what: Callable[[Any], None], about: Any) -> None:
        """Do this then."""
        heappush(self.heap, (when, next(self.order), what, about))

    def run(self) -> None:
        """Let all happen that happens before the end."""
        heap, end, still = self.heap, self.end, STANDSTILL
        while heap and not self.over:
            when, _, what, about = heappop(heap)
            if when > end:
                break
            if when != self.now:
                self.now, still = when, self.steps + STANDSTILL
            elif self.steps > still:
                raise SimulationError(
                    f"{STANDSTILL:,} things happened at {when / NANO:g} s, and time stands still; "
                    "let starts or failures take time, or give restarts a backoff or a limit"
                )
            self.steps += 1
            what(about)
        if not self.over:
            self.now = end

    def share(self, path: str, ids: list[str]) -> Shared:
        """The state that the actors of this supervisor share."""
        return self.shared.setdefault(path, Shared(ids))

    # -- starts, as many at a time as the machine can do ----------------------------------------

    def start(self, actor: SimulatedActor, turn: int) -> None:
        """Let an actor start, now or when a starter is free."""
        if self.starters is None:
            actor.launch()
        elif self.starters > 0:
            self.starters -= 1
            actor.launch()
        else:
            self.queue.append((actor, turn))

    def started(self) -> None:
        """A start has come to its end: the next one has its turn."""
        if self.starters is None:
            return
        while self.queue:
            actor, turn = self.queue.popleft()
            if actor.awaits(turn):
                actor.launch()
                return
        self.starters += 1
