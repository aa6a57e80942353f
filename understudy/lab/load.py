"""Calls that come to a modelled actor, and its mailbox: they wait their turn, and for its restarts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from ..actors import lifecycle
from ..actors.deadletter import POISON, DeadLetter
from ..actors.errors import ActorDiedError, ActorUnavailableError, CallError, GetTimeoutError
from ..actors.events import (
    CallRetried,
    Event,
    MessageBegun,
    MessageBuried,
    MessageEnded,
    MessageFailed,
    MessageQueued,
)
from ..actors.reasons import ExitReason
from .distributions import NANO, SHARE, WHEN, Distribution, check, distribution
from .draws import draws
from .events import FaultStruck
from .schedules import refuse_standstill

if TYPE_CHECKING:
    from .actor import SimulatedActor

METHOD = "call"


@dataclass(frozen=True, slots=True)
class Load:
    """Calls from outside, `between` seconds apart, each of which takes `service` seconds, one at a time.

    Such a share is `lost` on its way: the caller hears nothing and gives up after the actor's `call_timeout`.
    Such a share is `poison`: it ends the actor that has served it.  How often a call is tried again is the
    actor's `max_task_retries`.

    Raises:
        ValueError: for a field that cannot be.
    """

    between: Distribution | float
    service: Distribution | float = 0.0
    lost: float = 0.0
    poison: float = 0.0

    def __post_init__(self) -> None:
        check(self, {"between": WHEN, "service": WHEN, "lost": SHARE, "poison": SHARE})
        refuse_standstill(self, self.between)


class SimulatedCall:
    """A call record, as far as a simulation needs it."""

    __slots__ = ("attempt", "deaths", "ended", "id", "is_poison")

    def __init__(self, id: int, is_poison: bool) -> None:
        self.id = id
        self.is_poison = is_poison
        self.attempt = 1
        self.deaths: list[ExitReason] = []
        self.ended = False


class SimulatedMailbox:
    """What a Mailbox is in a runtime; what a death does to a call is decided by the same rulebook."""

    def __init__(self, actor: SimulatedActor, load: Load) -> None:
        options = actor.spec.options
        self.actor = actor
        self.world = actor.world
        self.load = load
        self.between = distribution(load.between)
        self.service = distribution(load.service)
        self.retries = options.max_task_retries
        self.patience = None if options.call_timeout is None else round(options.call_timeout * NANO)
        self.arrivals = self.stream("arrivals")
        self.services = self.stream("services")
        self.losses = self.stream("losses")
        self.queue: deque[SimulatedCall] = deque()
        self.running: SimulatedCall | None = None
        self.closed: ExitReason | None = None
        self.expect()

    def stream(self, purpose: str) -> Random:
        return draws(self.world.seed, self.actor.path, purpose)

    # -- calls come -----------------------------------------------------------------------------

    def expect(self) -> None:
        self.world.at(self.world.now + self.between.draw(self.arrivals), self.arrive, None)

    def arrive(self, _: object) -> None:
        self.expect()
        world, chance = self.world, self.losses.random()
        world.calls += 1
        call = SimulatedCall(world.calls, self.load.lost <= chance < self.load.lost + self.load.poison)
        self.tell(MessageQueued, call)
        if self.closed is not None:
            self.fail(call, self.dead(self.closed, lifecycle.NEVER_SENT))
            return
        if self.patience is not None:
            world.at(world.now + self.patience, self.expire, call)
        if chance >= self.load.lost:
            self.queue.append(call)
            self.pump()

    # -- calls run ------------------------------------------------------------------------------

    def pump(self) -> None:
        """Begin the next call, if the actor is free."""
        actor = self.actor
        if self.running is not None or not actor.is_up:
            return
        while self.queue:
            call = self.queue.popleft()
            if not call.ended:
                self.running = call
                self.tell(MessageBegun, call)
                takes = round(self.service.draw(self.services) * actor.slowness)
                self.world.at(self.world.now + takes, self.served, (call, call.attempt, actor.turn))
                return

    def served(self, served: tuple[SimulatedCall, int, int]) -> None:
        call, attempt, turn = served
        actor = self.actor
        if self.running is not call or call.attempt != attempt or actor.turn != turn or not actor.is_up:
            return
        if call.is_poison:
            self.tell_plain(FaultStruck, "poison")
            actor.crash(0)
            return
        self.running, call.ended = None, True
        self.tell(MessageEnded, call)
        self.pump()

    def expire(self, call: SimulatedCall) -> None:
        """Its caller has waited long enough; if it runs, it is interrupted."""
        if call.ended:
            return
        fate = lifecycle.BEGUN if call is self.running else lifecycle.NEVER_SENT
        self.fail(call, GetTimeoutError("no reply in time", fate, call.id, METHOD))
        if call is self.running:
            self.running = None
            self.pump()

    # -- the actor ends -------------------------------------------------------------------------

    def fell(self, reason: ExitReason) -> None:
        """An incarnation has ended: the call that it ran is tried again, failed, or buried."""
        call, self.running = self.running, None
        if call is None or call.ended:
            return
        if not reason.ordered:
            call.deaths.append(reason)
        verdict = lifecycle.after_death(lifecycle.BEGUN, self.retries, len(call.deaths), reason.ordered)
        if verdict is lifecycle.RETRY and self.closed is not None:
            self.fail(call, self.dead(self.closed, lifecycle.BEGUN))
            return
        if verdict is lifecycle.RETRY:
            call.attempt += 1
            self.tell_plain(CallRetried, call.id, call.attempt, 0)
            self.queue.appendleft(call)
            return
        self.fail(call, ActorUnavailableError("died with it", reason, lifecycle.BEGUN, call.id, METHOD))
        if verdict is lifecycle.POISON:
            letter = DeadLetter(call.id, self.actor.path, METHOD, (), {}, POISON, tuple(call.deaths))
            self.tell_plain(MessageBuried, letter)

    def close(self, reason: ExitReason) -> None:
        """No incarnation will come by itself: what waits is told."""
        self.closed = reason
        waiting, self.queue = self.queue, deque[SimulatedCall]()
        for call in waiting:
            if not call.ended:
                fate = lifecycle.NEVER_SENT if call.attempt == 1 else lifecycle.BEGUN
                self.fail(call, self.dead(reason, fate))

    def dead(self, reason: ExitReason, fate: str) -> CallError:
        return ActorDiedError("is dead", reason, fate, self.world.calls, METHOD)

    # -- what others see ------------------------------------------------------------------------

    def waiting(self) -> int:
        """Calls in the queue, whose callers still wait."""
        return sum(not call.ended for call in self.queue)

    def fail(self, call: SimulatedCall, error: CallError) -> None:
        call.ended = True
        self.tell(MessageFailed, call, error)

    def tell(self, kind: type[Event], call: SimulatedCall, *details: Any) -> None:
        self.tell_plain(kind, call.id, METHOD, 0, *details)

    def tell_plain(self, kind: Any, *details: Any) -> None:
        self.world.emit(kind(self.world.now, self.actor.path, self.actor.number, *details))
