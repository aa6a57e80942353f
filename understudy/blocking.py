"""The door for plain code: the runtime lives in a thread of its own, and calls are waited for.

Example:
    with blocking.open_runtime(tree):
        counter = Counter.remote(10)
        print(blocking.get(counter.add.remote(5)))
        print(blocking.call(counter.add, 5))

Every function here may be called from any thread, and a Ctrl-C ends its wait.  Actor classes, handles,
`get_actor` and errors are those of `understudy`.  Inside the methods of an actor in a process or a thread `call`,
`get`, `wait`, `kill`, `interrupt` and `wait_ready` wait for other actors.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "understudy_guest" not in sys.modules:
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
else:  # a guest has no runtime of its own, and should not pay for an event loop
    from .actors.guest_verbs import call_blocking as call
    from .actors.guest_verbs import cancel, get_actor, put, statistics
    from .actors.guest_verbs import get_blocking as get
    from .actors.guest_verbs import interrupt_blocking as interrupt
    from .actors.guest_verbs import kill_blocking as kill
    from .actors.guest_verbs import wait_blocking as wait
    from .actors.guest_verbs import wait_ready_blocking as wait_ready

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"understudy.blocking has no {name!r}; it has {', '.join(__all__)}")
        return NotInGuests(name)


class NotInGuests:
    """In a guest, what only a program with a runtime of its own has: its name may be imported there, and not used."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, item: Any) -> NotInGuests:
        return self  # in an annotation

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"blocking.{self.name} is for a program that has a runtime of its own; in the methods of an actor in a process"
            " blocking has call, cancel, get, get_actor and wait"
        )


__all__ = [
    "ActorPool", "Executor", "Queue", "call", "cancel", "dump", "feed", "get", "get_actor", "init", "interrupt", "is_initialized", "kill", "open_channel", "open_runtime", "open_scope", "put", "shutdown",
    "statistics", "wait", "wait_ready",
]  # fmt: skip
