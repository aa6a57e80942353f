"""A supervisor in a simulated world: the very core of a live one, its effects carried out on the heap."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..actors.events import Event
from ..actors.reasons import ERROR, NORMAL, SHUTDOWN_EXIT, ExitReason
from ..actors.spec import ChildSpec
from ..supervisors import steps
from ..supervisors.core import Core
from ..supervisors.ends import end_of
from ..supervisors.events import ChildDelayed, ChildParked, ChildRestarting, SupervisorGaveUp
from ..supervisors.rules import SIGNIFICANT
from ..supervisors.spec import Plan, Supervisor, rules_of
from ..supervisors.strategies.strategy import Sampled, Woke
from .actor import SimulatedActor
from .distributions import NANO

if TYPE_CHECKING:
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
        self.core = Core(plan.flags)
        self.plan = plan
        self.number = 0
        self.up = False  # all of its children have been ready
        self.waking = 0  # the wake that counts; earlier ones were taken back
        self.looking = False
        self.children: dict[str, SimulatedActor | SimulatedSupervisor] = {}
        self.shared = world.share(path, plan.ids())
        for name, child in zip(plan.ids(), plan.children, strict=True):
            self.plant(name, child)

    def plant(self, id: str, child: Plan) -> None:
        path = f"{self.path}/{id}" if self.path else id
        if isinstance(child, Supervisor):
            self.children[id] = SimulatedSupervisor(id, path, child, self.world, self)
        elif isinstance(child, ChildSpec):
            self.children[id] = self.cast(id, path, child)
        self.feed(steps.Added(id, rules_of(child)))

    def cast(self, id: str, path: str, spec: ChildSpec[Any]) -> SimulatedActor:
        """The actor with this path, be it new or one that was forgotten."""
        known = self.world.actors.get(path)
        if known is None:
            return SimulatedActor(id, path, spec, self)
        known.come_back(self)
        return known

    # -- what children tell ---------------------------------------------------------------------

    def ready(self, child: SimulatedActor | SimulatedSupervisor) -> None:
        self.feed(steps.Started(child.id))

    def ended(self, child: SimulatedActor | SimulatedSupervisor, reason: ExitReason, started: bool) -> None:
        self.feed(steps.Ended(child.id, reason, started, not started and reason.kind == NORMAL))

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
            self.emit(ChildRestarting, child, restarts)
        child.begin()

    def on_stop(self, effect: steps.Stop) -> None:
        self.children[effect.id].stop(effect.timeout, effect.returns)

    def on_rest(self, effect: steps.Rest) -> None:
        self.children[effect.id].rest(effect.reason)

    def on_retire(self, effect: steps.Retire) -> None:
        child = self.children.pop(effect.id)
        reason = effect.reason or SHUTDOWN_EXIT
        if effect.gave_up:
            self.emit(SupervisorGaveUp, child, effect.id, reason)
        child.retire(reason)

    def on_delay(self, effect: steps.Delay) -> None:
        child = self.children[effect.id]
        self.emit(ChildDelayed, child, effect.until, effect.why)

    def on_park(self, effect: steps.Park) -> None:
        child = self.children[effect.id]
        self.emit(ChildParked, child, effect.reason)
        child.rest(effect.reason)

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
        self.up = True
        self.look_later()

    def on_over(self, effect: steps.Over) -> None:
        reason, cause, started = SHUTDOWN_EXIT, effect.cause, self.up
        if cause is not None:
            reason = end_of(cause, self.core.flags, ERROR if self.above is None else None)
            if cause.why != SIGNIFICANT:
                self.emit(SupervisorGaveUp, self, cause.child or "", reason)
        self.up = False
        if self.above is not None:
            self.above.ended(self, reason, started)
        else:
            self.world.over = True

    def emit(
        self, kind: Callable[..., Event], child: SimulatedActor | SimulatedSupervisor, *details: Any
    ) -> None:
        self.world.emit(kind(self.world.now, child.path, child.number, *details))

    # -- what the strategy looks at -------------------------------------------------------------

    def look_later(self) -> None:
        every = getattr(self.core.flags.strategy, "sample_every", None)
        if every is not None and not self.looking:
            self.looking = True
            self.world.at(self.world.now + round(every * NANO), self.look, None)

    def look(self, _: object) -> None:
        """Show the strategy every actor."""
        self.looking = False
        if not self.up:
            return
        children = self.children.items()
        self.feed(
            Sampled({id: child.sample() for id, child in children if isinstance(child, SimulatedActor)})
        )
        self.look_later()

    # -- what the supervisor above orders -------------------------------------------------------

    def begin(self) -> None:
        """Start the children of the plan, those too that were forgotten since it last began."""
        self.number += 1
        for id, child in zip(self.plan.ids(), self.plan.children, strict=True):
            if id not in self.children:
                self.plant(id, child)
        self.feed(steps.Begin(tuple(self.plan.ids())))

    def stop(self, timeout: int | None, returns: bool = False) -> None:
        if timeout is not None:
            self.world.at(self.world.now + timeout, self.overstayed, self.number)
        self.feed(steps.Shutdown(returns))

    def overstayed(self, number: int) -> None:
        """Its time to stop is over: what is below it goes at once."""
        if self.number == number and self.core.ending and not self.core.is_over:
            self.kill()

    def kill(self) -> None:
        for child in list(self.children.values()):
            child.kill()

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
