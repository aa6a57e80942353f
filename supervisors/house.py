"""What all actors of a runtime share: the stage, the names, the events, the dead letters, one nursery."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from ..actors import events, standby
from ..actors.anchor import Anchors
from ..actors.debugging import check_environment
from ..actors.life import Life
from ..actors.queues import rewatch
from ..actors.spawner import open_spawner
from ..transports.stage import Stage
from .abandoned import look
from .crash import CrashReport
from .events import EventStream, KeeperLost
from .groups import Groups, Keys
from .linked import Links
from .monitors import Monitors
from .registry import Registry
from .requests import REQUESTS
from .rules import SECOND

if TYPE_CHECKING:
    from ..actors.call import Call
    from ..actors.deadletter import DeadLetter
    from ..actors.handle import ActorHandle
    from ..actors.held import Held
    from ..actors.mailbox import Mailbox
    from ..actors.reasons import ExitReason
    from ..actors.spawner import Spawner
    from .steps import Event
    from .supervisor import Child, SupervisorNode

log = logging.getLogger("understudy.supervisors")

MOST_LETTERS = 10_000  # kept for a person or a program to look at; each is an event as well


class RuntimeHouse:
    """Actors know it as their house; it decides nothing."""

    def __init__(self, nursery: trio.Nursery) -> None:
        check_environment()
        self.nursery = nursery
        self.context = copy_context()
        self.stage = Stage()
        self.stage.keepers.on_lost = self.keeper_lost
        self.registry = Registry()
        self.nodes: dict[str, SupervisorNode] = {}  # the supervisors of the tree, by path
        self.monitors = Monitors()
        self.links = Links(self.monitors)
        self.groups = Groups()
        self.keys = Keys()
        self.directories = (self.groups.directory, self.keys.directory)
        self.fed: deque[tuple[SupervisorNode, Event]] = deque()  # events on their way to supervisors
        self.settling: deque[Held] = deque()  # calls whose refs have their outcome
        self.stream = EventStream(self.watch)
        self.watching = False
        self.taps: dict[Mailbox, list[Callable[[Any, Call], None]]] = {}
        self.anchors = Anchors()
        self.states: dict[str, Any] = {}  # what incarnations have left for the next, by path
        self.gone = trio.Event()  # its tasks have ended, and nothing can be waited for any more
        self.dead_letters: deque[DeadLetter] = deque(maxlen=MOST_LETTERS)
        self.on_over: Callable[[SupervisorNode, ExitReason], None] = lambda node, reason: None
        self.on_gone: Callable[[], None] = lambda: None
        self.on_changed: Callable[[], None] = lambda: None

    def admit(self, life: Life) -> None:
        """Give a new actor its name and its task; raises ActorAlreadyExistsError if the name is taken."""
        self.registry.enter(life)
        # In no context but the runtime's: an actor does not belong to whatever runs where it is started.
        self.context.run(partial(self.nursery.start_soon, life.run, name=life.path))

    def dismiss(self, child: Child) -> None:
        """Forget an actor that is dead for good."""
        if isinstance(child, Life):
            self.registry.leave(child)
            self.anchors.pop(child, None)
        else:
            self.nodes.pop(child.path, None)

    def now(self) -> int:
        """Nanoseconds, for those who decide."""
        return round(self.stage.now() * SECOND)

    def ended(self, life: Life, reason: ExitReason) -> None:
        """An incarnation has ended, or the one that was to come will not."""
        if self.stage.reserves:
            standby.release(life)
        monitors, links = self.monitors, self.links
        if monitors.watched or monitors.owned:
            monitors.ended(life, reason)
        if links.watches:
            links.ended(life)
        for directory in self.directories:
            if directory.lives:
                directory.ended(life)

    def request(self, life: Life, verb: str, /, *args: Any) -> Any:
        """Do what an actor in a guest asks of more than itself."""
        return REQUESTS[verb](self, life, *args)

    def emit(self, event: events.Event) -> None:
        self.stream.emit(event)

    def behind(self) -> bool:
        return self.stream.behind

    def tell(self, event: events.Event) -> None:
        """Something happened to a message; told to those who want to know."""
        self.stream.tell(event)

    def crashed(self, event: events.ActorCrashed) -> None:
        """An incarnation ended by a fault: one event, one report in the log."""
        self.emit(event)
        log.warning("%s", CrashReport(event))

    def watch(self, on: bool) -> None:
        """Begin, or cease, to tell what happens to messages."""
        self.watching = on
        for life in self.registry.paths.values():
            rewatch(life.mailbox)

    def bury(self, letter: DeadLetter) -> None:
        log.error(
            "call %d, %s() to %s, went to the dead letters: %s",
            letter.call_id,
            letter.method,
            letter.actor,
            letter.cause,
        )
        self.dead_letters.append(letter)

    def find(self, name: str, namespace: str = "", number: int = 0) -> ActorHandle:
        """The handle of an actor by name or path, or of the very one by its number.

        Raises:
            ActorNotFoundError: if none has the name.
            ActorDiedError: if the one with the number is dead.
        """
        return self.registry.numbered(number, name) if number else self.registry.find(name, namespace)

    def number_of(self, life: Life) -> int:
        """What tells an actor from all others that have its name before or after it."""
        return self.registry.number_of(life)

    def spawner(self) -> Spawner:
        """The runtime, for whoever is in none of its tasks."""
        return self.context.run(open_spawner)

    def look_after(self, function: Callable[[], Awaitable[None]]) -> None:
        """Run something in a task that belongs to nobody else; it must not raise."""
        self.nursery.start_soon(function)

    def unseen(self, call: Call) -> None:
        """Nobody awaited this failure: tell it as an event and in the log."""
        assert call.error is not None
        label, name = call.mailbox.label, call.method.name
        log.warning("call %d, %s() to %s, failed and nobody awaited it: %r", call.id, name, label, call.error)
        at = int(self.stage.now() * 1e9)
        self.emit(events.FailureUnseen(at, label, 0, call.id, name, call.error, call.parent))

    def abandoned(self, life: Life) -> None:
        """Nobody holds a handle of it any more."""
        look(self, life)

    def keeper_lost(self, label: str, pid: int, status: int, guests: int) -> None:
        self.emit(KeeperLost(self.now(), "", 0, label, pid, status, guests))

    def changed(self) -> None:
        self.on_changed()

    def over(self, node: SupervisorNode, reason: ExitReason) -> None:
        self.on_over(node, reason)
