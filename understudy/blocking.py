"""The door for plain code: the runtime lives in a thread of its own, and calls are waited for.

Example:
    with blocking.open_runtime(tree):
        counter = Counter.remote(10)
        print(blocking.get(counter.add.remote(5)))
        print(blocking.call(counter.add, 5))

Every function here may be called from any thread, and a Ctrl-C ends its wait.  Actor classes, handles,
`get_actor` and errors are those of `understudy`.  Inside the methods of an actor in a process or a thread `call`,
`get`, `wait`, `kill`, `interrupt` and `wait_ready` wait for other actors, and `open_runtime` opens a runtime of the
actor's own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "understudy_guest" not in sys.modules:
    from .actors.channel import PlainReceiveChannel as ReceiveChannel
    from .actors.channel import PlainSendChannel as SendChannel
    from .actors.put import put as put
    from .actors.verbs import get_actor
    from .crossing.actorpool import PlainActorPool as ActorPool
    from .crossing.channel import PlainChannel as open_channel  # noqa: N813  used as the function it stands for
    from .crossing.plain import (
        call,
        dump,
        feed,
        get,
        init,
        interrupt,
        is_initialized,
        kill,
        open_runtime,
        shutdown,
        wait,
        wait_ready,
    )
    from .crossing.queue import PlainQueue as Queue
    from .crossing.scope import open_scope
    from .crossing.verbs import cancel, statistics
    from .executor import Executor
else:  # a guest that has no runtime of its own should not pay for an event loop
    from . import Either, Later
    from .actors.channel import PlainReceiveChannel as ReceiveChannel
    from .actors.channel import PlainSendChannel as SendChannel

    # What goes by way of the host, and under which name; the rest is for a runtime that the guest has opened.
    BY_HOST = {
        "call": "call_blocking", "get": "get_blocking", "interrupt": "interrupt_blocking", "kill": "kill_blocking",
        "wait": "wait_blocking", "wait_ready": "wait_ready_blocking",
        "cancel": "cancel", "get_actor": "get_actor", "put": "put", "statistics": "statistics",
    }  # fmt: skip
    HOME = {
        "ActorPool": "crossing.actorpool", "Queue": "crossing.queue", "Executor": "executor", "open_scope": "crossing.scope",
        "open_channel": "crossing.channel",
        "cancel": "crossing.verbs", "statistics": "crossing.verbs", "get_actor": "actors.verbs", "put": "actors.put",
    }  # fmt: skip

    THERE = {"ActorPool": "PlainActorPool", "Queue": "PlainQueue", "open_channel": "PlainChannel"}

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"understudy.blocking has no {name!r}; it has {', '.join(__all__)}")
        module = HOME.get(name, "crossing.plain")
        there = THERE.get(name, name)
        return Either(module, there, BY_HOST[name]) if name in BY_HOST else Later(module, there)


__all__ = [
    "ActorPool", "Executor", "Queue", "ReceiveChannel", "SendChannel", "call", "cancel", "dump", "feed", "get", "get_actor", "init", "interrupt", "is_initialized", "kill", "open_channel", "open_runtime", "open_scope", "put", "shutdown",
    "statistics", "wait", "wait_ready",
]  # fmt: skip
