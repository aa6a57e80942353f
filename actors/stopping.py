"""`stop(handle)`: a polite end, and the ladder behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from .lifecycle import DEAD, DOWN
from .verbs import life_of

if TYPE_CHECKING:
    from .actor import Handle


async def stop(handle: Handle[Any], *, drain: bool = True) -> bool:
    """End an actor politely, for good; returns True when it is dead, False if it was dead before.

    It finishes what is in its mailbox, and leaves.  When its `shutdown` seconds are over it is terminated, and then
    killed, with the seconds of its `Ladder` in between.  With `drain=False` only what it has begun is finished: calls
    that wait end with a TaskCancelledError, and casts are dead letters.  Many are stopped side by side from as many
    tasks.  If cancelled while waiting, the stop goes on.

    Example:
        if not await stop(worker, drain=False):
            print("it was dead already")

    Raises:
        TypeError: for what is no handle of an actor.
    """
    life = life_of(handle, "stop(handle)")
    if life.state in (DEAD, DOWN):
        await trio.lowlevel.checkpoint()
        return False
    if not drain:
        life.drop_casts()
        for call in life.mailbox.unfinished():
            if not call.ended:
                life.mailbox.retract(call)
    life.overseer.terminate(life)
    await life.wait_dead()
    return True
