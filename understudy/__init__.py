"""understudy: actors under supervision.  Code crashes, the play goes on.

The names below are the front door; the rest is behind `understudy.transports`, `understudy.actors`,
`understudy.supervisors`, `understudy.testing` and `understudy.lab`.  They are loaded at first use, so that a guest
that only needs `Actor` and `method` does not pay for an event loop.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .actors.actor import Actor as Actor
    from .actors.actor import ActorClass as ActorClass
    from .actors.actor import Handle as Handle
    from .actors.backoff import Backoff as Backoff
    from .actors.carried import carry as carry
    from .actors.channel import ReceiveChannel as ReceiveChannel
    from .actors.channel import SendChannel as SendChannel
    from .actors.channel_errors import BrokenChannelError as BrokenChannelError
    from .actors.channel_errors import ClosedChannelError as ClosedChannelError
    from .actors.channel_pair import open_channel as open_channel
    from .actors.context import current_actor as current_actor
    from .actors.context import current_call as current_call
    from .actors.context import exit_actor as exit_actor
    from .actors.down import Down as Down
    from .actors.dump import dump as dump
    from .actors.environment import Environment as Environment
    from .actors.errors import ActorAlreadyExistsError as ActorAlreadyExistsError
    from .actors.errors import ActorDiedError as ActorDiedError
    from .actors.errors import ActorError as ActorError
    from .actors.errors import ActorNotFoundError as ActorNotFoundError
    from .actors.errors import ActorStartError as ActorStartError
    from .actors.errors import ActorUnavailableError as ActorUnavailableError
    from .actors.errors import CallError as CallError
    from .actors.errors import CallInterruptedError as CallInterruptedError
    from .actors.errors import DeadlockError as DeadlockError
    from .actors.errors import DependencyError as DependencyError
    from .actors.errors import GetTimeoutError as GetTimeoutError
    from .actors.errors import NoRuntimeError as NoRuntimeError
    from .actors.errors import PendingCallsLimitExceeded as PendingCallsLimitExceeded
    from .actors.errors import TaskCancelledError as TaskCancelledError
    from .actors.errors import TaskError as TaskError
    from .actors.errors import UnderstudyError as UnderstudyError
    from .actors.errors import Unsendable as Unsendable
    from .actors.executor import Bounds as Bounds
    from .actors.executor import Ladder as Ladder
    from .actors.executor import Local as Local
    from .actors.executor import Process as Process
    from .actors.executor import Thread as Thread
    from .actors.feeding import feed as feed
    from .actors.garbage import collect_garbage as collect_garbage
    from .actors.handle import ActorHandle as ActorHandle
    from .actors.limits import Limits as Limits
    from .actors.method import ActorMethod as ActorMethod
    from .actors.method import method as method
    from .actors.output import Output as Output
    from .actors.output import RotatedFile as RotatedFile
    from .actors.put import put as put
    from .actors.queue import Queue as Queue
    from .actors.queue_errors import Empty as Empty
    from .actors.queue_errors import Full as Full
    from .actors.reasons import ExitReason as ExitReason
    from .actors.ref import ObjectRef as ObjectRef
    from .actors.remote import remote as remote
    from .actors.sandbox import Sandbox as Sandbox
    from .actors.scope import Scope as Scope
    from .actors.scope import open_scope as open_scope
    from .actors.spec import ChildSpec as ChildSpec
    from .actors.statistics import Statistics as Statistics
    from .actors.stopping import stop as stop
    from .actors.stream import Stream as Stream
    from .actors.verbs import cancel as cancel
    from .actors.verbs import get as get
    from .actors.verbs import get_actor as get_actor
    from .actors.verbs import interrupt as interrupt
    from .actors.verbs import kill as kill
    from .actors.verbs import statistics as statistics
    from .actors.verbs import wait as wait
    from .actors.verbs import wait_ready as wait_ready
    from .actors.worker import AsyncWorker as AsyncWorker
    from .actors.worker import Worker as Worker
    from .executor import Executor as Executor
    from .supervisors.actorpool import ActorPool as ActorPool
    from .supervisors.monitors import monitor as monitor
    from .supervisors.pool import Pool as Pool
    from .supervisors.runtime import Runtime as Runtime
    from .supervisors.runtime import TreeFailedError as TreeFailedError
    from .supervisors.runtime import open_runtime as open_runtime
    from .supervisors.spec import Supervisor as Supervisor
    from .supervisors.strategies.strategy import Decision as Decision
    from .supervisors.strategies.strategy import Strategy as Strategy
    from .transports.guests.interrupts import Interrupted as Interrupted

# Module to the names it gives to the front door.
DOOR = {
    "actors.actor": ("Actor", "ActorClass"),
    "actors.backoff": ("Backoff",),
    "actors.carried": ("carry",),
    "actors.channel": ("ReceiveChannel", "SendChannel"),
    "actors.channel_errors": ("BrokenChannelError", "ClosedChannelError"),
    "actors.channel_pair": ("open_channel",),
    "actors.context": ("current_actor", "current_call", "exit_actor"),
    "actors.down": ("Down",),
    "actors.dump": ("dump",),
    "actors.environment": ("Environment",),
    "actors.errors": (
        "ActorAlreadyExistsError", "ActorDiedError", "ActorError", "ActorNotFoundError", "ActorStartError", "ActorUnavailableError",
        "CallError", "CallInterruptedError", "DeadlockError", "DependencyError", "GetTimeoutError", "NoRuntimeError",
        "PendingCallsLimitExceeded", "TaskCancelledError", "TaskError", "UnderstudyError", "Unsendable",
    ),
    "actors.executor": ("Bounds", "Ladder", "Local", "Process", "Thread"),
    "actors.feeding": ("feed",),
    "actors.garbage": ("collect_garbage",),
    "actors.handle": ("ActorHandle",),
    "actors.limits": ("Limits",),
    "actors.method": ("ActorMethod", "method"),
    "actors.output": ("Output", "RotatedFile"),
    "actors.put": ("put",),
    "actors.queue": ("Queue",),
    "actors.queue_errors": ("Empty", "Full"),
    "actors.reasons": ("ExitReason",),
    "actors.ref": ("ObjectRef",),
    "actors.remote": ("remote",),
    "actors.sandbox": ("Sandbox",),
    "actors.scope": ("Scope", "open_scope"),
    "actors.spec": ("ChildSpec",),
    "actors.statistics": ("Statistics",),
    "actors.stopping": ("stop",),
    "actors.stream": ("Stream",),
    "actors.verbs": ("cancel", "get", "get_actor", "interrupt", "kill", "statistics", "wait", "wait_ready"),
    "actors.worker": ("AsyncWorker", "Worker"),
    "executor": ("Executor",),
    "supervisors.actorpool": ("ActorPool",),
    "supervisors.monitors": ("monitor",),
    "supervisors.pool": ("Pool",),
    "supervisors.runtime": ("Runtime", "TreeFailedError", "open_runtime"),
    "supervisors.spec": ("Supervisor",),
    "supervisors.strategies.strategy": ("Decision", "Strategy"),
    "transports.guests.interrupts": ("Interrupted",),
}  # fmt: skip
HOME = {name: module for module, names in DOOR.items() for name in names} | {"Handle": "actors.handle"}

# Names that need the event loop.  In a guest they are asked for only once they are used.
LOOPS = (
    "actors.dump",
    "actors.feeding",
    "actors.garbage",
    "actors.put",
    "actors.scope",
    "actors.stopping",
    "actors.stream",
    "actors.verbs",
    "executor",
    "supervisors.actorpool",
    "supervisors.monitors",
    "supervisors.runtime",
)
ON_THE_LOOP = frozenset(name for module in LOOPS for name in DOOR[module])

# What the methods of a guest do by way of their host under the same names, unless they have a runtime of their own.
IN_GUESTS = frozenset(
    {
        "cancel",
        "dump",
        "feed",
        "get",
        "get_actor",
        "interrupt",
        "kill",
        "monitor",
        "open_scope",
        "put",
        "statistics",
        "wait",
        "wait_ready",
    }
)

here = os.path.dirname(__file__)
if not os.path.isdir(os.path.join(here, "actors")):
    # A checkout on a system without symbolic links: the rooms are one floor up.
    __path__.append(os.path.dirname(here))


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(HOME)
    module = HOME.get(name)
    if module is None:
        raise AttributeError(f"understudy has no {name!r}; the front door has {', '.join(sorted(HOME))}")
    if "understudy_guest" in sys.modules:
        if name in IN_GUESTS:
            return Either(module, name)
        if name in ON_THE_LOOP:
            return Later(module, name)
    value = getattr(import_module(f".{module}", __name__), "ActorHandle" if name == "Handle" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(HOME)


class Later:
    """A function or class of the event loop, in a guest that has imported its name but may never call it."""

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __getitem__(self, item: Any) -> Later:
        return self  # in an annotation

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(f".{self.module}", __name__), self.name)(*args, **kwargs)


class Either(Later):
    """In a guest, a verb: for what belongs to its host, by way of that; for what belongs to a runtime of its own, there."""

    def __init__(self, module: str, name: str, far: str = "") -> None:
        super().__init__(module, name)
        self.far = far or name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        own = import_module(".actors.sides", __name__).has_runtime(*args)
        module, name = (self.module, self.name) if own else ("actors.guest_verbs", self.far)
        return getattr(import_module(f".{module}", __name__), name)(*args, **kwargs)


def read_environment() -> None:
    """Done when this is imported, and again in a guest that has found it imported by its zygote."""
    if os.environ.get("UNDERSTUDY_LOG"):
        from .log import apply

        apply()


read_environment()
