"""The tree as text: who supervises whom, in which state, in which process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..actors.executor import Process
from ..actors.life import Life
from .child import DELAYED, PARKED
from .supervisor import SupervisorNode

if TYPE_CHECKING:
    from .supervisor import Child


def draw(nodes: list[Child], keeper: int) -> str:
    """One line a node, indented under its supervisor."""
    lines: list[str] = []
    for node in nodes:
        lines += describe(node, 0)
    if keeper:
        lines.append(f"keeper  process {keeper}; starts and reaps the guests")
    return "\n".join(lines)


def describe(node: Child, depth: int, waits: str = "") -> list[str]:
    indent = "  " * depth
    if isinstance(node, SupervisorNode):
        lines = [f"{indent}{node.id}  {node.what}{f', {waits}' if waits else ''}"]
        for child in node.children.values():
            lines += describe(child, depth + 1, core_state(node, child))
        return lines
    assert isinstance(node, Life)
    return [f"{indent}{node.id}  {describe_actor(node, waits)}"]


def core_state(node: SupervisorNode, child: Child) -> str:
    """What its supervisor has in mind with one that is down: delayed, parked; else nothing."""
    state = node.core.children[child.id].state
    return state if state in (DELAYED, PARKED) else ""


def describe_actor(life: Life, waits: str = "") -> str:
    parts = [life.spec.cls.__name__, waits or life.state, f"incarnation {life.number}"]
    executor = life.spec.options.executor
    if isinstance(executor, Process):
        parts.append("trusted" if executor.trusted else "untrusted")
        parts.append("no sandbox")
    pid = life.incarnation.pid if life.incarnation is not None else 0
    if pid:
        parts.append(f"process {pid}")
    return ", ".join(parts)
