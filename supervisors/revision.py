"""New flags and specs for a running supervisor, in place: all of them or none."""

from __future__ import annotations

from typing import Any

from ..actors.life import Life
from ..actors.reasons import SHUTDOWN_EXIT
from ..actors.spec import ChildSpec
from . import steps
from .pool import Pool
from .spec import Plan, Supervisor, rules_of
from .supervisor import Child, SupervisorNode, make_node


def revise(node: SupervisorNode, plan: Supervisor) -> None:
    """Take on a plan; raises ValueError, nothing changed, if something in it does not fit what is there."""
    check(node, plan)
    fresh: dict[str, Child] = {}
    try:
        for id, child in zip(plan.ids(), plan.children, strict=True):
            if id not in node.children:
                fresh[id] = make(node, id, child)
    except BaseException:
        for made in fresh.values():
            made.retire(SHUTDOWN_EXIT)
            node.house.dismiss(made)
        raise
    node.children.update(fresh)
    take_on(node, plan)


def check(node: SupervisorNode, plan: Supervisor) -> None:
    """Raise ValueError if the plan is of another kind than what runs."""
    outline = node.outline
    if (
        outline is None
        or outline.dynamic != plan.dynamic
        or (outline.template is None) != (plan.template is None)
    ):
        raise ValueError("a supervisor stays static or dynamic, with a template or without one")
    if outline.template is not None and plan.template is not None:
        check_spec(outline.template, plan.template)
    for id, child in zip(plan.ids(), plan.children, strict=True):
        there = node.children.get(id)
        if isinstance(there, Life) and isinstance(child, ChildSpec):
            check_spec(there.spec, child)
        elif (
            isinstance(there, SupervisorNode) and there.outline is not None and isinstance(child, Supervisor)
        ):
            check(there, child)
        elif there is not None and not isinstance(child, Pool):
            raise ValueError(f"{id!r} is of another kind; delete it, and start the new one under its id")


def check_spec(old: ChildSpec[Any], new: ChildSpec[Any]) -> None:
    """Handles and what waits in the mailbox are made for one class in one kind of place."""
    if old.cls is not new.cls or type(old.options.executor) is not type(new.options.executor):
        raise ValueError(
            f"{new.label!r} would change its class or executor; delete it, and start the new one"
        )


def make(node: SupervisorNode, id: str, plan: Plan) -> Child:
    """A child that is not yet the supervisor's."""
    path = node.path_of(id)
    if isinstance(plan, ChildSpec):
        life = Life(plan, path, node)
        node.house.admit(life)
        return life
    if isinstance(plan, Supervisor):
        return make_node(node, id, path, plan)
    raise ValueError(f"{id!r} is a pool; start it with start_child()")


def take_on(node: SupervisorNode, plan: Supervisor) -> None:
    node.outline = plan
    rules = {id: rules_of(child) for id, child in zip(plan.ids(), plan.children, strict=True)}
    if plan.dynamic:
        rules = {id: rules_of(plan.template) for id in node.children} if plan.template is not None else {}
    for id, child in zip(plan.ids(), plan.children, strict=True):
        there = node.children[id]
        if isinstance(there, Life) and isinstance(child, ChildSpec):
            there.spec = child
        elif (
            isinstance(there, SupervisorNode) and there.outline is not None and isinstance(child, Supervisor)
        ):
            take_on_below(there, child)
    node.feed(steps.Revised(plan.flags, rules))
    node.look_later()


def take_on_below(node: SupervisorNode, plan: Supervisor) -> None:
    if plan is not node.outline:
        revise(node, plan)
