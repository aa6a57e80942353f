"""Figures: counted from events alone, wherever they come from."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from tests.cast_lab import troupe
from understudy import Actor, Local, method, open_runtime
from understudy.actors.events import ActorDied, ActorEnded, ActorReady, ActorStarting, Event
from understudy.actors.reasons import ERROR, NORMAL_EXIT, SHUTDOWN_EXIT, ExitReason
from understudy.lab import (
    Crash,
    Exponential,
    FaultStruck,
    Gauge,
    Hang,
    Model,
    Plan,
    Scenario,
    measure,
    simulate,
)
from understudy.supervisors.events import ChildRestarting, SupervisorGaveUp

FELL = ExitReason(ERROR, "fell")
SECOND = 1_000_000_000


def at(seconds: float, kind: type[Event], actor: str, *details: object) -> Event:
    return kind(round(seconds * SECOND), actor, 1, *details)


def life(actor: str, ready: float, ended: float, reason: ExitReason = FELL) -> list[Event]:
    return [
        at(0, ActorStarting, actor),
        at(ready, ActorReady, actor),
        at(ended, ActorEnded, actor, reason),
    ]


def in_order(*events: list[Event]) -> list[Event]:
    return sorted((event for some in events for event in some), key=lambda event: event.at)


def test_availability_is_the_share_of_time_and_all_up_the_share_where_nobody_is_missed() -> None:
    figures = measure(in_order(life("a", 1, 9), life("b", 3, 6)), since=0, until=10 * SECOND)

    assert (figures.actors["a"].availability, figures.actors["b"].availability) == (0.8, 0.3)
    assert figures.availability == 0.3
    assert figures.duration == 10.0


def test_time_to_failure_and_to_repair() -> None:
    events = in_order(life("a", 1, 5), [at(7, ActorReady, "a"), at(9, ActorEnded, "a", FELL)])
    actor = measure(events, until=10 * SECOND).actors["a"]

    assert (actor.failures, actor.mttf, actor.mttr, actor.detection) == (2, 3.0, 2.0, None)


def test_an_end_that_was_ordered_is_no_failure_though_the_actor_is_down() -> None:
    figures = measure(life("a", 0, 5, SHUTDOWN_EXIT), until=10 * SECOND)

    assert (figures.failures, figures.mttf, figures.availability) == (0, None, 0.5)


def test_a_fault_counts_from_when_it_struck() -> None:
    events = in_order(life("a", 0, 8), [at(5, FaultStruck, "a", "hang"), at(9, ActorReady, "a")])
    actor = measure(events, until=10 * SECOND).actors["a"]

    assert (actor.availability, actor.detection, actor.mttr, actor.failures) == (0.6, 3.0, 4.0, 1)


def test_slowness_is_no_failure() -> None:
    assert measure(in_order(life("a", 0, 8), [at(5, FaultStruck, "a", "slow")])).availability == 1.0


def test_one_that_was_done_is_missed_by_nobody() -> None:
    done = in_order(life("a", 0, 5, NORMAL_EXIT), [at(5, ActorDied, "a", NORMAL_EXIT)], life("b", 0, 10))
    lost = in_order(life("a", 0, 5), [at(5, ActorDied, "a", FELL)], life("b", 0, 10))

    assert measure(done).availability == 1.0
    assert measure(lost).availability == 0.5


def test_storms_are_restarts_in_a_row() -> None:
    times = [1, 2, 3, 4, 50, 51, 100, 109, 118]
    figures = measure([at(0, ActorStarting, "a"), *(at(time, ChildRestarting, "a", 1) for time in times)])

    assert (figures.storms, figures.longest_storm, figures.restarts) == (2, 4, 9)


def test_give_ups_are_counted() -> None:
    assert measure([at(1, SupervisorGaveUp, "", "a", FELL)]).give_ups == 1


def test_a_log_may_begin_in_the_middle() -> None:
    figures = measure([at(4, ActorReady, "a"), at(8, ActorEnded, "a", FELL)], until=12 * SECOND)

    assert figures.availability == 0.5


def test_nothing_before_the_beginning_counts() -> None:
    gauge = Gauge(since=6 * SECOND)
    for event in in_order(life("a", 0, 8), life("b", 2, 4)):
        gauge.read(event)
    figures = gauge.figures(until=10 * SECOND)

    assert figures.actors["a"].availability == 0.5
    assert figures.actors["b"].availability == 0.0


def test_restarts_by_the_hour() -> None:
    done = simulate(Scenario(troupe(1), {"*": Model(faults=(Crash(Plan(1.0, 2.0)),))}, duration=1800.0))

    assert done.figures.restarts_per_hour == 4.0


@pytest.mark.slow
def test_the_figures_of_a_run_are_those_of_its_events() -> None:
    faults = (Crash(Exponential(50.0), noticed=0.3), Hang(Exponential(300.0)))
    done = simulate(Scenario(troupe(3), {"*": Model(start=1.0, faults=faults)}, duration=5000.0))

    assert measure(done.events, since=0, until=5000 * SECOND) == done.figures


class Clerk(Actor, executor=Local(), crash_on=(ValueError,), max_task_retries=0):
    @method
    async def file(self, seconds: float) -> None:
        await trio.sleep(seconds)
        if seconds == 3.0:
            raise ValueError("torn")


def test_the_same_figures_come_from_the_events_of_a_live_runtime() -> None:
    async def office() -> list[Event]:
        async with open_runtime() as runtime, runtime.events(messages=True) as reader:
            clerk = await Clerk.options(name="clerk", max_concurrency=1).start()
            with pytest.raises(ValueError, match="torn"):
                await clerk.file(3.0)
            await trio.sleep(1.0)
            await clerk.file(1.0)
            reader.close()
            return [event async for event in reader]

    events = trio.run(office, clock=trio.testing.MockClock(autojump_threshold=0))
    figures = measure(events)

    assert (figures.failures, figures.restarts) == (1, 1)
    assert (figures.calls.made, figures.calls.lost, figures.calls.delayed) == (2, 1, 0)
    assert figures.calls.response == pytest.approx(1.0)
    assert figures.actors["clerk"].mttf == pytest.approx(5.0)
