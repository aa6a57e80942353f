"""The rulebook of supervision, sans I/O: `feed(event, now)` returns effects, and nothing here has a clock or a task.

A child's end is looked up in RESTARTS; the strategy says who is stopped and started for it; every attempt counts
toward an intensity within a window; EXHAUSTED says what follows when that runs out.  Who has the turn is
kept in `rounds.py`; a restart that touches nobody else needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import orders
from .alarms import Group
from .child import (
    DELAYED,
    DOWN,
    LEAVING,
    LIVE,
    PARKED,
    RUNNING,
    STARTING,
    STOPPING,
    WAITING,
    Child,
)
from .rounds import ASKED, Round
from .rules import (
    EXHAUSTED,
    FLAW,
    INTENSITY,
    PARK,
    RESTART,
    RESTARTS,
    SIGNIFICANT,
    START,
    STRATEGY,
    WAIT,
    Flags,
    postpone,
    shuts_down,
    spend,
)
from .steps import (
    Added,
    Begin,
    Cause,
    Delay,
    Delete,
    Effect,
    Ended,
    Event,
    Park,
    Restart,
    Revised,
    Shutdown,
    Started,
    Terminate,
)
from .strategies.strategy import (
    Decision,
    Exited,
    Sampled,
    StartFailed,
    StrategyError,
    StrategyEvent,
    View,
    Woke,
    checked,
)

BACKOFF, RETRY = "backoff", "retry"  # why a child is delayed, beside the intensity
SLACK = 1_000  # nanoseconds that a clock of floats may come early


class Core(Round):
    """One supervisor's decisions.  Feed it events in the order they happen; carry out the effects in order."""

    __slots__ = ("begun", "by_hand", "failures")

    def __init__(self, flags: Flags) -> None:
        super().__init__(flags)
        self.failures: list[int] = []  # times of restarts within the window
        self.begun = False
        self.by_hand: dict[str, bool] = {}  # started by somebody who is told: is the spec kept if that fails?

    def feed(self, event: Event, now: int) -> list[Effect]:
        """Take an event at `now` (nanoseconds); returns what to do, in order."""
        out: list[Effect] = []
        self.out = out
        HANDLERS[type(event)](self, event, now)
        if self.alarms is not None and not self.is_over:
            self.arm(self.alarms)
        return out

    # -- starting -------------------------------------------------------------------------------

    def on_begin(self, event: Begin, now: int) -> None:
        self.begun = self.starting = True
        self.ending, self.is_over, self.cause = False, False, None
        self.failures.clear()
        if not self.flags.dynamic:
            self.put_in_order(event.order or tuple(self.children))
            self.starts.extend(self.children.values())
        if event.failed is not None:
            self.end(event.failed)
        else:
            self.go_on()

    def put_in_order(self, order: tuple[str, ...]) -> None:
        """These were planned; what there is beside them was added, and comes after them."""
        self.children = {id: self.children[id] for id in order} | self.children
        self.planned = len(order)
        for place, child in enumerate(self.children.values()):
            child.place = place

    def on_added(self, event: Added, now: int) -> None:
        child = self.children[event.id] = Child(event.id, event.rules, self.next_place())
        if self.flags.dynamic:
            if not self.ending:
                self.start(child)
        elif not self.begun:
            self.planned += 1
        elif not self.ending:
            self.by_hand[child.id] = False
            self.start_by_hand(child)

    def next_place(self) -> int:
        if self.flags.dynamic or not self.children:
            return 0
        return next(reversed(self.children.values())).place + 1

    def start_by_hand(self, child: Child) -> None:
        """At once, unless others have their turn now."""
        child.state = WAITING
        if self.turn is not None or self.starts:
            self.append(child)
        else:
            self.start(child)

    def on_started(self, event: Started, now: int) -> None:
        child = self.children[event.id]
        if child.state in ASKED:
            return
        child.state = RUNNING
        if not self.flags.per_child or child.rules.backoff is not None:
            child.since = now
        if self.by_hand:
            self.by_hand.pop(child.id, None)
        if child is self.turn:
            self.turn = None
            self.go_on()

    # -- an end ---------------------------------------------------------------------------------

    def on_ended(self, event: Ended, now: int) -> None:
        child = self.children[event.id]
        before, child.state = child.state, DOWN
        self.live -= 1
        had_turn = child is self.turn
        if had_turn:
            self.turn = None
        if before == LEAVING:
            self.retire(child, event.reason)
        elif self.ending:
            child.state = before
            self.lay_down(child, event.reason)
        elif child.id in self.doomed:
            self.swept(child, event.reason)
        elif before == STOPPING:
            self.leave(child, event.reason)
        else:
            self.fell_by_itself(child, before, event, now)
        if had_turn and not self.ending and child.state in LIVE:
            self.turn = self.turn or child
        if had_turn or self.ending:
            self.go_on()

    def fell_by_itself(self, child: Child, before: str, event: Ended, now: int) -> None:
        """Nobody stopped it."""
        if event.declined:
            self.by_hand.pop(child.id, None)
            self.leave(child, event.reason)
        elif event.reason.recycled:
            self.start(child, again=True)
        elif before == STARTING:
            self.first_start_failed(child, event.reason)
        elif RESTARTS[child.rules.restart, event.reason.abnormal or not event.started] == RESTART:
            self.fell(child, event, now)
        else:
            self.leave(child, event.reason)
            self.consider_shutdown(child, event.reason)

    def first_start_failed(self, child: Child, reason: Any) -> None:
        """Nothing is retried at a first start: the starter is told, and a tree is rolled back."""
        kept = self.by_hand.pop(child.id, None)
        if kept:
            self.rest(child, reason)
        elif kept is False or self.flags.dynamic:
            self.retire(child, reason)
        else:
            self.rest(child, None)
            self.end(Cause(START, child.id, reason))

    def swept(self, child: Child, reason: Any) -> None:
        """A bystander of a sibling's restart has ended; a temporary one is forgotten."""
        back = self.doomed.pop(child.id)
        if child.rules.restart == "temporary":
            self.release(child, reason)
            self.retire(child, reason)
        elif back is None:
            self.rest(child, reason)
        else:
            child.state = back

    def consider_shutdown(self, child: Child, reason: Any) -> None:
        """A child has ended, and no restart follows."""
        if child.rules.significant and shuts_down(self.flags.auto_shutdown, bool(self.significant)):
            self.end(Cause(SIGNIFICANT, child.id, reason))

    # -- a restart ------------------------------------------------------------------------------

    def fell(self, child: Child, event: Ended, now: int) -> None:
        """Start it again if its limits allow; every attempt counts, but after an interrupt or the keeper's death."""
        reason = event.reason
        if reason.uprooted:  # one cause would be counted once for each child
            self.start(child, again=True)
            return
        counts = not reason.interrupted
        record = child.fall(now, counts)
        limit = child.rules.max_restarts
        if limit == 0 or (limit is not None and 0 < limit < record.restarts):
            self.retire(child, reason, gave_up=True)
            self.consider_shutdown(child, reason)
        elif not self.flags.per_child:
            self.ask(child, event, now)
        elif limit is None and counts and not spend(record.window, now, self.flags):
            self.retire(child, reason, gave_up=True)
        elif event.started and (child.rules.backoff is None or not counts):
            self.start(child, again=True)
        else:
            self.restart(child, Decision(start=(child.id,)), event, now, now)

    def ask(self, child: Child, event: Ended, now: int) -> None:
        """Let the strategy decide, within the intensity."""
        kind = Exited if event.started else StartFailed
        decision = self.consult(kind(child.id, event.reason), child, now)
        if decision is None:
            return
        if decision.give_up:
            self.exhausted(STRATEGY, child, decision, event, now)
        elif not decision.start:
            self.rest(child, event.reason)
            self.carry_out(decision)
        elif child.rules.max_restarts is None and not (
            event.reason.interrupted or spend(self.failures, now, self.flags)
        ):
            self.exhausted(INTENSITY, child, decision, event, now)
        else:
            self.restart(child, decision, event, now, now)

    def exhausted(self, what: str, child: Child, decision: Decision, event: Ended, now: int) -> None:
        """Restarts have run out: go up, wait, or leave it to a person."""
        follows = EXHAUSTED[self.flags.when_exhausted, what]
        if follows == WAIT:
            self.restart(child, decision, event, now, postpone(self.failures, self.flags))
        elif follows == PARK:
            group = self.group(child, PARKED, decision)
            self.out.append(Park(child.id, event.reason))
            self.carry_out(decision, group)
        else:
            self.rest(child, None)
            self.end(Cause(what, child.id, event.reason))

    def restart(self, child: Child, decision: Decision, event: Ended, now: int, at: int) -> None:
        """Carry a decision out: now, or when the child's backoff and the intensity allow.

        After a start that failed it is a retry: what has happened meanwhile comes first.
        """
        backs_off = child.rules.backoff is not None and not event.reason.interrupted
        until = now + child.backoff(event.started, now) if backs_off else now
        why = BACKOFF if until > at else INTENSITY if at > now else RETRY
        until = max(at, until)
        if until > now or not event.started:
            group = self.group(child, DELAYED, decision)
            self.wakes.add(until, group)
            self.out.append(Delay(child.id, until, why))
            self.carry_out(decision, group)
        elif not decision.stop and decision.start == (child.id,):
            self.start(child, again=True)
        else:
            if child.id not in decision.start:
                self.rest(child, event.reason)
            self.carry_out(decision)

    def group(self, child: Child, state: str, decision: Decision) -> Group:
        """Those who wait together with a child that fell."""
        group = self.held[child.id] = Group(
            child.id, tuple({child.id: None, **dict.fromkeys(decision.start)})
        )
        child.state = state
        return group

    # -- the strategy ---------------------------------------------------------------------------

    def consult(self, event: StrategyEvent, child: Child | None, now: int) -> Decision | None:
        """What the strategy decides; None if that cannot be, which ends the supervisor."""
        children = self.children
        try:
            decision = checked(self.flags.strategy.decide(event, View(children, now), now), children, now)
        except Exception as error:
            self.flawed(child, error)
            return None
        if decision.wake_at is not None:
            self.wakes.prompt = decision.wake_at
        return decision

    def flawed(self, child: Child | None, error: Exception) -> None:
        flaw = error
        if not isinstance(error, StrategyError):
            flaw = StrategyError(f"decide() raised {type(error).__name__}: {error}")
            flaw.__cause__ = error
        if child is not None:
            self.rest(child, None)
        self.end(Cause(FLAW, None if child is None else child.id, flaw))

    def on_woke(self, event: Woke, now: int) -> None:
        if self.alarms is None or self.ending:
            return
        armed = self.alarms.armed
        if armed is not None and now < armed <= now + SLACK:
            now = armed
        self.alarms.armed = None
        for group in self.alarms.due(now):
            self.let_go(group)
        self.go_on()
        if self.alarms.prompts(now):
            self.prompt(event, now)

    def on_sampled(self, event: Sampled, now: int) -> None:
        if self.begun and not self.starting and not self.ending:
            self.prompt(event, now)

    def prompt(self, event: Woke | Sampled, now: int) -> None:
        """The strategy may act without an end; that does not count."""
        decision = self.consult(event, None, now)
        if decision is None:
            return
        if decision.give_up:
            self.end(Cause(STRATEGY))
        elif decision.stop or decision.start:
            self.carry_out(decision)


HANDLERS: dict[type, Callable[[Core, Any, int], None]] = {
    Begin: Core.on_begin,
    Added: Core.on_added,
    Started: Core.on_started,
    Ended: Core.on_ended,
    Terminate: orders.terminate,
    Restart: orders.restart,
    Delete: orders.delete,
    Revised: orders.revise,
    Shutdown: orders.shutdown,
    Woke: Core.on_woke,
    Sampled: Core.on_sampled,
}
