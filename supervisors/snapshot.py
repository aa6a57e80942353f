"""A snapshot of a runtime as plain values, for somebody who looks on from another process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..actors.executor import Process
from ..actors.life import Life
from .poolnode import PoolNode
from .supervisor import SupervisorNode
from .tree import pid_of

if TYPE_CHECKING:
    from .runtime import Runtime
    from .supervisor import Child

MOST = 2000  # rows; of others the number


@dataclass(frozen=True, slots=True)
class Row:
    """A node of the tree: a supervisor, a pool or an actor.

    `state` and what follows are of actors and pools (else empty, or 0); `pending` counts calls accepted and not
    ended, `queued` those that no incarnation has in its hands.
    """

    depth: int
    id: str
    path: str
    what: str
    state: str = ""
    incarnation: int = 0
    pid: int = 0
    pending: int = 0
    queued: int = 0
    trusted: bool = True
    last_reason: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a runtime is doing at `at` (nanoseconds of its own clock); `omitted` rows are not told."""

    pid: int
    command: str
    at: int
    keepers: tuple[int, ...]
    dead_letters: int
    rows: tuple[Row, ...]
    omitted: int = 0


def snapshot_of(runtime: Runtime) -> Snapshot:
    """Look at everything once."""
    house = runtime.house
    rows = rows_of([runtime.tree_node, runtime.dynamic], 0)
    shown = tuple(islice(rows, MOST))
    return Snapshot(
        os.getpid(),
        " ".join(sys.argv) or sys.executable,
        int(house.stage.now() * 1e9),
        tuple(keeper.pid for keeper in house.stage.keepers),
        len(house.dead_letters),
        shown,
        sum(1 for _ in rows),
    )


def rows_of(nodes: list[Child], depth: int) -> Iterator[Row]:
    for node in nodes:
        yield row_of(node, depth)
        if isinstance(node, SupervisorNode):
            yield from rows_of(list(node.children.values()), depth + 1)


def row_of(node: Any, depth: int) -> Row:
    if isinstance(node, Life):
        return actor_row(node, depth)
    if isinstance(node, PoolNode):
        mailbox = node.mailbox
        return Row(
            depth,
            node.id,
            node.path,
            node.what,
            node.state,
            node.number,
            0,
            mailbox.count,
            queued_in(mailbox),
        )
    return Row(depth, node.id, node.path, node.what)


def actor_row(life: Life, depth: int) -> Row:
    executor = life.spec.options.executor
    return Row(
        depth,
        life.id,
        life.path,
        life.spec.cls.__name__,
        life.state,
        life.number,
        pid_of(life),
        life.mailbox.pending(),
        queued_in(life.mailbox),
        executor.trusted if isinstance(executor, Process) else True,
        str(life.last_reason) if life.number > 1 else "",
    )


def queued_in(mailbox: Any) -> int:
    return 0 if mailbox.queue is None else len(mailbox.queue)
