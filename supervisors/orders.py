"""What people ask of a running supervisor, as far as the rulebook decides about it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .child import DELAYED, DOWN, LEAVING, LIVE, PARKED, PENDING, STOPPING, WAITING, Child
from .rounds import ASKED, place_of
from .steps import Delete, Restart, Revised, Shutdown, Stop, Terminate

if TYPE_CHECKING:
    from .core import Core


def terminate(core: Core, event: Terminate, _: int) -> None:
    child = core.children.get(event.id)
    if child is None:
        return
    keep = event.keep and child.state != LEAVING and not core.forgets(child)
    core.release(child, event.reason)
    core.by_hand.pop(child.id, None)
    if child.state in LIVE:
        core.doomed.pop(child.id, None)
        asked = child.state in ASKED
        child.state = STOPPING if keep else LEAVING
        core.significant.discard(child.id)
        if not asked:
            core.out.append(Stop(child.id, child.rules.timeout))
    elif keep:
        core.rest(child, event.reason)
    else:
        core.retire(child, event.reason)
    if not core.ending:
        core.go_on()


def restart(core: Core, event: Restart, _: int) -> None:
    child = core.children.get(event.id)
    if child is None or core.ending or not core.begun or not may_restart(core, child):
        return
    core.by_hand[child.id] = True
    group = core.held.pop(child.id, None)
    others: list[Child] = []
    cause = child if group is None else core.children.get(group.cause)
    if group is not None and cause is not None and cause.state == PARKED:
        core.failures.clear()  # a person has looked
        others = core.freed(group)
    if others:
        child.state = WAITING
        core.enqueue([child, *others])
    else:
        core.start_by_hand(child)
    core.go_on()


def may_restart(core: Core, child: Child) -> bool:
    """It is down, and no turn of its own will come by itself."""
    return child.state in (DOWN, PARKED) or (child.state == PENDING and child.id in core.held)


def delete(core: Core, event: Delete, _: int) -> None:
    child = core.children.get(event.id)
    if child is not None and child.state not in LIVE and child.state != DELAYED:
        core.release(child, None)
        core.retire(child, None)
        core.go_on()


def revise(core: Core, event: Revised, _: int) -> None:
    core.flags = event.flags
    for id, rules in event.rules.items():
        child = core.children.get(id)
        if child is None:
            child = core.children[id] = Child(id, rules, 0)
            child.state = DOWN
        child.rules = rules
    if not core.flags.dynamic:
        core.put_in_order(tuple(event.rules))
    core.starts = deque(sorted(core.starts, key=place_of))
    core.stops.sort(key=place_of)
    alive = (child for child in core.children.values() if child.state != DOWN)
    core.significant = {child.id for child in alive if child.rules.significant}


def shutdown(core: Core, event: Shutdown, _: int) -> None:
    if not core.ending:
        core.begin_end(event.returns)
