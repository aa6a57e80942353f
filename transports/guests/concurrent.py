"""What all loops that run several calls at once share: groups with limits, the order of beginning, cancellation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from . import protocol as p
from .backstage import ActorTimer
from .context import Running
from .guest import Guest, Settings
from .hooks import no_nursery

Message = list[Any]

SKIPPED: Message = []  # stands for a call that was cancelled before it began, so that its turn is counted
UNLIMITED = 1 << 60
TIDYING = 0.5  # seconds between two interrupts of what still runs; meanwhile it may tidy up
CALLS = frozenset({p.CALL, p.CAST, p.STREAM})


class Group:
    """Calls that share a limit; they begin in the order they came."""

    __slots__ = ("index", "limit", "running", "waiting")

    def __init__(self, index: int, limit: int) -> None:
        self.index = index
        self.limit = limit
        self.running = 0
        self.waiting: deque[Message] = deque()


class Concurrent:
    """Begins calls as far as their groups allow.  A loop says how one is begun and how one is interrupted."""

    def __init__(self, guest: Guest, settings: Settings) -> None:
        self.guest = guest
        self.settings = settings
        self.wire = guest.wire
        self.page = guest.page
        limits: list[list[Any]] = settings["groups"]
        self.groups = {name: Group(index, limit) for index, (name, limit) in enumerate(limits)}
        self.back = Group(p.REENTRANT, UNLIMITED)
        self.group_of: dict[str, Group] = {
            name: self.groups[group] for name, group in settings["group_of"].items()
        }
        self.running: dict[int, Any] = {}  # what runs, by id, as the loop knows it
        self.held: list[Message] | None = None  # what has come since something is to be repaired first
        self.awaited: frozenset[str] = frozenset(settings["awaited"])
        self.handlers = {
            p.CALL: self.on_call, p.CAST: self.on_call, p.STREAM: self.on_call,
            p.CREDIT: self.on_credit, p.CANCEL: self.on_cancel, p.STOP: self.on_stop, p.BACK: self.on_back,
        }  # fmt: skip
        guest.handlers.update(self.handlers)

    # -- what the host says ---------------------------------------------------------------------

    def on_call(self, message: Message) -> None:
        group = self.group_of.get(message[2]) or self.groups[""]
        if len(message) > 5 and message[5] and message[5].get("reentrant"):
            self.start(self.back, message)
        elif group.running < group.limit:
            self.start(group, message)
        else:
            group.waiting.append(message)

    def start(self, group: Group, message: Message) -> None:
        group.running += 1
        self.count(group)
        self.begin(group, message)

    def count(self, group: Group) -> None:
        """The host counts on calls of a group beginning in order."""
        if self.page is not None:
            self.page[p.GROUPS + group.index] += 1

    def finished(self, group: Group, id: int, reply: Any) -> None:
        """A call has ended: send its reply, and begin the next of its group."""
        self.ended(group, id, reply)
        if group.waiting:
            self.go_on(group)

    def go_on(self, group: Group) -> None:
        """Begin what waits, as far as the limit goes."""
        while group.waiting and group.running < group.limit and not self.guest.ending and self.held is None:
            message = group.waiting.popleft()
            if message is SKIPPED:
                self.count(group)
            else:
                self.start(group, message)

    def ended(self, group: Group, id: int, reply: Any) -> None:
        self.running.pop(id, None)
        group.running -= 1
        if not self.guest.ending:  # nothing may follow the guest's last word
            self.wire.out.append(reply)

    def on_cancel(self, message: Message) -> None:
        id = message[1]
        if id in self.running:
            self.interrupt(id)
            return
        for group in self.groups.values():
            for at, waiting in enumerate(group.waiting):
                if waiting is not SKIPPED and waiting[1] == id:
                    group.waiting[at] = SKIPPED
                    self.wire.out.append(self.guest.values.encode((p.SKIPPED, id)))
                    return

    def on_back(self, message: Message) -> None:
        """Begin a call that waits for who waits for it, though its turn has not come."""
        for group in self.groups.values():
            for at, waiting in enumerate(group.waiting):
                if waiting is not SKIPPED and waiting[1] == message[1]:
                    group.waiting[at] = SKIPPED
                    return self.start(self.back, waiting)
        self.count(self.back)  # it has begun or ended meanwhile, and the host counts it there
        return None

    # -- a pause for repairs --------------------------------------------------------------------

    def hold(self) -> None:
        """From now on nothing begins; what runs goes on."""
        if self.held is None:
            self.held = []
            self.guest.handlers.update(
                dict.fromkeys((p.CALL, p.CAST, p.STREAM, p.STOP, p.BACK), self.held.append)
            )
            self.guest.handlers[p.CANCEL] = self.on_cancel_held

    def on_cancel_held(self, message: Message) -> None:
        held = self.held
        assert held is not None
        if any(one[0] in CALLS and one[1] == message[1] for one in held):
            held.append(message)
        else:
            self.on_cancel(message)

    def release(self) -> None:
        """Go on; raises Leave if a STOP was held."""
        held, self.held = self.held or [], None
        self.guest.handlers.update(self.handlers)
        if self.guest.ending:
            return
        for group in self.groups.values():
            self.go_on(group)
        for message in held:
            self.handlers[message[0]](message)

    def on_credit(self, message: Message) -> None:
        raise NotImplementedError

    def on_stop(self, message: Message) -> None:
        self.guest.on_stop(message)

    def asker_of(self, message: Message) -> Any:
        """How the method of this call reaches the host."""
        raise NotImplementedError

    # -- what a loop does -----------------------------------------------------------------------

    def begin(self, group: Group, message: Message) -> None:
        raise NotImplementedError

    def interrupt(self, id: int) -> None:
        raise NotImplementedError

    # -- for loops ------------------------------------------------------------------------------

    def role_of(self, message: Message) -> Running:
        """Who runs in the task or thread of this call."""
        here = self.beside()
        here.call = (message[1], message[2], message[5] if len(message) > 5 else None)
        here.asker = self.asker_of(message)
        return here

    def beside(self) -> Running:
        """Who runs beside the calls: a hook, a timer."""
        here = Running()
        here.actor = self.guest.actor
        here.backstage = self
        here.details = self.guest.running.details
        return here

    @property
    def actor(self) -> Any:
        return self.guest.actor

    @property
    def nursery(self) -> Any:
        raise no_nursery(self.guest)

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        """Have a function run later, beside the calls."""
        raise NotImplementedError
