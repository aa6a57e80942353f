"""The pools that run functions: one in a runtime for each kind of process, started with the first call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..actors import lifecycle
from ..actors.executor import Executor, Process
from ..actors.remote import remote_class
from ..actors.spec import make_spec, options_of
from ..transports.guests.context import Running, role, running
from ..transports.guests.functions import AsyncRunner, Runner
from .pool import Pool, Size, cores
from .pooled import PooledCall, PoolMailbox
from .poolnode import PoolNode, admit_pool

if TYPE_CHECKING:
    from .supervisor import SupervisorNode

# A function that kills its process again and again is one caller's trouble: its call is poison, others go on.
RUNNERS = {
    awaits: remote_class(cls, {"max_restarts": -1}) for awaits, cls in ((False, Runner), (True, AsyncRunner))
}


class FunctionMailbox(PoolMailbox):
    """Calls name a function by the hash of its code, which goes with them to guests that do not have it."""

    __slots__ = ()

    def make(
        self,
        kind: int,
        method: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        stored: list[Any] | None = None,
        by: Running = running,
    ) -> PooledCall:
        return self.task(method, args, kwargs, (role.get() or by).call, stored)


class FunctionPool(PoolNode):
    """A pool of those who run functions."""

    __slots__ = ()

    mailbox_type = FunctionMailbox

    @property
    def tasks(self) -> FunctionMailbox:
        """The mailbox, which is that of functions."""
        assert isinstance(self.mailbox, FunctionMailbox)
        return self.mailbox


class FunctionPools:
    """The pools of one runtime, by the executor of their members."""

    __slots__ = ("above", "pools")

    def __init__(self, above: SupervisorNode) -> None:
        self.above = above
        self.pools: list[tuple[tuple[Executor, bool], FunctionPool]] = []

    def mailbox(self, executor: Executor | None, awaits: bool = False) -> FunctionMailbox:
        """Where calls go that are to run in such processes; `async` functions, in their event loops."""
        wanted = executor or DEFAULT, awaits
        for kind, pool in self.pools:
            if kind == wanted:
                if pool.state is not lifecycle.DEAD:
                    return pool.tasks
                self.pools.remove((kind, pool))  # somebody killed it
                break
        pool = self.plant(wanted[0], (0, cores()), awaits)
        self.pools.append((wanted, pool))
        return pool.tasks

    def plant(self, executor: Executor, size: Size, awaits: bool = False) -> FunctionPool:
        """Start a pool of its own."""
        cls = RUNNERS[awaits]
        options = options_of(cls).changed({"executor": executor, "id": self.free_id()})
        plan: Pool[Any] = Pool(make_spec(cls, options, (), {}), size)
        id = plan.label
        return admit_pool(FunctionPool(id, id, plan, self.above.house, self.above))

    def free_id(self) -> str:
        taken = self.above.house.registry.paths
        id, number = "functions", 1
        while id in taken:
            number += 1
            id = f"functions-{number}"
        return id


DEFAULT = Process()
