"""The same scenario with real processes, real signals and real time."""

from __future__ import annotations

import pytest
import trio

from tests.cast_live import Real
from understudy import Supervisor
from understudy.actors.events import ActorEnded, ActorReady
from understudy.lab import Crash, FaultStruck, Hang, Leave, Model, Plan, Run, Scenario, perform


def run(strategy: str, *faults: Crash | Hang | Leave, intensity: int = 3) -> Run:
    children = (Real.options(id=id).child() for id in ("first", "second"))
    tree = Supervisor(*children, strategy=strategy, intensity=intensity)  # type: ignore[arg-type]
    return trio.run(perform, Scenario(tree, {"first": Model(faults=faults), "*": Model()}, duration=3.0))


@pytest.mark.slow
def test_a_crash_is_a_real_signal_and_the_strategy_answers() -> None:
    done = run("one_for_all", Crash(Plan(0.2)))
    ended = [(event.actor, str(event.reason)) for event in done.events if isinstance(event, ActorEnded)]

    assert ended[0] == ("first", "signal: its process killed by SIGKILL")
    assert [actor for actor, _ in ended] == ["first", "second"]
    assert done.figures.restarts == 2
    assert done.figures.detection is not None
    assert 0.0 < done.figures.availability < 1.0
    assert not done.gave_up


@pytest.mark.slow
def test_a_hang_is_a_process_that_was_stopped_and_its_end_is_seen_by_the_runtime() -> None:
    done = run("one_for_one", Hang(Plan(0.2)))
    [struck] = [event for event in done.events if isinstance(event, FaultStruck)]
    [ended] = [event for event in done.events if isinstance(event, ActorEnded)]

    assert (struck.fault, ended.actor) == ("hang", "first")
    assert ended.at - struck.at >= 200_000_000
    assert sum(isinstance(event, ActorReady) for event in done.events) == 3


@pytest.mark.slow
def test_a_tree_that_gives_up_ends_the_run() -> None:
    done = run("one_for_one", Crash(Plan(0.2)), intensity=0)

    assert done.gave_up
    assert done.ended < 3.0
    assert done.figures.give_ups == 1


@pytest.mark.slow
def test_one_that_leaves_comes_back() -> None:
    done = run("one_for_one", Leave(Plan(0.2)))

    assert [event.reason.kind for event in done.events if isinstance(event, ActorEnded)] == ["normal"]
    assert done.figures.restarts == 1
