"""Whatever happens in whatever order: never two incarnations alive, stops in reverse, no exit lost, intensity kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from understudy.actors.backoff import Backoff
from understudy.supervisors.child import DELAYED, DUE, LIVE, PARKED, RESTARTING, RUNNING, STARTING, WAITING
from understudy.supervisors.core import Core
from understudy.supervisors.rules import SECOND, ChildRules, Flags
from understudy.supervisors.steps import (
    Added,
    AllStarted,
    Begin,
    Delay,
    Delete,
    Effect,
    Ended,
    Event,
    Over,
    Park,
    Rest,
    Restart,
    Retire,
    Shutdown,
    Start,
    Started,
    Stop,
    Terminate,
    Wake,
)
from understudy.supervisors.strategies.escalating import Escalating
from understudy.supervisors.strategies.one_for_all import OneForAll
from understudy.supervisors.strategies.one_for_one import OneForOne
from understudy.supervisors.strategies.rejuvenating import Rejuvenating
from understudy.supervisors.strategies.rest_for_one import RestForOne
from understudy.supervisors.strategies.strategy import Sample, Sampled, Woke


@dataclass(frozen=True)
class Why:
    abnormal: bool
    uprooted: bool = False
    recycled: bool = False
    interrupted: bool = False


STRATEGIES: list[Any] = [
    OneForOne(),
    OneForAll(),
    RestForOne(),
    Escalating(within=3.0),
    Rejuvenating(max_age=2.0, quiet=False),
    Rejuvenating(max_age=2.0, then=RestForOne()),
]
RULES = st.builds(
    ChildRules,
    restart=st.sampled_from(("permanent", "transient", "temporary")),
    max_restarts=st.sampled_from((None, None, None, -1, 0, 1)),
    significant=st.booleans(),
    backoff=st.sampled_from((None, None, Backoff(min=0.5, max=2.0))),
)
FLAGS = st.builds(
    Flags,
    intensity=st.integers(1, 4),
    within=st.just(5 * SECOND),
    strategy=st.sampled_from(STRATEGIES),
    auto_shutdown=st.sampled_from(("never", "never", "any_significant", "all_significant")),
    when_exhausted=st.sampled_from(("escalate", "throttle", "park")),
)
DYNAMIC = st.builds(
    Flags,
    intensity=st.integers(0, 3),
    within=st.just(5 * SECOND),
    dynamic=st.just(True),
    per_child=st.booleans(),
)


class AnyOrder(RuleBasedStateMachine):
    """Feeds what can happen, in any order, and keeps an eye on what comes out."""

    core: Core

    @initialize(flags=FLAGS | DYNAMIC, rules=st.lists(RULES, max_size=5))
    def begin(self, flags: Flags, rules: list[ChildRules]) -> None:
        self.now = 0
        self.core = Core(flags)
        self.alive: dict[str, bool] = {}  # id to whether it is ready
        self.asked: set[str] = set()  # to stop
        self.alarm: int | None = None
        self.restarts: deque[int] = deque()
        self.over = False
        self.number = 0
        self.plan = [(self.next_id(), rule) for rule in rules]
        if flags.dynamic:
            self.feed(Begin())
        for id, kind in self.plan:
            self.feed(Added(id, kind))
        if not flags.dynamic:
            self.feed(Begin())

    def next_id(self) -> str:
        self.number += 1
        return f"c{self.number}"

    def feed(self, event: Event) -> None:
        for effect in self.core.feed(event, self.now):
            self.carry_out(effect)

    def carry_out(self, effect: Effect) -> None:
        assert not self.over, "nothing follows Over"
        if isinstance(effect, Start):
            assert effect.id not in self.alive, "never two incarnations of one child"
            assert not self.core.ending, "nothing starts while it ends"
            self.alive[effect.id] = False
            if effect.restart:
                self.count_restart()
        elif isinstance(effect, Stop):
            assert effect.id in self.alive, "only the living are stopped"
            assert effect.id not in self.asked, "each is asked once"
            self.asked.add(effect.id)
        elif isinstance(effect, Rest | Retire | Delay | Park):
            assert effect.id not in self.alive, "only the dead are laid to rest"
            if isinstance(effect, Delay):
                assert effect.until >= self.now
        elif isinstance(effect, Wake):
            self.alarm = effect.at
        elif isinstance(effect, AllStarted):
            assert not any(child.state == WAITING for child in self.core.children.values())
        elif isinstance(effect, Over):
            assert not self.alive, "no child runs when it is over"
            assert self.alarm is None, "nobody wakes the dead"
            self.over = True

    def count_restart(self) -> None:
        """One for one, each restart is one attempt."""
        flags = self.core.flags
        if flags.dynamic or flags.strategy != OneForOne() or self.forgiving():
            return
        self.restarts.append(self.now)
        recent = [at for at in self.restarts if at >= self.now - flags.within]
        assert len(recent) <= flags.intensity, "more restarts than are allowed"

    def forgiving(self) -> bool:
        """Are there children whose restarts do not count, or are counted when they are decided?"""
        kinds = [child.rules for child in self.core.children.values()]
        return any(kind.max_restarts is not None or kind.backoff is not None for kind in kinds)

    def pick(self, data: st.DataObject, ids: Any) -> str:
        id: str = data.draw(st.sampled_from(sorted(ids)))
        return id

    # -- what children do -----------------------------------------------------------------------

    @precondition(lambda self: any(not ready for ready in self.alive.values()))
    @rule(data=st.data())
    def becomes_ready(self, data: st.DataObject) -> None:
        id = self.pick(data, [id for id, ready in self.alive.items() if not ready])
        self.alive[id] = True
        self.feed(Started(id))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), abnormal=st.booleans())
    def ends(self, data: st.DataObject, abnormal: bool) -> None:
        id = self.pick(data, self.alive)
        self.asked.discard(id)
        self.feed(Ended(id, Why(abnormal), self.alive.pop(id)))

    @precondition(lambda self: any(not ready for ready in self.alive.values()))
    @rule(data=st.data())
    def declines(self, data: st.DataObject) -> None:
        id = self.pick(data, [id for id, ready in self.alive.items() if not ready])
        self.asked.discard(id)
        self.feed(Ended(id, Why(False), self.alive.pop(id), declined=True))

    # -- what people do -------------------------------------------------------------------------

    @precondition(lambda self: self.core.children and not self.over)
    @rule(data=st.data(), keep=st.booleans())
    def is_terminated(self, data: st.DataObject, keep: bool) -> None:
        self.feed(Terminate(self.pick(data, self.core.children), keep))

    @precondition(lambda self: self.core.children and not self.over and not self.core.flags.dynamic)
    @rule(data=st.data())
    def is_restarted(self, data: st.DataObject) -> None:
        self.restarts.clear()  # by hand does not count, and what was parked begins anew
        self.feed(Restart(self.pick(data, self.core.children)))

    @precondition(lambda self: self.core.children and not self.over)
    @rule(data=st.data())
    def is_deleted(self, data: st.DataObject) -> None:
        self.feed(Delete(self.pick(data, self.core.children)))

    @precondition(lambda self: not self.over and not self.core.ending)
    @rule(rules=RULES)
    def is_added(self, rules: ChildRules) -> None:
        self.feed(Added(self.next_id(), rules))

    @precondition(lambda self: not self.over)
    @rule(returns=st.booleans())
    def shuts_down(self, returns: bool) -> None:
        self.feed(Shutdown(returns))

    @precondition(lambda self: self.over and not self.core.flags.dynamic)
    @rule()
    def begins_again(self) -> None:
        self.over = False
        self.restarts.clear()
        kept = self.core.children
        for id, rules in self.plan:
            if id not in kept:
                self.feed(Added(id, rules))
        self.feed(Begin(tuple(id for id, _ in self.plan)))

    # -- time -----------------------------------------------------------------------------------

    @precondition(lambda self: self.alarm is not None)
    @rule()
    def the_alarm_rings(self) -> None:
        assert self.alarm is not None
        self.now, self.alarm = max(self.now, self.alarm), None
        self.feed(Woke())

    @rule(seconds=st.floats(0, 10))
    def time_passes(self, seconds: float) -> None:
        later = self.now + round(seconds * SECOND)
        self.now = later if self.alarm is None else min(later, self.alarm)

    @precondition(lambda self: not self.over)
    @rule(quiet=st.booleans())
    def all_are_looked_at(self, quiet: bool) -> None:
        self.feed(Sampled({id: Sample(waiting=0 if quiet else 1) for id in self.core.children}))

    # -- what is always so ----------------------------------------------------------------------

    @invariant()
    def the_core_knows_who_lives(self) -> None:
        if not hasattr(self, "core"):
            return
        core = self.core
        states = {child.id: child.state for child in core.children.values()}
        assert {id for id, state in states.items() if state in LIVE} == set(self.alive)
        assert core.live == len(self.alive)
        assert {id for id, state in states.items() if state in ("stopping", "leaving")} == self.asked
        for id, ready in self.alive.items():
            assert states[id] not in (STARTING, RESTARTING) or not ready
            assert states[id] != RUNNING or ready
        assert set(core.doomed) <= set(self.alive)
        if self.over:
            assert all(state == WAITING for state in states.values())

    @invariant()
    def nobody_is_forgotten(self) -> None:
        """Whoever is to be started has his turn, or will have; whoever has the turn will answer."""
        if not hasattr(self, "core") or self.over:
            return
        core = self.core
        if core.turn is not None:
            assert core.turn.id in self.alive
        else:
            assert not core.starts or core.ending
            assert not core.stops
        if core.ending:
            assert self.alive
            return
        queued = {child.id for child in core.starts}
        for child in core.children.values():
            if child.state in DUE and core.begun:
                assert child.id in queued or child.id in core.held
            if child.state in (DELAYED, PARKED):
                assert child.id in core.held
            if child.state == DELAYED:
                assert self.alarm is not None

    @invariant()
    def stops_are_the_reverse_of_starts(self) -> None:
        if not hasattr(self, "core") or self.over or self.core.flags.dynamic:
            return
        core = self.core
        asked = [child.place for child in core.children.values() if child.state == "stopping"]
        waits = [child.place for child in core.stops if child.state in LIVE and child.state != "leaving"]
        turn = core.turn
        if core.ending and waits and turn is not None and turn.state == "stopping":
            assert turn.place > max(waits) or turn.place in asked

    def teardown(self) -> None:
        """Whatever happened, a shutdown and the ends of all bring it to its one Over."""
        if not hasattr(self, "core"):
            return
        if not self.over:
            self.feed(Shutdown())
        for _ in range(100):
            if self.over:
                break
            id = min(self.asked)
            self.asked.discard(id)
            self.feed(Ended(id, Why(False), self.alive.pop(id)))
        assert self.over


AnyOrder.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestAnyOrder = AnyOrder.TestCase
