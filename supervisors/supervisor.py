"""The shell around the core: it feeds what happens to children, and carries out what the core decides."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import trio

from ..actors.errors import ActorAlreadyExistsError
from ..actors.life import Life
from ..actors.reasons import ERROR, NORMAL, SHUTDOWN_EXIT, ExitReason
from ..actors.spec import ChildSpec
from . import steps
from .core import Core
from .ends import end_of
from .events import ChildDelayed, ChildParked, ChildRestarting, SupervisorGaveUp
from .rules import SECOND, SIGNIFICANT, START, ChildRules, Flags
from .samples import sample
from .spec import Plan, Supervisor, rules_of, shown
from .strategies.strategy import Sampled, Woke

if TYPE_CHECKING:
    from ..transports.timers import Timer
    from .house import RuntimeHouse

log = logging.getLogger("understudy.supervisors")


class Child(Protocol):
    """What a supervisor can do with a child, be it an actor or another supervisor."""

    path: str
    number: int

    @property
    def id(self) -> str: ...
    def begin(self) -> None: ...
    def stop(self, returns: bool) -> None: ...
    def kill(self, reason: ExitReason) -> None: ...
    def rest(self, reason: ExitReason | None) -> None: ...
    def retire(self, reason: ExitReason) -> None: ...


class Starter:
    """Somebody waits for the outcome of a start: `reason` is why it came to nothing, None if it did not."""

    __slots__ = ("over", "reason")

    def __init__(self) -> None:
        self.over = trio.Event()
        self.reason: ExitReason | None = None


class SupervisorNode:
    """A running supervisor: itself a child of the one above."""

    __slots__ = (
        "above", "children", "core", "house", "id", "news", "number", "numbers", "outline", "path", "sampler", "starters", "timer", "up",
    )  # fmt: skip

    def __init__(
        self, id: str, path: str, flags: Flags, house: RuntimeHouse, above: SupervisorNode | None
    ) -> None:
        self.id = id
        self.path = path
        self.core = Core(flags)
        self.house = house
        self.above = above
        self.children: dict[str, Child] = {}
        self.outline: Supervisor | None = None  # its plan
        self.number = 0
        self.numbers = 0  # of dynamic children, for their ids
        self.up = False  # all of its children have been ready
        self.timer: Timer | None = None  # until the core wants to be woken
        self.sampler: Timer | None = None  # until the strategy wants to look at the children
        self.starters: dict[str, Starter] = {}
        self.news: trio.Event | None = None  # somebody wants to know when anything has happened

    @property
    def what(self) -> str:
        """What it is, for the tree as text."""
        return shown(self.core.flags)

    # -- building -------------------------------------------------------------------------------

    def plant(self, plan: Supervisor) -> None:
        """Make the children of a plan, and theirs."""
        self.outline = plan
        for id, child in zip(plan.ids(), plan.children, strict=True):
            self.plant_child(id, child)

    def plant_child(self, id: str, child: Plan) -> None:
        """Make one child; raises ActorAlreadyExistsError if its name or path is taken."""
        if isinstance(child, ChildSpec):
            self.add_actor(id, self.path_of(id), child, default_restart="permanent")
        else:
            PLANTERS[type(child)](self, id, self.path_of(id), child)

    def path_of(self, id: str) -> str:
        return f"{self.path}/{id}" if self.path else id

    def add_actor(self, id: str, path: str, spec: ChildSpec[Any], default_restart: str) -> Life:
        life = Life(spec, path, self)
        self.house.admit(life)
        self.add(id, life, rules_of(spec, default_restart))
        return life

    def add(self, id: str, child: Child, rules: ChildRules) -> None:
        self.children[id] = child
        self.feed(steps.Added(id, rules))

    # -- what children tell ---------------------------------------------------------------------

    def ready(self, child: Child) -> None:
        if self.starters:
            self.told(child.id, None)
        self.feed(steps.Started(child.id))

    def ended(self, child: Child, reason: ExitReason, started: bool) -> None:
        if not (isinstance(child, Life) and reason.crash):  # that has its own report
            level = logging.WARNING if reason.crash else logging.DEBUG
            log.log(level, "%s, incarnation %d, ended: %s", child.path, child.number, reason)
        if self.starters:
            self.told(child.id, reason)
        self.feed(steps.Ended(child.id, reason, started, not started and reason.kind == NORMAL))

    def told(self, id: str, reason: ExitReason | None) -> None:
        """Tell whoever waits for a start how it went."""
        starter = self.starters.pop(id, None)
        if starter is not None:
            starter.reason = reason
            starter.over.set()

    def terminate(self, child: Child, reason: ExitReason | None = None) -> None:
        """End a child for good; with a reason at once, without politely."""
        if self.children.get(child.id) is not child:
            return  # it is dead, and another may have its id by now
        if reason is not None:
            child.kill(reason)  # before it is stopped politely: the first reason counts
        self.feed(steps.Terminate(child.id))

    # -- what the core decides ------------------------------------------------------------------

    def feed(self, event: steps.Event) -> None:
        """Feed an event; what one effect causes comes after all effects of this one, however deep the tree."""
        fed = self.house.fed
        fed.append((self, event))
        if len(fed) > 1:
            return
        now = self.house.now()
        while fed:
            node, next_event = fed[0]
            for effect in node.core.feed(next_event, now):
                getattr(node, EFFECTS[type(effect)])(effect)
            fed.popleft()
            if node.news is not None:
                node.news.set()
                node.news = None

    def on_start(self, effect: steps.Start) -> None:
        child = self.children[effect.id]
        if effect.restart:
            self.emit(ChildRestarting, child, self.core.children[effect.id].restarts)
        child.begin()

    def on_stop(self, effect: steps.Stop) -> None:
        child = self.children[effect.id]
        child.stop(effect.returns)
        if effect.timeout is not None and isinstance(child, SupervisorNode):
            # An actor keeps its own time; what is below a supervisor goes at once when its time is over.
            number, stage = child.number, self.house.stage
            stage.timers.after(effect.timeout / SECOND, partial(child.overstayed, number))

    def on_delay(self, effect: steps.Delay) -> None:
        self.emit(ChildDelayed, self.children[effect.id], effect.until, effect.why)

    def on_park(self, effect: steps.Park) -> None:
        child = self.children[effect.id]
        self.emit(ChildParked, child, effect.reason)
        log.error("%s is parked until somebody restarts it: %s", child.path, effect.reason)
        child.rest(effect.reason)

    def on_rest(self, effect: steps.Rest) -> None:
        self.children[effect.id].rest(effect.reason)
        if self.starters:
            self.told(effect.id, effect.reason or SHUTDOWN_EXIT)

    def on_retire(self, effect: steps.Retire) -> None:
        child = self.children.pop(effect.id)
        reason = effect.reason or SHUTDOWN_EXIT
        if effect.gave_up:
            self.emit(SupervisorGaveUp, child, effect.id, reason)
            log.error("%s is not restarted any more: %s", child.path, reason)
        child.retire(reason)
        self.house.dismiss(child)
        if self.starters:
            self.told(effect.id, reason)

    def on_wake(self, effect: steps.Wake) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if effect.at is not None:
            self.timer = self.house.stage.timers.at(effect.at / SECOND, self.wake)

    def wake(self) -> None:
        self.timer = None
        self.feed(Woke())

    def on_all_started(self, effect: steps.AllStarted) -> None:
        self.up = True
        if self.above is not None:
            self.above.ready(self)
        self.house.changed()
        self.look_later()

    def on_over(self, effect: steps.Over) -> None:
        reason, cause, started = SHUTDOWN_EXIT, effect.cause, self.up
        if cause is not None:
            reason = end_of(cause, self.core.flags, ERROR if self.tells_root else None)
            if (
                cause.why != SIGNIFICANT and self.above is not None
            ):  # the root only passes on what its tree has told
                self.emit(SupervisorGaveUp, self, cause.child or "", reason)
        self.up = False
        for starter in list(self.starters):
            self.told(starter, reason)
        if self.sampler is not None:
            self.sampler.cancel()
            self.sampler = None
        self.house.over(self, reason)
        if self.above is not None:
            self.above.ended(self, reason, started)

    @property
    def tells_root(self) -> bool:
        """Is there nobody above it who could decide?"""
        return self.above is None or self.above.above is None

    # -- what the strategy looks at -------------------------------------------------------------

    def look_later(self) -> None:
        every = getattr(self.core.flags.strategy, "sample_every", None)
        if every is not None and self.sampler is None:
            self.sampler = self.house.stage.timers.after(every, self.look)

    def look(self) -> None:
        """Show the strategy what the children do."""
        self.sampler = None
        samples = {id: sample(child) for id, child in self.children.items() if isinstance(child, Life)}
        self.feed(Sampled(samples))
        if self.up:
            self.look_later()

    # -- what the supervisor above orders -------------------------------------------------------

    def begin(self) -> None:
        """Start the children of the plan, those too that were forgotten since it last began."""
        self.number += 1
        if self.outline is None or self.core.flags.dynamic:
            self.feed(steps.Begin())
            return
        failed: steps.Cause | None = None
        for id, child in zip(self.outline.ids(), self.outline.children, strict=True):
            if id not in self.children:
                try:
                    self.plant_child(id, child)
                except ActorAlreadyExistsError as error:
                    failed = steps.Cause(START, id, ExitReason(ERROR, str(error), error))
        order = tuple(id for id in self.outline.ids() if id in self.children)
        self.feed(steps.Begin(order, failed))

    def stop(self, returns: bool = False) -> None:
        self.feed(steps.Shutdown(returns))

    def overstayed(self, number: int) -> None:
        """Its time to stop is over."""
        if self.number == number and self.core.ending and not self.core.is_over:
            self.kill(SHUTDOWN_EXIT)

    def kill(self, reason: ExitReason) -> None:
        """End what runs below it at once; what becomes of that is decided as ever."""
        for child in list(self.children.values()):
            child.kill(reason)

    def rest(self, reason: ExitReason | None) -> None:
        """Its children rest already."""

    def retire(self, reason: ExitReason) -> None:
        for id, child in list(self.children.items()):
            del self.children[id]
            child.retire(reason)
            self.house.dismiss(child)

    def emit(self, kind: Callable[..., Any], child: Child, *details: Any) -> None:
        at = int(self.house.stage.now() * 1e9)
        self.house.emit(kind(at, child.path, child.number, *details))


def make_node(above: SupervisorNode, id: str, path: str, plan: Supervisor) -> SupervisorNode:
    """A supervisor and all below it, or nothing of it."""
    node = SupervisorNode(id, path, plan.flags, above.house, above)
    try:
        node.plant(plan)
    except BaseException:
        node.retire(SHUTDOWN_EXIT)  # their names would be held by nobody
        raise
    above.house.nodes[path] = node
    return node


def plant_supervisor(above: SupervisorNode, id: str, path: str, plan: Supervisor) -> None:
    above.add(id, make_node(above, id, path, plan), rules_of(plan))


# An effect, and the method that carries it out.
EFFECTS: dict[type, str] = {
    steps.Start: "on_start",
    steps.Stop: "on_stop",
    steps.Delay: "on_delay",
    steps.Park: "on_park",
    steps.Rest: "on_rest",
    steps.Retire: "on_retire",
    steps.Wake: "on_wake",
    steps.AllStarted: "on_all_started",
    steps.Over: "on_over",
}

# The plan of a node, and what makes the node of it; files that add a kind of node add it here.
PLANTERS: dict[type, Callable[[SupervisorNode, str, str, Any], Any]] = {Supervisor: plant_supervisor}
