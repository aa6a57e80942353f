"""`quiet(runtime)`: wait until nothing is going on, instead of sleeping and hoping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import trio
import trio.testing

from ..actors import lifecycle
from ..actors.errors import UnderstudyError
from .injection import is_doomed

if TYPE_CHECKING:
    from ..supervisors.runtime import Runtime
    from ..supervisors.supervisor import SupervisorNode

SETTLED = frozenset((lifecycle.READY, lifecycle.DOWN, lifecycle.DEAD))
LOOK = (
    0.002  # seconds between two looks on a real clock: processes send no word when they have nothing to say
)


class NotQuietError(UnderstudyError):
    """Something went on until the time was over; the message names it."""


async def quiet(runtime: Runtime, within: float = 30.0) -> None:
    """Return when nothing starts, stops, restarts or waits for a restart, and no call or cast is pending.

    With trio's MockClock this moves the clock to whatever is due next, so what takes hours takes no time; `within` is
    seconds of trio's clock.  Timers of actors do not count, only what they do.  If cancelled, nothing changes.

    Example:
        counter.add.cast(1)
        await quiet(runtime)

    Raises:
        NotQuietError: if something still goes on after `within` seconds.
    """
    deadline = trio.current_time() + within
    while True:
        await trio.testing.wait_all_tasks_blocked()
        goings_on = list(unsettled(runtime))
        if not goings_on:
            return
        left = deadline - trio.current_time()
        if left <= 0:
            raise NotQuietError(f"not quiet after {within:g} s: {'; '.join(goings_on)}")
        await trio.sleep(min(left, pause()))


def pause() -> float:
    """Seconds until the next look: in virtual time something happens when the next deadline comes, and not before."""
    if isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock):
        soonest = trio.lowlevel.current_statistics().seconds_to_next_deadline
        return soonest if soonest > 0 else LOOK
    return LOOK


def unsettled(runtime: Runtime) -> Iterator[str]:
    """What goes on, in words."""
    for path, life in list(runtime.house.registry.paths.items()):
        if life.state not in SETTLED:
            yield f"{path} is {life.state}"
        elif is_doomed(getattr(life, "incarnation", None)):
            yield f"{path} was struck and is not dead yet"
        pending = life.mailbox.pending()
        if pending:
            yield f"{path} has {pending} pending"
    for node in nodes(runtime):
        core = node.core
        if core.turn is not None or core.stops or core.starts or (core.ending and not core.is_over):
            yield f"the supervisor {node.path or node.id!r} has not finished"


def nodes(runtime: Runtime) -> Iterator[SupervisorNode]:
    yield from (runtime.root, runtime.dynamic)
    yield from list(runtime.house.nodes.values())
