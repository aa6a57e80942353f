"""A forked child has the runtime's memory and none of its rights: what it asks is refused, and it ends nothing.

The child shares descriptors with its parent, so it may neither write to a link nor take anything off the
shared epoll: its own copies are closed at once.  trio's event loop cannot live on in a forked child; one that was
made inside it leaves by exec or `os._exit`.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from ..actors.reasons import UNREACHABLE, ExitReason

if TYPE_CHECKING:
    from ..actors.life import Life
    from .runtime import Runtime

FORKED = "this process was forked; the runtime stays with its parent, open one of your own here"
REASON = ExitReason(UNREACHABLE, FORKED, ordered=True)

open_runtimes: weakref.WeakSet[Runtime] = weakref.WeakSet()


def refuse_all() -> None:
    """In a forked child, before anything else runs there."""
    for runtime in list(open_runtimes):
        runtime.forked = runtime.closing = True
        let_go(runtime)
        for life in runtime.house.registry.paths.values():
            refuse(life)
    open_runtimes.clear()


def let_go(runtime: Runtime) -> None:
    stage = runtime.house.stage
    stage.hub.let_go()
    stage.keepers.disown()


def refuse(life: Life) -> None:
    mailbox = life.mailbox
    mailbox.receiver, mailbox.queue, mailbox.closed = None, None, REASON
    guest = getattr(life.incarnation, "guest", None)
    if guest is not None:
        guest.close()  # our copies of its descriptors


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=refuse_all)
