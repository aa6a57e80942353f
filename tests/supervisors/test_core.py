"""The rulebook of supervision, without a clock, a task or an actor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from understudy.supervisors.core import (
    DOWN,
    FORGET,
    KEEP,
    LIVE,
    RESTART,
    RESTARTS,
    RUNNING,
    STARTING,
    STOPPING,
    WAITING,
    Added,
    AllStarted,
    Begin,
    ChildRules,
    Core,
    Effect,
    Ended,
    Event,
    Flags,
    Over,
    Rest,
    Retire,
    Shutdown,
    Start,
    Started,
    Stop,
    Terminate,
)


@dataclass(frozen=True)
class Why:
    abnormal: bool
    uprooted: bool = False


CRASH, LEFT = Why(True), Why(False)


def make(*ids: str, restart: str = "permanent", max_restarts: int | None = None, **flags: Any) -> Core:
    core = Core(Flags(**flags))
    for id in ids:
        core.feed(Added(id, ChildRules(restart, max_restarts)), 0)
    return core


def play(core: Core, *events: Event, now: float = 0.0) -> list[Effect]:
    """Feed events; returns the effects of the last."""
    effects: list[Effect] = []
    for event in events:
        effects = core.feed(event, now)
    return effects


def started(*ids: str, **how: Any) -> Core:
    core = make(*ids, **how)
    play(core, Begin(), *(Started(id) for id in ids))
    return core


# -- the first start ---------------------------------------------------------------------------------


def test_children_start_one_after_another_in_order() -> None:
    core = make("a", "b")

    assert play(core, Begin()) == [Start("a")]
    assert play(core, Started("a")) == [Start("b")]
    assert play(core, Started("b")) == [AllStarted()]


def test_a_supervisor_of_nothing_has_started_at_once() -> None:
    assert play(make(), Begin()) == [AllStarted()]


def test_a_failing_first_start_is_rolled_back_in_reverse() -> None:
    core = make("a", "b", "c", "d")
    play(core, Begin(), Started("a"), Started("b"))

    assert play(core, Ended("c", CRASH, False)) == [Rest("c"), Stop("b")]
    assert play(core, Ended("b", LEFT, True)) == [Rest("b"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over("c", CRASH, at_start=True)]


def test_the_first_child_that_fails_ends_it_at_once() -> None:
    assert play(make("a"), Begin(), Ended("a", CRASH, False)) == [Rest("a"), Over("a", CRASH, True)]


def test_an_earlier_child_that_is_restarted_meanwhile_does_not_hurry_the_others() -> None:
    core = make("a", "b", "c")
    play(core, Begin(), Started("a"))

    assert play(core, Ended("a", CRASH, True)) == [Start("a", restart=True)]
    assert play(core, Started("a")) == []
    assert play(core, Started("b")) == [Start("c")]
    assert play(core, Ended("a", CRASH, True), Started("a")) == []
    assert play(core, Started("c")) == [AllStarted()]


def test_a_child_killed_while_it_starts_does_not_stop_the_others_from_starting() -> None:
    core = make("a", "b", "c")
    play(core, Begin(), Started("a"))

    assert play(core, Terminate("b")) == [Stop("b")]
    assert play(core, Ended("b", LEFT, False)) == [Retire("b", LEFT), Start("c")]
    assert play(core, Started("c")) == [AllStarted()]


def test_a_child_killed_before_its_turn_is_left_out() -> None:
    core = make("a", "b", "c")
    play(core, Begin())

    assert play(core, Terminate("b")) == [Retire("b", None)]
    assert play(core, Started("a")) == [Start("c")]


def test_shutdown_while_starting_stops_what_had_started_and_starts_nothing_more() -> None:
    core = make("a", "b", "c")
    play(core, Begin(), Started("a"))

    assert play(core, Shutdown()) == [Stop("b")]
    assert play(core, Started("b")) == []
    assert play(core, Ended("b", LEFT, True)) == [Rest("b"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over(None, None)]


# -- ends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("restart", "abnormal", "verdict"),
    [
        ("permanent", False, RESTART),
        ("permanent", True, RESTART),
        ("transient", False, KEEP),
        ("transient", True, RESTART),
        ("temporary", False, FORGET),
        ("temporary", True, FORGET),
    ],
)
@pytest.mark.parametrize("dynamic", [False, True])
def test_every_cell_of_the_restarts(restart: str, abnormal: bool, verdict: str, dynamic: bool) -> None:
    core = make(restart=restart, dynamic=dynamic)
    play(core, Added("a", ChildRules(restart)), Begin(), Started("a"))
    effects = play(core, Ended("a", Why(abnormal), True))
    expected: dict[str, list[Effect]] = {
        RESTART: [Start("a", restart=True)],
        KEEP: [Retire("a", Why(abnormal))] if dynamic else [Rest("a", Why(abnormal))],
        FORGET: [Retire("a", Why(abnormal))],
    }

    assert RESTARTS[restart, abnormal] == verdict
    assert effects == expected[verdict]


def test_the_table_of_restarts_is_complete() -> None:
    assert set(RESTARTS) == set(product(("permanent", "transient", "temporary"), (False, True)))


@pytest.mark.parametrize("restart", ["permanent", "transient"])
def test_a_restart_that_does_not_start_is_abnormal_whatever_it_says(restart: str) -> None:
    core = started("a", restart=restart)
    play(core, Ended("a", CRASH, True))

    assert play(core, Ended("a", LEFT, False)) == [Start("a", restart=True)]


def test_a_transient_child_that_left_rests_and_is_stopped_no_more() -> None:
    core = started("a", "b", restart="transient")
    play(core, Ended("b", LEFT, True))

    assert core.children["b"].state == DOWN
    assert play(core, Shutdown()) == [Stop("a")]


def test_a_killed_child_is_retired_whatever_its_restart_type() -> None:
    core = started("a", "b")

    assert play(core, Terminate("a")) == [Stop("a")]
    assert play(core, Terminate("a")) == []
    assert play(core, Ended("a", CRASH, True)) == [Retire("a", CRASH)]
    assert "a" not in core.children
    assert play(core, Terminate("a")) == []


def test_a_resting_child_is_killed_without_a_stop() -> None:
    core = started("a", restart="transient")
    play(core, Ended("a", LEFT, True))

    assert play(core, Terminate("a")) == [Retire("a", None)]


# -- intensity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_restarts", [None, 0])
@pytest.mark.parametrize("dynamic", [False, True])
def test_what_dies_with_the_keeper_is_started_again_and_not_counted(
    dynamic: bool, max_restarts: int | None
) -> None:
    core = started("a", "b", intensity=0, max_restarts=max_restarts, dynamic=dynamic)

    for id in ("a", "b"):
        assert play(core, Ended(id, Why(True, uprooted=True), True)) == [Start(id, restart=True)]


def test_restarts_beyond_the_intensity_end_the_supervisor() -> None:
    core = started("a", "b", intensity=2, within=5.0)
    for n in range(2):
        assert play(core, Ended("b", CRASH, True), now=n) == [Start("b", restart=True)]
        play(core, Started("b"))

    assert play(core, Ended("b", CRASH, True), now=2) == [Rest("b"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over("b", CRASH)]


@pytest.mark.parametrize(("last", "survives"), [(5.0, False), (5.1, True)])
def test_a_restart_counts_until_the_window_has_passed(last: float, survives: bool) -> None:
    core = started("a", intensity=2, within=5.0)
    for at in (0.0, 1.0):
        play(core, Ended("a", CRASH, True), Started("a"), now=at)

    assert (play(core, Ended("a", CRASH, True), now=last) == [Start("a", restart=True)]) is survives


def test_all_children_of_a_tree_share_one_window() -> None:
    core = started("a", "b", "c", intensity=2)
    play(core, Ended("a", CRASH, True), Started("a"), Ended("b", CRASH, True), Started("b"))

    assert play(core, Ended("c", CRASH, True))[0] == Rest("c")


def test_intensity_0_forgives_nothing() -> None:
    assert play(started("a", intensity=0), Ended("a", CRASH, True)) == [Rest("a"), Over("a", CRASH)]


def test_failed_restarts_count_too() -> None:
    core = started("a", intensity=2)
    play(core, Ended("a", CRASH, True), Ended("a", CRASH, False))

    assert play(core, Ended("a", CRASH, False)) == [Rest("a"), Over("a", CRASH)]


def test_under_the_dynamic_supervisor_each_child_has_its_own_window() -> None:
    core = started("a", "b", dynamic=True, intensity=1)
    play(core, Ended("a", CRASH, True), Started("a"))

    assert play(core, Ended("b", CRASH, True)) == [Start("b", restart=True)]
    assert play(core, Ended("a", CRASH, True)) == [Retire("a", CRASH, gave_up=True)]
    assert list(core.children) == ["b"]


@pytest.mark.parametrize("dynamic", [False, True])
def test_max_restarts_counts_in_a_childs_life_and_ends_only_the_child(dynamic: bool) -> None:
    core = started("a", "b", max_restarts=2, dynamic=dynamic, intensity=0)
    for at in (0.0, 1000.0):
        assert play(core, Ended("a", CRASH, True), now=at) == [Start("a", restart=True)]
        play(core, Started("a"))

    assert play(core, Ended("a", CRASH, True), now=2000.0) == [Retire("a", CRASH, gave_up=True)]
    assert core.children["b"].state == RUNNING


def test_max_restarts_minus_1_never_ends() -> None:
    core = started("a", max_restarts=-1, intensity=0)
    for _ in range(1000):
        assert play(core, Ended("a", CRASH, True)) == [Start("a", restart=True)]
    assert core.children["a"].failures is None


def test_a_window_forgets_what_is_long_past() -> None:
    core = started("a", intensity=5, within=5.0)
    for at in range(0, 10_000, 10):
        play(core, Ended("a", CRASH, True), Started("a"), now=at)

    assert len(core.failures) == 1


# -- the end -----------------------------------------------------------------------------------------


def test_children_stop_in_reverse_each_after_the_one_before() -> None:
    core = started("a", "b", "c")

    assert play(core, Shutdown()) == [Stop("c")]
    assert play(core, Ended("c", LEFT, True)) == [Rest("c"), Stop("b")]
    assert play(core, Shutdown()) == []
    assert play(core, Ended("b", CRASH, True)) == [Rest("b"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over(None, None)]


def test_while_it_ends_a_child_that_dies_out_of_turn_is_not_restarted() -> None:
    core = started("a", "b", "c")
    play(core, Shutdown())

    assert play(core, Ended("a", CRASH, True)) == [Rest("a")]
    assert play(core, Ended("c", LEFT, True)) == [Rest("c"), Stop("b")]
    assert play(core, Ended("b", LEFT, True)) == [Rest("b"), Over(None, None)]


def test_shutdown_while_a_child_restarts_stops_it() -> None:
    core = started("a")
    play(core, Ended("a", CRASH, True))

    assert play(core, Shutdown()) == [Stop("a")]
    assert play(core, Ended("a", LEFT, False)) == [Rest("a"), Over(None, None)]


def test_shutdown_with_nothing_alive_is_over_at_once() -> None:
    assert play(make("a", "b"), Shutdown()) == [Over(None, None)]


def test_dynamic_children_stop_all_at_once_and_are_gone() -> None:
    core = started("a", "b", dynamic=True)

    assert play(core, Shutdown()) == [Stop("b"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Retire("a", LEFT)]
    assert play(core, Ended("b", LEFT, True)) == [Retire("b", LEFT), Over(None, None)]


def test_a_dynamic_child_starts_when_it_is_added() -> None:
    core = make(dynamic=True)
    play(core, Begin())

    assert play(core, Added("a", ChildRules())) == [Start("a")]
    assert play(core, Ended("a", CRASH, False)) == [Retire("a", CRASH)]


def test_nothing_starts_under_a_dynamic_supervisor_that_ends() -> None:
    core = started("a", dynamic=True)
    play(core, Shutdown())

    assert play(core, Added("b", ChildRules())) == []


# -- again -------------------------------------------------------------------------------------------


def test_a_supervisor_that_gave_up_may_begin_again_with_a_clean_slate() -> None:
    core = started("a", "b", intensity=1)
    play(core, Ended("a", CRASH, True), Started("a"), Ended("a", CRASH, True), Ended("b", LEFT, True))

    assert all(child.state == WAITING and child.fresh for child in core.children.values())
    assert play(core, Begin()) == [Start("a")]
    assert play(core, Started("a")) == [Start("b")]
    assert play(core, Started("b")) == [AllStarted()]
    assert play(core, Ended("a", CRASH, True)) == [Start("a", restart=True)]


def test_a_second_start_that_fails_is_given_up_at_once() -> None:
    core = started("a", "b", intensity=0)
    play(core, Ended("b", CRASH, True), Ended("a", LEFT, True), Begin(), Started("a"))

    assert play(core, Ended("b", CRASH, False)) == [Rest("b"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over("b", CRASH, at_start=True)]


# -- anything in any order ---------------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """Feeds what can happen, in any order, and keeps an eye on what comes out."""

    @initialize(
        dynamic=st.booleans(),
        intensity=st.integers(0, 3),
        kinds=st.lists(
            st.tuples(
                st.sampled_from(("permanent", "transient", "temporary")), st.sampled_from((None, -1, 0, 1))
            ),
            max_size=4,
        ),
    )
    def begin(self, dynamic: bool, intensity: int, kinds: list[tuple[str, int | None]]) -> None:
        self.now = 0.0
        self.core = Core(Flags(intensity, 5.0, dynamic))
        self.alive: dict[str, bool] = {}  # id to whether it is ready
        self.stopping: set[str] = set()
        self.killed: set[str] = set()  # a kill does not wait for its turn
        self.greeted: set[str] = set()  # were ready since the last Begin
        self.order = [f"c{n}" for n in range(len(kinds))]
        self.shutting = False
        self.over = False
        self.number = len(kinds)
        for id, kind in zip(self.order, kinds, strict=True):
            self.feed(Added(id, ChildRules(*kind)))
        if not dynamic:
            self.feed(Begin())

    def feed(self, event: Event) -> None:
        self.now += 0.5
        for effect in self.core.feed(event, self.now):
            self.carry_out(effect)

    def carry_out(self, effect: Effect) -> None:
        assert not self.over, "nothing follows Over"
        if isinstance(effect, Start):
            assert effect.id not in self.alive, "never two incarnations of one child"
            assert not self.core.ending, "nothing starts while it ends"
            self.alive[effect.id] = False
        elif isinstance(effect, Stop):
            assert effect.id in self.alive, "only the living are stopped"
            if self.core.ending and not self.core.flags.dynamic and effect.id not in self.killed:
                later = self.order[self.order.index(effect.id) + 1 :]
                assert not any(id in self.alive for id in later), "stopped in reverse"
            self.stopping.add(effect.id)
        elif isinstance(effect, Rest | Retire):
            assert effect.id not in self.alive, "only the dead are laid to rest"
        elif isinstance(effect, AllStarted):
            assert set(self.alive) <= self.greeted, "each has been ready, though one may restart again"
        elif isinstance(effect, Over):
            assert not self.alive, "no child runs when it is over"
            self.over = True

    def pick(self, data: st.DataObject, ids: list[str]) -> str:
        return data.draw(st.sampled_from(sorted(ids)))

    @precondition(lambda self: any(not ready for ready in self.alive.values()))
    @rule(data=st.data())
    def becomes_ready(self, data: st.DataObject) -> None:
        id = self.pick(data, [id for id, ready in self.alive.items() if not ready])
        self.alive[id] = True
        self.greeted.add(id)
        self.feed(Started(id))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), abnormal=st.booleans())
    def ends(self, data: st.DataObject, abnormal: bool) -> None:
        id = self.pick(data, list(self.alive))
        self.stopping.discard(id)
        self.feed(Ended(id, Why(abnormal), self.alive.pop(id)))

    @precondition(lambda self: self.order and not self.over)
    @rule(data=st.data())
    def is_killed(self, data: st.DataObject) -> None:
        id = self.pick(data, self.order)
        self.killed.add(id)
        self.feed(Terminate(id))

    @precondition(lambda self: not self.over and self.core.flags.dynamic and not self.core.ending)
    @rule(kind=st.sampled_from(("permanent", "transient", "temporary")))
    def is_added(self, kind: str) -> None:
        id = f"c{self.number}"
        self.number += 1
        self.order.append(id)
        self.feed(Added(id, ChildRules(kind)))

    @precondition(lambda self: not self.over)
    @rule()
    def shuts_down(self) -> None:
        self.feed(Shutdown())

    @precondition(lambda self: self.over and not self.core.flags.dynamic)
    @rule()
    def begins_again(self) -> None:
        self.over = False
        self.greeted.clear()
        self.feed(Begin())

    @rule(seconds=st.floats(0, 10))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def the_core_knows_who_lives(self) -> None:
        if not hasattr(self, "core"):
            return
        if self.over:
            assert all(child.state == WAITING for child in self.core.children.values())
            return
        states = {child.id: child.state for child in self.core.children.values()}
        assert {id for id, state in states.items() if state in LIVE} == set(self.alive)
        assert {id for id, state in states.items() if state == STOPPING} == self.stopping
        for id, ready in self.alive.items():
            assert states[id] != STARTING or not ready
            assert states[id] != RUNNING or ready

    @invariant()
    def somebody_always_moves(self) -> None:
        """A supervisor that starts or ends waits for a child that will answer."""
        if hasattr(self, "core") and not self.over and (self.core.starting or self.core.ending):
            assert self.alive

    def teardown(self) -> None:
        """Whatever happened, a shutdown and the ends of all bring it to its one Over."""
        if not hasattr(self, "core"):
            return
        if not self.over:
            self.feed(Shutdown())
        for _ in range(100):
            if self.over:
                break
            id = min(self.stopping)
            self.stopping.discard(id)
            self.feed(Ended(id, LEFT, self.alive.pop(id)))
        assert self.over


AnyOrder.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestAnyOrder = AnyOrder.TestCase
