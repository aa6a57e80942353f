"""The shell around the core: it feeds what happens to children, and carries out what the core decides."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from ..actors.life import Life
from ..actors.reasons import ERROR, SHUTDOWN_EXIT, ExitReason
from ..actors.spec import ChildSpec
from . import core
from .events import ChildRestarting, SupervisorGaveUp
from .spec import Supervisor as Plan

if TYPE_CHECKING:
    from .house import RuntimeHouse

log = logging.getLogger("understudy.supervisors")


class Child(Protocol):
    """What a supervisor can do with a child, be it an actor or another supervisor."""

    path: str
    number: int

    @property
    def id(self) -> str: ...
    def begin(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self, reason: ExitReason) -> None: ...
    def rest(self, reason: ExitReason | None) -> None: ...
    def retire(self, reason: ExitReason) -> None: ...


class SupervisorNode:
    """A running supervisor: itself a child of the one above."""

    __slots__ = ("above", "children", "core", "house", "id", "number", "path")

    def __init__(
        self, id: str, path: str, flags: core.Flags, house: RuntimeHouse, above: SupervisorNode | None
    ) -> None:
        self.id = id
        self.path = path
        self.core = core.Core(flags)
        self.house = house
        self.above = above
        self.children: dict[str, Child] = {}
        self.number = 0

    @property
    def what(self) -> str:
        """What it is, for the tree as text."""
        flags = self.core.flags
        return f"{'dynamic' if flags.dynamic else 'one_for_one'}, {flags.intensity} in {flags.within:g} s"

    # -- building -------------------------------------------------------------------------------

    def plant(self, plan: Plan) -> None:
        """Make the children of a plan, and theirs."""
        for id, child in zip(plan.ids(), plan.children, strict=True):
            path = f"{self.path}/{id}" if self.path else id
            if isinstance(child, ChildSpec):
                self.add_actor(id, path, child, default_restart="permanent")
            else:
                PLANTERS[type(child)](self, id, path, child)

    def add_actor(self, id: str, path: str, spec: ChildSpec[Any], default_restart: str) -> Life:
        life = Life(spec, path, self)
        self.house.admit(life)
        options = spec.options
        self.add(id, life, rules_of(options.restart or default_restart, options.max_restarts))
        return life

    def add(self, id: str, child: Child, rules: core.ChildRules) -> None:
        self.children[id] = child
        self.feed(core.Added(id, rules))

    # -- what children tell ---------------------------------------------------------------------

    def ready(self, child: Child) -> None:
        self.feed(core.Started(child.id))

    def ended(self, child: Child, reason: ExitReason, started: bool) -> None:
        if not (isinstance(child, Life) and reason.crash):  # that has its own report
            level = logging.WARNING if reason.crash else logging.DEBUG
            log.log(level, "%s, incarnation %d, ended: %s", child.path, child.number, reason)
        self.feed(core.Ended(child.id, reason, started))

    def terminate(self, child: Child, reason: ExitReason | None = None) -> None:
        """End a child for good; with a reason at once, without politely."""
        if self.children.get(child.id) is not child:
            return  # it is dead, and another may have its id by now
        if reason is not None:
            child.kill(reason)  # before it is stopped politely: the first reason counts
        self.feed(core.Terminate(child.id))

    # -- what the core decides ------------------------------------------------------------------

    def feed(self, event: core.Event) -> None:
        """Feed an event; what one effect causes comes after all effects of this one, however deep the tree."""
        fed = self.house.fed
        fed.append((self, event))
        if len(fed) > 1:
            return
        while fed:
            node, next_event = fed[0]
            for effect in node.core.feed(next_event, self.house.stage.now()):
                getattr(node, EFFECTS[type(effect)])(effect)
            fed.popleft()

    def on_start(self, effect: core.Start) -> None:
        child = self.children[effect.id]
        if effect.restart:
            self.emit(ChildRestarting, child, self.core.children[effect.id].restarts)
        child.begin()

    def on_stop(self, effect: core.Stop) -> None:
        self.children[effect.id].stop()

    def on_rest(self, effect: core.Rest) -> None:
        self.children[effect.id].rest(effect.reason)

    def on_retire(self, effect: core.Retire) -> None:
        child = self.children.pop(effect.id)
        reason = effect.reason or SHUTDOWN_EXIT
        if effect.gave_up:
            self.emit(SupervisorGaveUp, child, effect.id, reason)
            log.error("%s is not restarted any more: %s", child.path, reason)
        child.retire(reason)
        self.house.dismiss(child)

    def on_all_started(self, effect: core.AllStarted) -> None:
        if self.above is not None:
            self.above.ready(self)
        self.house.changed()

    def on_over(self, effect: core.Over) -> None:
        reason = SHUTDOWN_EXIT
        if effect.gave_up is not None:
            reason = self.given_up(effect.gave_up, effect.reason, effect.at_start)
        self.house.over(self, reason)
        if self.above is not None:
            self.above.ended(self, reason, started=True)

    def given_up(self, child: str, reason: ExitReason, at_start: bool) -> ExitReason:
        if self.above is not None:  # the root only passes on what its tree has told
            self.emit(SupervisorGaveUp, self, child, reason)
        what = (
            "did not start"
            if at_start
            else f"ended too often ({self.core.flags.intensity} restarts in {self.core.flags.within:g} s)"
        )
        return replace(reason, kind=ERROR, text=f"{child} {what}: {reason}", ordered=False)

    # -- what the supervisor above orders -------------------------------------------------------

    def begin(self) -> None:
        self.number += 1
        self.feed(core.Begin())

    def stop(self) -> None:
        self.feed(core.Shutdown())

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


def plant_supervisor(above: SupervisorNode, id: str, path: str, plan: Plan) -> None:
    node = SupervisorNode(id, path, core.Flags(plan.intensity, plan.within), above.house, above)
    node.plant(plan)
    above.add(id, node, core.ChildRules())


@cache
def rules_of(restart: str, max_restarts: int | None) -> core.ChildRules:
    """Ten thousand actors share a few rules."""
    return core.ChildRules(restart, max_restarts)


# An effect, and the method that carries it out.
EFFECTS: dict[type, str] = {
    core.Start: "on_start",
    core.Stop: "on_stop",
    core.Rest: "on_rest",
    core.Retire: "on_retire",
    core.AllStarted: "on_all_started",
    core.Over: "on_over",
}

# The plan of a node, and what makes the node of it; files that add a kind of node add it here.
PLANTERS: dict[type, Callable[[SupervisorNode, str, str, Any], Any]] = {Plan: plant_supervisor}
