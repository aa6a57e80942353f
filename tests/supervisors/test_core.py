"""The rulebook of supervision, without a clock, a task or an actor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from understudy.actors.backoff import Backoff
from understudy.supervisors.child import DOWN, RUNNING, WAITING
from understudy.supervisors.core import RETRY, Core
from understudy.supervisors.rules import (
    FORGET,
    INTENSITY,
    KEEP,
    RESTART,
    RESTARTS,
    SECOND,
    START,
    ChildRules,
    Flags,
)
from understudy.supervisors.steps import (
    Added,
    AllStarted,
    Begin,
    Cause,
    Delay,
    Effect,
    Ended,
    Event,
    Over,
    Rest,
    Retire,
    Shutdown,
    Start,
    Started,
    Terminate,
    Wake,
)
from understudy.supervisors.steps import Stop as StopChild
from understudy.supervisors.strategies.one_for_all import OneForAll
from understudy.supervisors.strategies.strategy import Woke


def Stop(id: str, returns: bool = False) -> StopChild:
    """A polite stop, with a child's usual 5 s."""
    return StopChild(id, 5 * SECOND, returns)


def given_up(id: str, reason: Any, why: str = INTENSITY) -> Over:
    return Over(Cause(why, id, reason))


@dataclass(frozen=True)
class Why:
    abnormal: bool
    uprooted: bool = False
    recycled: bool = False
    interrupted: bool = False


CRASH, LEFT, INTERRUPTED = Why(True), Why(False), Why(True, interrupted=True)


def make(*ids: str, restart: str = "permanent", max_restarts: int | None = None, **flags: Any) -> Core:
    flags = {"per_child": flags.get("dynamic", False), **flags}
    flags["within"] = round(flags.get("within", 5.0) * SECOND)
    core = Core(Flags(**flags))
    for id in ids:
        core.feed(Added(id, ChildRules(restart, max_restarts)), 0)
    return core


def play(core: Core, *events: Event, now: float = 0.0) -> list[Effect]:
    """Feed events; returns the effects of the last."""
    effects: list[Effect] = []
    for event in events:
        effects = core.feed(event, round(now * SECOND))
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

    assert play(core, Ended("c", CRASH, False)) == [Rest("c"), Stop("b", True)]
    assert play(core, Ended("b", LEFT, True)) == [Rest("b"), Stop("a", True)]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), given_up("c", CRASH, START)]


def test_the_first_child_that_fails_ends_it_at_once() -> None:
    assert play(make("a"), Begin(), Ended("a", CRASH, False)) == [Rest("a"), given_up("a", CRASH, START)]


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
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over()]


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

    assert play(core, Ended("a", LEFT, False)) == [Delay("a", 0, RETRY), Wake(0)]
    assert play(core, Woke()) == [Start("a", restart=True)]


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


@pytest.mark.parametrize("restart", ["permanent", "transient", "temporary"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_what_is_recycled_is_started_again_whatever_its_restart_type_and_not_counted(
    dynamic: bool, restart: str
) -> None:
    core = started("a", "b", intensity=0, max_restarts=0, dynamic=dynamic, restart=restart)

    for _ in range(3):
        assert play(core, Ended("a", Why(False, recycled=True), True)) == [Start("a", restart=True)]
        core.feed(Started("a"), 0)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("backoff", [None, Backoff()])
def test_what_somebody_interrupted_is_started_again_at_once_and_not_counted(
    dynamic: bool, backoff: Backoff | None
) -> None:
    core = make(intensity=0, dynamic=dynamic)
    core.feed(Added("a", ChildRules(backoff=backoff)), 0)
    play(core, Begin(), Started("a"))

    for _ in range(4):
        assert play(core, Ended("a", INTERRUPTED, True)) == [Start("a", restart=True)]
        core.feed(Started("a"), 0)
    assert core.children["a"].restarts == 0


def test_what_somebody_interrupted_takes_its_group_along_and_is_not_counted() -> None:
    core = started("a", "b", intensity=0, strategy=OneForAll())

    assert play(core, Ended("a", INTERRUPTED, True)) == [Stop("b", True)]
    assert play(core, Ended("b", LEFT, True)) == [Start("a", restart=True)]


@pytest.mark.parametrize("dynamic", [False, True])
def test_what_is_never_restarted_stays_down_when_it_was_interrupted(dynamic: bool) -> None:
    core = started("a", max_restarts=0, dynamic=dynamic)

    assert play(core, Ended("a", INTERRUPTED, True)) == [Retire("a", INTERRUPTED, gave_up=True)]


def test_what_is_recycled_while_it_is_stopped_stays_down() -> None:
    core = started("a")
    core.feed(Terminate("a"), 0)

    assert not [
        effect
        for effect in play(core, Ended("a", Why(False, recycled=True), True))
        if isinstance(effect, Start)
    ]


def test_restarts_beyond_the_intensity_end_the_supervisor() -> None:
    core = started("a", "b", intensity=2, within=5.0)
    for n in range(2):
        assert play(core, Ended("b", CRASH, True), now=n) == [Start("b", restart=True)]
        play(core, Started("b"))

    assert play(core, Ended("b", CRASH, True), now=2) == [Rest("b"), Stop("a", True)]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), given_up("b", CRASH)]


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
    assert play(started("a", intensity=0), Ended("a", CRASH, True)) == [Rest("a"), given_up("a", CRASH)]


def test_failed_restarts_count_too() -> None:
    core = started("a", intensity=2)
    play(core, Ended("a", CRASH, True), Ended("a", CRASH, False), Woke())

    assert play(core, Ended("a", CRASH, False)) == [Rest("a"), given_up("a", CRASH)]


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
    assert core.failures == []


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
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over()]


def test_while_it_ends_a_child_that_dies_out_of_turn_is_not_restarted() -> None:
    core = started("a", "b", "c")
    play(core, Shutdown())

    assert play(core, Ended("a", CRASH, True)) == [Rest("a")]
    assert play(core, Ended("c", LEFT, True)) == [Rest("c"), Stop("b")]
    assert play(core, Ended("b", LEFT, True)) == [Rest("b"), Over()]


def test_shutdown_while_a_child_restarts_stops_it() -> None:
    core = started("a")
    play(core, Ended("a", CRASH, True))

    assert play(core, Shutdown()) == [Stop("a")]
    assert play(core, Ended("a", LEFT, False)) == [Rest("a"), Over()]


def test_shutdown_with_nothing_alive_is_over_at_once() -> None:
    assert play(make("a", "b"), Shutdown()) == [Over()]


def test_dynamic_children_stop_all_at_once_and_are_gone() -> None:
    core = started("a", "b", dynamic=True)

    assert play(core, Shutdown()) == [Stop("b"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Retire("a", LEFT)]
    assert play(core, Ended("b", LEFT, True)) == [Retire("b", LEFT), Over()]


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

    assert all(child.state == WAITING for child in core.children.values())
    assert play(core, Begin()) == [Start("a")]
    assert play(core, Started("a")) == [Start("b")]
    assert play(core, Started("b")) == [AllStarted()]
    assert play(core, Ended("a", CRASH, True)) == [Start("a", restart=True)]


def test_a_second_start_that_fails_is_given_up_at_once() -> None:
    core = started("a", "b", intensity=0)
    play(core, Ended("b", CRASH, True), Ended("a", LEFT, True), Begin(), Started("a"))

    assert play(core, Ended("b", CRASH, False)) == [Rest("b"), Stop("a", True)]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), given_up("b", CRASH, START)]
