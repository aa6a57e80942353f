"""Interrupting all that runs below a supervisor, leaves first, under one deadline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import trio

from .poolnode import PoolNode
from .supervisor import SupervisorNode

if TYPE_CHECKING:
    from .supervisor import Child


async def interrupt_below(node: SupervisorNode, timeout: float) -> bool:
    """Interrupt level by level, the deepest first; returns False if nothing ran."""
    levels: dict[int, list[Any]] = {}
    for depth, child in below(node, 0):
        levels.setdefault(depth, []).append(child)
    waiting = sorted(levels, reverse=True)
    struck = False
    with trio.move_on_after(timeout):
        while waiting:
            ends = strike(levels[waiting.pop(0)])
            struck = struck or bool(ends)
            for end in ends:
                await end.wait()
    for depth in waiting:
        struck = bool(strike(levels[depth])) or struck
    await trio.lowlevel.checkpoint()
    return struck


def strike(actors: list[Any]) -> list[trio.Event]:
    """Interrupt what these run; returns the events of its end."""
    running = [actor.incarnation for actor in actors if actor.incarnation is not None]
    return [end for incarnation in running for end in incarnation.interrupt()]


def below(node: SupervisorNode, depth: int) -> Iterator[tuple[int, Child]]:
    """All that runs calls below a supervisor, and how deep it is; a pool is one."""
    for child in node.children.values():
        if isinstance(child, SupervisorNode) and not isinstance(child, PoolNode):
            yield from below(child, depth + 1)
        else:
            yield depth, child
