"""`runtime.processes()`: every process below this one, as the system lists them, and what each is for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..transports.guests.label import PREFIX, SPARE
from ..transports.system.processes import ENDED, Listed, Spent, below, listed, spent
from .tree import owners

if TYPE_CHECKING:
    from .runtime import Runtime

Kind = Literal["guest", "keeper", "zygote", "standby", "spare", "other"]
NOTHING = Spent(0, 0, 0.0, 0.0)

# What the system's letters say.
STATES = {"R": "running", "S": "sleeping", "D": "waiting", "T": "stopped", "t": "traced", ENDED: "ended"}


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A process below this one.

    `kind` is guest (an actor runs in it), keeper or zygote (it starts guests), standby (a guest to be),
    spare (a fork of a zygote, ready to be any guest), or other;
    `actor` is the path of the actor that runs in it, or in whose guest it was started.  `rss` and `pss` are bytes of
    memory, all that it occupies and its share of that; `cpu` and `uptime` are seconds.  What the system does not tell
    is 0.
    """

    pid: int
    parent: int
    kind: Kind
    actor: str
    label: str
    state: str
    rss: int
    pss: int
    cpu: float
    uptime: float


def processes_of(runtime: Runtime) -> tuple[ProcessStatus, ...]:
    """Each before those that it has started."""
    return tuple(look(runtime, listed()))


def look(runtime: Runtime, table: dict[int, Listed]) -> Iterator[ProcessStatus]:
    known: dict[int, tuple[Kind, str]] = {
        pid: ("standby" if waits else "guest", path)
        for pid, path, waits in owners([runtime.tree_node, runtime.dynamic])
    }
    for keeper in runtime.house.stage.keepers:
        known[keeper.pid] = ("zygote" if keeper.zygote.loads else "keeper", "")
    for _, process in below(os.getpid(), table):
        above = known.get(process.parent, ("other", ""))[1]
        spare = process.command == PREFIX + SPARE
        kind, actor = known.setdefault(process.pid, ("spare" if spare else "other", above))
        used = spent(process.pid) or NOTHING
        state = STATES.get(process.state, "sleeping")
        yield ProcessStatus(
            process.pid, process.parent, kind, actor, process.command, state, used.rss, used.pss, used.cpu, used.uptime
        )  # fmt: skip
