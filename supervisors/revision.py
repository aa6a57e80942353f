"""New flags and specs for a running supervisor, in place: all of them or none."""

from __future__ import annotations

from typing import Any

from ..actors.life import Life
from ..actors.reasons import SHUTDOWN_EXIT
from ..actors.spec import ChildSpec
from . import steps
from .pool import Pool
from .poolnode import PoolNode
from .registry import name_of
from .spec import MOST_LEVELS, Plan, Supervisor, rules_of
from .supervisor import Child, SupervisorNode, make_node

Fresh = list[tuple[SupervisorNode, str, Child]]  # children that are made, and not yet their supervisors'


def revise(node: SupervisorNode, plan: Supervisor) -> None:
    """Take on a plan with all below it; if something in it does not fit what is there, nothing is changed.

    Raises:
        TypeError: for what is no plan.
        ValueError: for a plan that does not fit; ActorAlreadyExistsError: for a name that is taken.
    """
    if not is_plan(plan):
        raise TypeError(f"update() takes a plan, Supervisor(...), not {plan!r}")
    check_levels(node, plan)
    check(node, plan)
    fresh: Fresh = []
    try:
        make_below(node, plan, fresh)
    except BaseException:
        for above, _, made in fresh:
            made.retire(SHUTDOWN_EXIT)
            above.house.dismiss(made)
        raise
    for above, id, made in fresh:
        above.children[id] = made
    take_on(node, plan)


def is_plan(value: object) -> bool:
    return isinstance(value, Supervisor)


def check_levels(node: SupervisorNode, plan: Supervisor) -> None:
    above = node.path.count("/") + 1 if node.path else 0
    if above + plan.levels > MOST_LEVELS:
        raise ValueError(
            f"supervisors may be nested {MOST_LEVELS} levels deep: the plan has {plan.levels}, below {above} others"
        )


def check(node: SupervisorNode, plan: Supervisor) -> None:
    """Raise ValueError if the plan, or one below it, is of another kind than what runs."""
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
        check_child(id, node.children.get(id), child)


def check_child(id: str, there: Child | None, child: Plan) -> None:
    if there is None:
        if isinstance(child, Pool):
            raise ValueError(f"{id!r} is a pool; start it with start_child()")
    elif isinstance(there, Life) and isinstance(child, ChildSpec):
        check_spec(there.spec, child)
        check_name(there.spec, child)
    elif isinstance(there, PoolNode) and isinstance(child, Pool):
        check_pool(there.plan, child)
    elif isinstance(there, SupervisorNode) and there.outline is not None and isinstance(child, Supervisor):
        if child is not there.outline:
            check(there, child)
    else:
        raise ValueError(f"{id!r} is of another kind; delete it, and start the new one under its id")


def check_name(old: ChildSpec[Any], new: ChildSpec[Any]) -> None:
    """A name is entered when an actor is made, and given back when it is forgotten."""
    if name_of(old.options) != name_of(new.options):
        raise ValueError(f"{new.label!r} would change its name; delete it, and start the new one")


def check_pool(old: Pool[Any], new: Pool[Any]) -> None:
    """What waits in a pool's mailbox is dealt out by the plan it was made with."""
    if old is not new and settings_of(old) != settings_of(new):
        raise ValueError(
            f"the pool {new.label!r} would change, and a pool keeps its plan; terminate and delete it, and start the new one"
        )


def settings_of(pool: Pool[Any]) -> tuple[Any, ...]:
    member = pool.member
    return (
        *(pool.least, pool.most, pool.route, pool.key, pool.idle_timeout, pool.intensity, pool.within),
        *(member.cls, member.options, pool.spec.options, member.args, dict(member.kwargs)),
    )


def check_spec(old: ChildSpec[Any], new: ChildSpec[Any]) -> None:
    """Handles and what waits in the mailbox are made for one class in one kind of place."""
    if old.cls is not new.cls or type(old.options.executor) is not type(new.options.executor):
        raise ValueError(
            f"{new.label!r} would change its class or executor; delete it, and start the new one"
        )


def make_below(node: SupervisorNode, plan: Supervisor, fresh: Fresh) -> None:
    """Make what is new in a plan and in those below it."""
    for id, child in zip(plan.ids(), plan.children, strict=True):
        there = node.children.get(id)
        if there is None:
            fresh.append((node, id, make(node, id, child)))
        elif (
            isinstance(there, SupervisorNode) and isinstance(child, Supervisor) and child is not there.outline
        ):
            make_below(there, child, fresh)


def make(node: SupervisorNode, id: str, plan: Plan) -> Child:
    """A child that is not yet the supervisor's."""
    path = node.path_of(id)
    if isinstance(plan, Supervisor):
        return make_node(node, id, path, plan)
    assert isinstance(plan, ChildSpec)
    life = Life(plan, path, node)
    node.house.admit(life)
    return life


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
            isinstance(there, SupervisorNode) and isinstance(child, Supervisor) and child is not there.outline
        ):
            take_on(there, child)
    node.feed(steps.Revised(plan.flags, rules))
    node.look_later()
