"""The tree as text: who supervises whom, in which state, in which process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..actors.executor import Process
from ..actors.life import Life
from ..transports.system.processes import ENDED, Listed, below
from .child import DELAYED, PARKED
from .supervisor import SupervisorNode

if TYPE_CHECKING:
    from ..transports.places.keeper import Keeper
    from .supervisor import Child

Table = dict[int, Listed]


def draw(nodes: list[Child], keepers: Iterable[Keeper], table: Table | None = None) -> str:
    """One line a node, indented under its supervisor; with the system's list one for every process of ours."""
    lines = [line for node in nodes for line in describe(node, 0, table)]
    known = {pid for node in nodes for pid in pids_of(node)}
    for keeper in keepers:
        marks = "".join(f"{mark}, " for mark in keeper.zygote.marks)
        lines.append(f"{keeper.zygote.kind}  {marks}process {keeper.pid}; starts and reaps guests")
        if table is not None:
            lines += others(keeper.pid, known, table)
    return "\n".join(lines)


def describe(node: Child, depth: int, table: Table | None = None, waits: str = "") -> Iterator[str]:
    indent = "  " * depth
    if isinstance(node, SupervisorNode):
        yield f"{indent}{node.id}  {node.what}{f', {waits}' if waits else ''}"
        for child in node.children.values():
            yield from describe(child, depth + 1, table, core_state(node, child))
    else:
        assert isinstance(node, Life)
        yield f"{indent}{node.id}  {describe_actor(node, table, waits)}"
        if table is not None and (pid := pid_of(node)):
            yield from processes(pid, depth, table)
        for pid in standbys_of(node) if table is not None else ():
            yield f"{indent}  standby  process {pid}"
            yield from processes(pid, depth + 1, table or {})


def core_state(node: SupervisorNode, child: Child) -> str:
    """What its supervisor has in mind with one that is down: delayed, parked; else nothing."""
    state = node.core.children[child.id].state
    return state if state in (DELAYED, PARKED) else ""


def describe_actor(life: Life, table: Table | None = None, waits: str = "") -> str:
    parts = [life.spec.cls.__name__, waits or life.state, f"incarnation {life.number}"]
    executor = life.spec.options.executor
    if isinstance(executor, Process):
        parts.append("trusted" if executor.trusted else "untrusted")
        parts.append(getattr(life.incarnation, "sandbox", "no sandbox"))
    pid = pid_of(life)
    if pid and (table is None or pid in table):
        parts.append(f"process {pid}")
    return ", ".join(parts)


def pid_of(life: Life) -> int:
    return life.incarnation.pid if life.incarnation is not None else 0


def pids_of(node: Child) -> Iterator[int]:
    """The processes that actors have for themselves."""
    return (pid for pid, _, _ in owners([node]))


def owners(nodes: Iterable[Child]) -> Iterator[tuple[int, str, bool]]:
    """The same, each with its actor's path, and whether it only waits to be its next incarnation."""
    for node in nodes:
        if isinstance(node, SupervisorNode):
            yield from owners(node.children.values())
        elif isinstance(node, Life):
            if pid := pid_of(node):
                yield pid, node.path, False
            yield from ((pid, node.path, True) for pid in standbys_of(node))


def standbys_of(life: Life) -> list[int]:
    """The processes that wait to be its next incarnation."""
    reserve = life.house.stage.reserves.get(life.path)
    return reserve.pids if reserve is not None else []


# -- what else the system lists ------------------------------------------------------------------------


def processes(pid: int, depth: int, table: Table) -> Iterator[str]:
    """What a process has started, and what that has."""
    for level, process in below(pid, table):
        yield f"{'  ' * (depth + level)}{shown(process)}"


def others(keeper: int, known: set[int], table: Table) -> Iterator[str]:
    """What is the keeper's, and no actor's: a guest that is just starting or ending, what a dead one left."""
    for process in table.values():
        if process.parent == keeper and process.pid not in known:
            yield f"  {shown(process)}"
            yield from processes(process.pid, 1, table)


def shown(process: Listed) -> str:
    ended = ", ended" if process.state == ENDED else ""
    return f"process {process.pid}{ended}  {process.command}"
