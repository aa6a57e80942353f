"""Calls in a simulation: they wait their turn, and a restart does to them what it does in a runtime."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast_lab import Part
from understudy import Supervisor
from understudy.actors.events import Event, MessageBuried, MessageEnded, MessageEvent, MessageFailed
from understudy.lab import (
    Crash,
    Exponential,
    Hang,
    Load,
    Model,
    Plan,
    Run,
    Scenario,
    Slow,
    estimate,
    formulas,
    simulate,
)


def run(load: Load, *faults: Any, duration: float = 10.0, intensity: int = 100, **options: Any) -> Run:
    """One actor whose starts take a second, and its calls."""
    when_exhausted = options.pop("when_exhausted", "escalate")
    child = Part.options(id="w0", **options).child()
    tree = Supervisor(child, intensity=intensity, within=1.0, when_exhausted=when_exhausted)
    model = Model(start=1.0, faults=faults, load=load)
    return simulate(Scenario(tree, {"*": model}, duration=duration))


def calls(done: Run) -> list[tuple[float, str, int]]:
    events = [event for event in done.events if isinstance(event, MessageEvent | MessageBuried)]
    return [(event.at / 1e9, type(event).__name__, id_of(event)) for event in events]


def id_of(event: Event) -> int:
    number = event.letter.call_id if isinstance(event, MessageBuried) else getattr(event, "call_id", 0)
    assert isinstance(number, int)
    return number


def errors(done: Run) -> list[str]:
    return [type(event.error).__name__ for event in done.events if isinstance(event, MessageFailed)]


def test_calls_wait_their_turn_one_at_a_time_and_for_the_start() -> None:
    assert calls(run(Load(0.7, service=0.5), duration=2.2)) == [
        (0.7, "MessageQueued", 1),
        (1.0, "MessageBegun", 1),
        (1.4, "MessageQueued", 2),
        (1.5, "MessageEnded", 1),
        (1.5, "MessageBegun", 2),
        (2.0, "MessageEnded", 2),
        (2.1, "MessageQueued", 3),
        (2.1, "MessageBegun", 3),
    ]


def test_the_call_that_runs_in_a_crash_is_lost_and_those_that_wait_are_only_late() -> None:
    done = run(Load(2.0, service=1.5), Crash(Plan(6.2)), duration=11.9)

    assert errors(done) == ["ActorUnavailableError"]
    assert done.figures.calls.made == 5
    assert (done.figures.calls.lost, done.figures.calls.retried) == (1, 0)


def test_with_retries_it_is_tried_again_at_the_head_of_the_mailbox() -> None:
    done = run(Load(2.0, service=1.5), Crash(Plan(6.2)), duration=11.9, max_task_retries=1)
    replies = [id_of(event) for event in done.events if isinstance(event, MessageEnded)]

    assert errors(done) == []
    assert (done.figures.calls.lost, done.figures.calls.retried) == (0, 1)
    assert replies == sorted(replies)
    assert done.figures.calls.delayed >= 1


def test_a_call_that_was_not_touched_by_a_restart_is_not_late() -> None:
    assert run(Load(2.0, service=0.1), Crash(Plan(4.5)), duration=12.0).figures.calls.delayed == 0


def test_poison_is_buried_when_its_retries_are_used_up() -> None:
    done = run(Load(5.0, poison=1.0), duration=9.0, max_task_retries=-1)

    assert [kind for _, kind, _ in calls(done)].count("MessageBegun") == 4
    assert calls(done)[-1][1:] == ("MessageBuried", 1)
    assert done.figures.failures == 4


def test_a_call_that_is_lost_on_its_way_fails_when_its_caller_has_waited_long_enough() -> None:
    done = run(Load(2.0, lost=1.0), duration=5.5, call_timeout=3.0)

    assert calls(done) == [(2.0, "MessageQueued", 1), (4.0, "MessageQueued", 2), (5.0, "MessageFailed", 1)]
    assert errors(done) == ["GetTimeoutError"]


def test_a_caller_that_waits_no_longer_frees_the_actor() -> None:
    done = run(
        Load(2.0, service=1.9), Slow(Plan(1.5), factor=10.0, lasts=3.0), duration=8.0, call_timeout=1.5
    )

    assert errors(done)[0] == "GetTimeoutError"
    assert [kind for _, kind, _ in calls(done)].count("MessageBegun") >= 2


def test_calls_to_one_that_hangs_are_answered_by_its_next_incarnation() -> None:
    done = run(Load(3.0, service=0.5), Hang(Plan(5.0), noticed=2.0), duration=8.9)

    assert calls(done)[-2:] == [(8.0, "MessageBegun", 2), (8.5, "MessageEnded", 2)]
    assert done.figures.calls.delayed == 1


def test_slowness_is_seen_in_the_response() -> None:
    fast, slow = (
        run(Load(1.0, service=0.05), *faults, duration=100.0).figures.calls.response
        for faults in ((), (Slow(Plan(2.0), factor=10.0, lasts=90.0),))
    )

    assert fast is not None
    assert slow is not None
    assert slow > 5 * fast


def test_nobody_waits_for_one_that_is_parked() -> None:
    done = run(Load(2.0, service=1.5), Crash(Plan(4.5)), duration=9.0, intensity=0, when_exhausted="park")

    assert errors(done) == ["ActorUnavailableError", "ActorDiedError", "ActorDiedError"]
    assert calls(done)[-1] == (8.0, "MessageFailed", 4)


def test_an_ordered_end_blames_no_call() -> None:
    children = (Part.options(id=id, max_task_retries=-1).child() for id in ("w0", "w1"))
    tree = Supervisor(*children, strategy="one_for_all", intensity=100)
    models = {
        "w0": Model(load=Load(100.0, service=20.0)),
        "w1": Model(faults=tuple(Crash(Plan(102.0 + 3 * n)) for n in range(6))),
    }
    done = simulate(Scenario(tree, models, duration=150.0))

    assert (done.figures.calls.retried, done.figures.calls.lost) == (6, 0)
    assert errors(done) == []


@pytest.mark.slow
@pytest.mark.parametrize(("service", "variation"), [(Exponential(0.5), 1.0), (0.5, 0.0)])
def test_waiting_is_that_of_pollaczek_and_khinchine(service: Any, variation: float) -> None:
    load = Load(Exponential(1.0), service=service)
    scenario = Scenario(Supervisor(Part.options(id="w0").child()), {"*": Model(load=load)}, duration=1500.0)
    found = estimate(scenario, lambda figures: figures.calls.response or 0.0, runs=15)

    assert abs(found.mean - formulas.waiting(1.0, 0.5, variation)) <= 3 * found.error
    assert found.error < 0.03
