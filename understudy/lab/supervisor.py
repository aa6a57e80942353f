"""A supervisor in a simulated world: the very core of a live one, its effects carried out on the heap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..actors.reasons import ERROR, SHUTDOWN_EXIT, ExitReason
from ..actors.spec import ChildSpec
from ..supervisors import steps
from ..supervisors.core import Core
from ..supervisors.events import ChildRestarting, SupervisorGaveUp
from ..supervisors.rules import ChildRules, Flags
from ..supervisors.strategies.strategy import Sampled, Woke
from .actor import SimulatedActor
from .corruption import Taint
from .distributions import NANO
from .draws import draws
from .faults import Corruption

if TYPE_CHECKING:
    from ..supervisors.spec import Supervisor
    from .world import World


class SimulatedSupervisor:
    """What a SupervisorNode is in a runtime, with whole nanoseconds for a clock."""

    def __init__(
        self, id: str, path: str, plan: Supervisor, world: World, above: SimulatedSupervisor | None
    ) -> None:
        self.id = id
        self.path = path
        self.world = world
        self.above = above
        self.core = Core(flags_of(plan))
        self.number = 0
        self.waking = 0  # the wake that counts; earlier ones were taken back
        self.children: dict[str, SimulatedActor | SimulatedSupervisor] = {}
        self.taints: list[Taint] = []
        for name, child in zip(plan.ids(), plan.children, strict=True):
            self.plant(name, child)

    def plant(self, id: str, child: Any) -> None:
        path = f"{self.path}/{id}" if self.path else id
        if isinstance(child, ChildSpec):
            self.children[id] = SimulatedActor(id, path, self.world.scenario.model(path), self)
        else:
            self.children[id] = SimulatedSupervisor(id, path, child, self.world, self)
        self.feed(steps.Added(id, rules_of(child)))

    # -- what children tell ---------------------------------------------------------------------

    def ready(self, child: SimulatedActor | SimulatedSupervisor) -> None:
        self.feed(steps.Started(child.id))

    def ended(self, child: SimulatedActor | SimulatedSupervisor, reason: ExitReason, started: bool) -> None:
        if self.taints:
            self.taints = [taint for taint in self.taints if not taint.ended(child.id)]
        self.feed(steps.Ended(child.id, reason, started))

    def spoil(self, victim: SimulatedActor, fault: Corruption) -> None:
        """State that its children share is spoilt, and a lone restart of this one brings it back."""
        ids = list(self.children)
        circle = set(ids if fault.cure == "all" else ids[ids.index(victim.id) :])
        down = {id for id in circle if not self.children[id].number}
        random = draws(self.world.seed, victim.path, "relapse", str(victim.number))
        self.taints.append(Taint(victim.id, circle, down, fault, random))

    # -- what the core decides ------------------------------------------------------------------

    def feed(self, event: steps.Event) -> None:
        """Feed an event; what one effect causes comes after all effects of this one, as in a runtime."""
        fed = self.world.fed
        fed.append((self, event))
        if len(fed) > 1:
            return
        now = self.world.now
        while fed:
            node, next_event = fed[0]
            for effect in node.core.feed(next_event, now):
                EFFECTS[type(effect)](node, effect)
            fed.popleft()

    def on_start(self, effect: steps.Start) -> None:
        child = self.children[effect.id]
        if effect.restart:
            restarts = self.core.children[effect.id].restarts
            self.world.emit(ChildRestarting(self.world.now, child.path, child.number, restarts))
        for taint in self.taints:
            taint.began(effect.id)
        child.begin()

    def on_stop(self, effect: steps.Stop) -> None:
        self.children[effect.id].stop(effect.timeout)

    def on_rest(self, effect: steps.Rest) -> None:
        self.children[effect.id].rest(effect.reason)

    def on_retire(self, effect: steps.Retire) -> None:
        child = self.children.pop(effect.id)
        reason = effect.reason or SHUTDOWN_EXIT
        if effect.gave_up:
            self.world.emit(SupervisorGaveUp(self.world.now, child.path, child.number, effect.id, reason))
        child.retire(reason)

    def on_delay(self, effect: steps.Delay) -> None:
        """Callers wait."""

    def on_park(self, effect: steps.Park) -> None:
        self.children[effect.id].rest(effect.reason)

    def on_wake(self, effect: steps.Wake) -> None:
        self.waking += 1
        if effect.at is not None:
            self.world.at(effect.at, self.wake, self.waking)

    def wake(self, waking: int) -> None:
        if waking == self.waking:
            self.feed(Woke())

    def on_all_started(self, effect: steps.AllStarted) -> None:
        if self.above is not None:
            self.above.ready(self)
        every = getattr(self.core.flags.strategy, "sample_every", None)
        if every is not None:
            self.look_on((self.number, round(every * NANO)))

    def look_on(self, clock: tuple[int, int]) -> None:
        self.world.at(self.world.now + clock[1], self.look, clock)

    def look(self, clock: tuple[int, int]) -> None:
        """Show the strategy every actor that is up."""
        if clock[0] != self.number or self.core.is_over:
            return
        actors = [child for child in self.children.values() if isinstance(child, SimulatedActor)]
        self.feed(Sampled({actor.id: actor.sample() for actor in actors if actor.is_up}))
        self.look_on(clock)

    def on_over(self, effect: steps.Over) -> None:
        reason = SHUTDOWN_EXIT
        if effect.cause is not None:
            reason = self.given_up(effect.cause)
        if self.above is not None:
            self.above.ended(self, reason, True)
        else:
            self.world.over = True

    def given_up(self, cause: steps.Cause) -> ExitReason:
        child, reason = cause.child or "", cause.reason or ExitReason(ERROR, cause.why)
        self.world.emit(SupervisorGaveUp(self.world.now, self.path, self.number, child, reason))
        return replace(reason, kind=ERROR, text=f"{child}: {reason}", ordered=False)

    # -- what the supervisor above orders -------------------------------------------------------

    def begin(self) -> None:
        self.number += 1
        self.feed(steps.Begin())

    def stop(self, timeout: int | None) -> None:
        self.feed(steps.Shutdown())

    def rest(self, reason: ExitReason | None) -> None:
        """Its children rest already."""

    def retire(self, reason: ExitReason) -> None:
        for child in list(self.children.values()):
            child.retire(reason)
        self.children.clear()


EFFECTS: dict[type, Callable[[SimulatedSupervisor, Any], None]] = {
    steps.Start: SimulatedSupervisor.on_start,
    steps.Stop: SimulatedSupervisor.on_stop,
    steps.Rest: SimulatedSupervisor.on_rest,
    steps.Retire: SimulatedSupervisor.on_retire,
    steps.Delay: SimulatedSupervisor.on_delay,
    steps.Park: SimulatedSupervisor.on_park,
    steps.Wake: SimulatedSupervisor.on_wake,
    steps.AllStarted: SimulatedSupervisor.on_all_started,
    steps.Over: SimulatedSupervisor.on_over,
}


def flags_of(plan: Supervisor) -> Flags:
    """How the supervisor of a plan decides."""
    return Flags(plan.intensity, round(plan.within * NANO))


def rules_of(child: Any) -> ChildRules:
    """How the end of a child of a plan is treated."""
    if isinstance(child, ChildSpec):
        return ChildRules(child.options.restart or "permanent", child.options.max_restarts)
    return ChildRules()
