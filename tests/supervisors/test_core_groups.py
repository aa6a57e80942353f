"""The rulebook where several children are concerned, where time is, and where restarts run out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.supervisors.test_core import CRASH, LEFT, Stop, given_up, make, play, started
from understudy.actors.backoff import Backoff
from understudy.supervisors.child import DELAYED, DOWN, PARKED, PENDING, RUNNING
from understudy.supervisors.core import BACKOFF, RETRY, Core
from understudy.supervisors.rules import (
    AUTO_SHUTDOWN,
    END,
    EXHAUSTED,
    FLAW,
    INTENSITY,
    PARK,
    SECOND,
    SIGNIFICANT,
    STRATEGY,
    WAIT,
    ChildRules,
    Flags,
    shuts_down,
)
from understudy.supervisors.steps import (
    Added,
    Begin,
    Cause,
    Delay,
    Delete,
    Ended,
    Over,
    Park,
    Rest,
    Restart,
    Retire,
    Shutdown,
    Start,
    Started,
    Terminate,
    Wake,
)
from understudy.supervisors.strategies.one_for_all import OneForAll
from understudy.supervisors.strategies.rest_for_one import RestForOne
from understudy.supervisors.strategies.strategy import Decision, Exited, Sample, Sampled, StrategyError, Woke

ALL, REST = OneForAll(), RestForOne()
ROOT = Path(__file__).parents[2]


def again(id: str) -> Start:
    return Start(id, restart=True)


# -- rounds ------------------------------------------------------------------------------------------


def test_one_for_all_stops_in_reverse_then_starts_in_order() -> None:
    core = started("a", "b", "c", strategy=ALL)

    assert play(core, Ended("b", CRASH, True)) == [Stop("c", True)]
    assert core.children["b"].state == PENDING
    assert play(core, Ended("c", LEFT, True)) == [Stop("a", True)]
    assert play(core, Ended("a", LEFT, True)) == [again("a")]
    assert play(core, Started("a")) == [again("b")]
    assert play(core, Started("b")) == [again("c")]
    assert play(core, Started("c")) == []
    assert len(core.failures) == 1


def test_rest_for_one_leaves_those_before_alone() -> None:
    core = started("a", "b", "c", strategy=REST)

    assert play(core, Ended("b", CRASH, True)) == [Stop("c", True)]
    assert play(core, Ended("c", CRASH, True)) == [again("b")]
    assert play(core, Started("b")) == [again("c")]
    assert core.children["a"].state == RUNNING


def test_the_last_of_rest_for_one_is_restarted_alone() -> None:
    assert play(started("a", "b", strategy=REST), Ended("b", CRASH, True)) == [again("b")]


def test_a_bystander_that_falls_before_it_is_stopped_is_no_failure_of_its_own() -> None:
    core = started("a", "b", "c", strategy=ALL, intensity=1)
    play(core, Ended("a", CRASH, True))

    assert play(core, Ended("b", CRASH, True)) == []
    assert play(core, Ended("c", LEFT, True)) == [again("a")]
    assert len(core.failures) == 1


def test_a_failure_during_a_round_joins_it() -> None:
    core = started("a", "b", "c", strategy=REST)
    play(core, Ended("b", CRASH, True), Ended("c", LEFT, True))

    assert play(core, Ended("a", CRASH, True)) == [Stop("b", True)]
    assert play(core, Ended("b", LEFT, False)) == [again("a")]
    assert play(core, Started("a")) == [again("b")]
    assert play(core, Started("b")) == [again("c")]


def test_a_failing_restart_within_a_round_is_tried_again_and_those_after_it_wait() -> None:
    core = started("a", "b", "c", strategy=REST)
    play(core, Ended("a", CRASH, True), Ended("c", LEFT, True), Ended("b", LEFT, True), Started("a"))

    assert play(core, Ended("b", CRASH, False)) == [Delay("b", 0, RETRY), Wake(0)]
    assert [core.children[id].state for id in "abc"] == [RUNNING, DELAYED, PENDING]
    assert play(core, Woke()) == [again("b")]
    assert play(core, Started("b")) == [again("c")]
    assert len(core.failures) == 2


def test_a_child_whose_first_start_has_not_come_keeps_its_place() -> None:
    core = make("a", "b", "c", strategy=REST)
    play(core, Begin(), Started("a"))

    assert play(core, Ended("a", CRASH, True)) == [Stop("b", True)]
    assert play(core, Ended("b", LEFT, False)) == [again("a")]
    assert play(core, Started("a")) == [Start("b")]
    assert play(core, Ended("b", CRASH, False)) == [Rest("b"), Stop("a", True)], "a first start that fails"


@pytest.mark.parametrize("keep", [False, True])
def test_whoever_is_ended_by_hand_during_a_round_does_not_come_back_with_it(keep: bool) -> None:
    core = started("a", "b", "c", strategy=ALL)
    play(core, Ended("a", CRASH, True))
    play(core, Terminate("c", keep, LEFT), Ended("c", LEFT, True), Ended("b", LEFT, True), Started("a"))

    assert play(core, Started("b")) == []
    assert core.children["c"].state == DOWN if keep else "c" not in core.children


def test_a_shutdown_during_a_round_ends_it() -> None:
    core = started("a", "b", "c", strategy=ALL)
    play(core, Ended("b", CRASH, True))

    assert play(core, Shutdown()) == [Rest("b")]
    assert play(core, Ended("c", LEFT, True)) == [Rest("c"), Stop("a")]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over()]


# -- backoff -----------------------------------------------------------------------------------------


def backed(*ids: str, strategy: Any = None, **how: Any) -> Core:
    flags = Flags(intensity=100, within=1000 * SECOND, **({"strategy": strategy} if strategy else {}))
    core = Core(flags)
    rules = ChildRules(backoff=Backoff(min=1.0, max=8.0, **how))
    for id in ids:
        core.feed(Added(id, rules), 0)
    play(core, Begin(), *(Started(id) for id in ids))
    return core


def pauses(core: Core, falls: int, up: float = 0.0) -> list[float]:
    """Seconds that child a stays down after each of some falls, being up so long in between."""
    found: list[float] = []
    now = 0
    for _ in range(falls):
        now += round(up * SECOND)
        delay: Any = core.feed(Ended("a", CRASH, True), now)[0]
        found.append((delay.until - now) / SECOND)
        now = delay.until
        assert core.feed(Woke(), now) == [again("a")]
        core.feed(Started("a"), now)
    return found


def test_each_fall_in_a_row_doubles_the_pause_up_to_the_most() -> None:
    assert pauses(backed("a"), 6) == [1, 2, 4, 8, 8, 8]


def test_a_child_that_was_stable_begins_anew() -> None:
    assert pauses(backed("a"), 3, up=7.9) == [1, 2, 4]
    assert pauses(backed("a"), 3, up=8.0) == [1, 1, 1]
    assert pauses(backed("a", reset_after=1.5), 3, up=1.5) == [1, 1, 1]


def test_jitter_lengthens_by_a_share_that_is_the_same_in_every_run() -> None:
    first = pauses(backed("a", jitter=0.5), 4)

    assert first == pauses(backed("a", jitter=0.5), 4)
    assert first != pauses(backed("a", jitter=0.5, seed=1), 4)
    assert all(whole <= pause <= 1.5 * whole for whole, pause in zip([1, 2, 4, 8], first, strict=True))


def test_no_attempt_is_too_many_for_a_float() -> None:
    assert Backoff(min=1e-9, max=1e9, factor=1e6).delay(10**9, "a") == 10**18


def test_during_a_pause_a_child_can_be_ended_and_the_alarm_is_harmless() -> None:
    core = backed("a", "b")
    assert play(core, Ended("a", CRASH, True)) == [Delay("a", SECOND, BACKOFF), Wake(SECOND)]

    assert play(core, Terminate("a", True, LEFT)) == [Rest("a", LEFT)]
    assert play(core, Woke(), now=1) == []
    assert core.children["a"].state == DOWN


def test_a_group_waits_as_a_whole() -> None:
    core = backed("a", "b", strategy=ALL)

    assert play(core, Ended("a", CRASH, True)) == [Delay("a", SECOND, BACKOFF), Stop("b", True), Wake(SECOND)]
    assert play(core, Ended("b", LEFT, True)) == []
    assert play(core, Woke(), now=1) == [again("a")]
    assert play(core, Started("a")) == [again("b")]


def test_the_earliest_alarm_is_armed_and_each_child_starts_at_its_own_time() -> None:
    core = backed("a", "b")
    play(core, Ended("a", CRASH, True), now=2)

    assert play(core, Ended("b", CRASH, True), now=1) == [Delay("b", 2 * SECOND, BACKOFF), Wake(2 * SECOND)]
    assert play(core, Woke(), now=2) == [again("b"), Wake(3 * SECOND)]
    assert play(core, Woke(), now=3) == [again("a")]


# -- when restarts run out ---------------------------------------------------------------------------


def test_the_table_of_what_follows_is_complete() -> None:
    assert set(EXHAUSTED) == set(product(("escalate", "throttle", "park"), (INTENSITY, STRATEGY)))
    assert set(EXHAUSTED.values()) == {END, WAIT, PARK}


@dataclass(frozen=True)
class GiveUp:
    def decide(self, event: Any, view: Any, now: int) -> Decision:
        return Decision(give_up=True)


@pytest.mark.parametrize("what", [INTENSITY, STRATEGY])
@pytest.mark.parametrize("then", ["escalate", "throttle", "park"])
def test_every_cell_of_what_follows(then: str, what: str) -> None:
    flags: dict[str, Any] = {"when_exhausted": then, "intensity": 1, "within": 5.0}
    core = started("a", **flags, **({"strategy": GiveUp()} if what == STRATEGY else {}))
    if what == INTENSITY:
        play(core, Ended("a", CRASH, True), Started("a"))
    effects = play(core, Ended("a", CRASH, True), now=1)
    expected: dict[str, list[Any]] = {
        END: [Rest("a"), given_up("a", CRASH, what)],
        WAIT: [Delay("a", 5 * SECOND + 1, INTENSITY), Wake(5 * SECOND + 1)],
        PARK: [Park("a", CRASH)],
    }

    assert effects == expected[EXHAUSTED[then, what]]


def test_throttled_restarts_never_exceed_the_window() -> None:
    core = started("a", when_exhausted="throttle", intensity=2, within=5.0)
    now, at = 0, []
    for _ in range(9):
        effects = play(core, Ended("a", CRASH, True), now=now / SECOND)
        if effects != [again("a")]:
            now = effects[0].until  # type: ignore[union-attr]
            assert core.feed(Woke(), now) == [again("a")]
        at.append(now)
        core.feed(Started("a"), now)

    assert len(at) == 9
    assert all(later - early > 5 * SECOND for early, later in zip(at, at[2:], strict=False))


def test_what_is_parked_comes_back_together_and_with_a_clean_slate() -> None:
    core = started("a", "b", "c", strategy=REST, when_exhausted="park", intensity=0)

    assert play(core, Ended("b", CRASH, True)) == [Park("b", CRASH), Stop("c", True)]
    play(core, Ended("c", LEFT, True))
    assert [core.children[id].state for id in "abc"] == [RUNNING, PARKED, PENDING]
    assert play(core, Restart("b")) == [Start("b")]
    assert play(core, Started("b")) == [again("c")]
    assert core.failures == []


def test_what_is_parked_can_be_deleted_and_those_with_it_stay_down() -> None:
    core = started("a", "b", strategy=REST, when_exhausted="park", intensity=0)
    play(core, Ended("a", CRASH, True), Ended("b", LEFT, True))

    assert play(core, Delete("a")) == [Rest("b", None), Retire("a", None)]
    assert core.held == {}


def test_a_bystander_of_what_is_parked_brings_all_back() -> None:
    core = started("a", "b", strategy=REST, when_exhausted="park", intensity=0)
    play(core, Ended("a", CRASH, True), Ended("b", LEFT, True))

    assert play(core, Restart("b")) == [again("a")]
    assert play(core, Started("a")) == [Start("b")]


def test_a_bystander_of_what_is_delayed_can_be_started_and_deleted_by_hand() -> None:
    core = backed("a", "b", "c", strategy=REST)
    play(core, Ended("a", CRASH, True), Ended("c", LEFT, True), Ended("b", LEFT, True))

    assert play(core, Restart("b")) == [Start("b")]
    play(core, Started("b"))
    assert play(core, Delete("c")) == [Retire("c", None)]
    assert play(core, Delete("a")) == []
    assert play(core, Woke(), now=1) == [again("a")]
    assert play(core, Started("a")) == []


def test_a_supervisor_with_parked_children_can_be_shut_down() -> None:
    core = started("a", "b", when_exhausted="park", intensity=0)
    play(core, Ended("a", CRASH, True))

    assert play(core, Shutdown()) == [Rest("a"), Stop("b")]


# -- significant -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", AUTO_SHUTDOWN)
@pytest.mark.parametrize("others", [False, True])
def test_every_cell_of_auto_shutdown(mode: str, others: bool) -> None:
    assert shuts_down(mode, others) is (
        mode == "any_significant" or (mode == "all_significant" and not others)
    )


def test_a_significant_child_that_is_being_restarted_counts_as_one_that_lives() -> None:
    core = Core(Flags(auto_shutdown="all_significant"))
    rules = ChildRules("transient", significant=True, backoff=Backoff())
    play(core, Added("a", rules), Added("b", rules), Begin(), Started("a"), Started("b"))
    play(core, Ended("b", CRASH, True))

    assert play(core, Ended("a", LEFT, True)) == [Rest("a", LEFT)]
    play(core, Woke(), now=1)
    play(core, Started("b"))
    assert play(core, Ended("b", LEFT, True))[-1] == given_up("b", LEFT, SIGNIFICANT)


# -- strategies that fail ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Says:
    what: Any

    def decide(self, event: Any, view: Any, now: int) -> Any:
        if isinstance(self.what, BaseException):
            raise self.what
        return self.what


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (ZeroDivisionError("oh"), "decide() raised ZeroDivisionError: oh"),
        (None, "decide() must return a Decision, not None"),
        (Decision(start=("nobody",)), "start names 'nobody', which is no child here"),
        (Decision(stop=("nobody",), start=("a",)), "stop names 'nobody'"),
        (Decision(wake_at=0), "wake_at must be a time after now"),
    ],
)
def test_a_strategy_that_fails_ends_the_supervisor_with_the_cause(what: Any, text: str) -> None:
    core = started("a", "b", strategy=Says(what))

    assert play(core, Ended("b", CRASH, True)) == [Rest("b"), Stop("a", True)]
    *_, over = play(core, Ended("a", LEFT, True))
    assert isinstance(over, Over)
    assert over.cause is not None
    assert (over.cause.why, over.cause.child) == (FLAW, "b")
    assert isinstance(over.cause.reason, StrategyError)
    assert str(over.cause.reason).startswith(text)
    assert over.cause.reason.__cause__ is (what if isinstance(what, BaseException) else None)


def test_a_strategy_that_never_gives_up_is_bounded_by_the_intensity() -> None:
    core = started("a", "b", strategy=Says(Decision(start=("a",))), intensity=3)
    for _ in range(3):
        play(core, Ended("a", CRASH, True), Started("a"))

    assert play(core, Ended("a", CRASH, True)) == [Rest("a"), Stop("b", True)]


def test_a_strategy_may_leave_a_child_down() -> None:
    core = started("a", "b", strategy=Says(Decision()), intensity=0)

    assert play(core, Ended("a", CRASH, True)) == [Rest("a", CRASH)]
    assert play(core, Restart("a")) == [Start("a")]


def test_a_strategy_may_start_another_child_and_not_the_one_that_fell() -> None:
    core = started("a", "b", strategy=Says(Decision(stop=("b",), start=("b",))))

    assert play(core, Ended("a", CRASH, True)) == [Rest("a", CRASH), Stop("b", True)]
    assert play(core, Ended("b", LEFT, True)) == [again("b")]


def test_what_a_strategy_starts_that_runs_already_runs_on() -> None:
    core = started("a", "b", strategy=Says(Decision(start=("a", "b"))))

    assert play(core, Ended("a", CRASH, True)) == [again("a")]


@dataclass(frozen=True)
class Clock:
    """Restarts the first child each second."""

    wakes_first = True

    def decide(self, event: Any, view: Any, now: int) -> Decision:
        first = view.ids[:1] if now else ()
        if isinstance(event, Exited):
            return Decision(start=(event.child,))
        return Decision(stop=first, start=first, wake_at=now + SECOND)


def test_a_strategy_may_wake_and_restart_without_an_end_and_that_does_not_count() -> None:
    core = make("a", strategy=Clock(), intensity=0)

    assert play(core, Begin(), Started("a"))[-1] == Wake(0)
    assert play(core, Woke()) == [Wake(SECOND)]
    assert play(core, Woke(), now=1) == [Stop("a", True), Wake(2 * SECOND)]
    assert play(core, Ended("a", LEFT, True)) == [again("a")]
    assert core.failures == []


def test_a_strategy_that_is_shown_the_children_may_give_up() -> None:
    core = started("a", strategy=GiveUp())

    assert play(core, Sampled({"a": Sample()})) == [Stop("a", True)]
    assert play(core, Ended("a", LEFT, True)) == [Rest("a"), Over(Cause(STRATEGY))]


# -- clocks and crowds -------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-1000, 1000])
def test_a_clock_that_jumps_breaks_nothing(jump: int) -> None:
    core = started("a", intensity=2, within=5.0)
    play(core, Ended("a", CRASH, True), Started("a"), now=10_000)

    assert play(core, Ended("a", CRASH, True), now=10_000 + jump) == [again("a")]
    play(core, Started("a"))
    assert play(core, Shutdown(), now=0) == [Stop("a")]


KINDS_OF_FLAGS = ("plain", "dynamic", "per child", "all", "rest")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS_OF_FLAGS)
def test_a_child_among_many_costs_as_much_as_one_among_few(kind: str) -> None:
    """scale_start_stop_many_children, simple_one_for_one_scale_many_temporary_children"""
    # In an interpreter of its own: elsewhere a thread may have been left that was interrupted and never woke up,
    # and CPython 3.11 with a trace function then goes round in circles.
    command = [sys.executable, "-m", "tests.supervisors.crowd", kind]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50, cwd=ROOT)
    few, many = map(float, told.stdout.split())

    assert many < 1.1 * few
