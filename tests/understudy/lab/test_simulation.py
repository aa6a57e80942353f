"""Simulated runs: what befalls an actor, what its supervisor does then, and that the same run is the same."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.cast_lab import Part, troupe
from understudy import Supervisor
from understudy.actors.backoff import Backoff
from understudy.actors.events import Event
from understudy.lab import (
    Bursts,
    Corruption,
    Crash,
    Exponential,
    Hang,
    Leave,
    Model,
    Outage,
    Plan,
    Run,
    Scenario,
    SimulationError,
    Slow,
    Together,
    Weibull,
    beta_factor,
    simulate,
)
from understudy.supervisors.strategies.rejuvenating import Rejuvenating


def run(tree: Supervisor, *faults: Any, duration: float = 100.0, **model: Any) -> Run:
    """The tree, with a start of one second for everybody, and these faults for `w0`."""
    rest = {"start": 1.0} | model
    models = {"*w0": Model(faults=faults, **rest), "*": Model(**rest)}
    return simulate(Scenario(tree, models, duration=duration))


def told(events: tuple[Event, ...], *kinds: str) -> list[tuple[float, str, str]]:
    """Seconds, kind without its first word, and actor."""
    rows = [(event.at / 1e9, type(event).__name__, event.actor) for event in events]
    return [row for row in rows if not kinds or row[1] in kinds]


def test_children_start_in_order_each_when_the_one_before_is_ready() -> None:
    assert told(run(troupe(2)).events) == [
        (0.0, "ActorStarting", "w0"),
        (1.0, "ActorReady", "w0"),
        (1.0, "ActorStarting", "w1"),
        (2.0, "ActorReady", "w1"),
    ]


def test_a_crash_is_noticed_and_restarted() -> None:
    done = run(troupe(1), Crash(Plan(10.0), noticed=0.5))

    assert told(done.events)[2:] == [
        (10.0, "FaultStruck", "w0"),
        (10.5, "ActorEnded", "w0"),
        (10.5, "ChildRestarting", "w0"),
        (10.5, "ActorStarting", "w0"),
        (11.5, "ActorReady", "w0"),
    ]
    assert done.figures.actors["w0"].detection == 0.5
    assert done.figures.mttr == 1.5


def test_times_of_a_distribution_begin_anew_with_each_incarnation() -> None:
    done = run(troupe(1), Crash(10.0), duration=30.0)

    assert [at for at, *_ in told(done.events, "FaultStruck")] == [11.0, 22.0]


def test_times_of_a_schedule_pass_over_an_actor_that_is_down() -> None:
    done = run(troupe(1), Crash(Plan(5.0, 5.5, 20.0)))

    assert [at for at, *_ in told(done.events, "FaultStruck")] == [5.0, 20.0]


@pytest.mark.parametrize(
    ("strategy", "again"),
    [("one_for_one", ["w0"]), ("rest_for_one", ["w0", "w1", "w2"]), ("one_for_all", ["w0", "w1", "w2"])],
)
def test_the_strategy_says_who_is_started_again(strategy: str, again: list[str]) -> None:
    done = run(troupe(3, strategy=strategy), Crash(Plan(10.0)))

    assert [path for _, _, path in told(done.events, "ChildRestarting")] == again


def test_siblings_are_stopped_one_by_one_last_first_and_each_takes_its_time() -> None:
    done = run(troupe(3, strategy="one_for_all"), Crash(Plan(10.0)), stop=2.0)

    assert told(done.events, "ActorEnded") == [
        (10.0, "ActorEnded", "w0"),
        (12.0, "ActorEnded", "w2"),
        (14.0, "ActorEnded", "w1"),
    ]


def test_one_that_takes_too_long_to_stop_is_killed_at_the_deadline() -> None:
    done = run(troupe(2, strategy="one_for_all"), Crash(Plan(10.0)), stop=60.0)
    [_, killed] = [event for event in done.events if type(event).__name__ == "ActorEnded"]

    assert killed.at == 15_000_000_000
    assert killed.reason.kind == "signal"  # type: ignore[attr-defined]


def test_one_that_hangs_is_down_until_somebody_notices() -> None:
    done = run(troupe(1), Hang(Plan(10.0), noticed=30.0))

    assert told(done.events, "FaultStruck", "ActorEnded", "ActorReady") == [
        (1.0, "ActorReady", "w0"),
        (10.0, "FaultStruck", "w0"),
        (40.0, "ActorEnded", "w0"),
        (41.0, "ActorReady", "w0"),
    ]
    assert done.figures.actors["w0"].availability == pytest.approx(0.68)


def test_one_that_hangs_does_not_stop_when_asked() -> None:
    tree = troupe(2, strategy="one_for_all")
    models = {
        "w0": Model(faults=(Hang(Plan(10.0), noticed=1000.0),)),
        "w1": Model(faults=(Crash(Plan(20.0)),)),
    }
    done = simulate(Scenario(tree, models, duration=100.0))

    assert told(done.events, "ActorEnded") == [(20.0, "ActorEnded", "w1"), (25.0, "ActorEnded", "w0")]


def test_one_that_leaves_ends_normally() -> None:
    transient = Supervisor(Part.options(id="w0", restart="transient").child())

    assert told(run(transient, Leave(Plan(10.0))).events, "ChildRestarting") == []
    assert run(transient, Crash(Plan(10.0))).figures.restarts == 1


def test_one_that_has_aged_is_open_to_other_faults() -> None:
    done = run(troupe(1), Crash(5.0, clock="aged"), ageing=20.0, duration=30.0)

    assert told(done.events, "FaultStruck") == [(26.0, "FaultStruck", "w0")]


def test_a_strategy_may_look_at_age_before_it_is_too_late() -> None:
    looks = Rejuvenating(max_memory=1, quiet=False, every=4.0)
    done = run(troupe(1, strategy=looks), Crash(5.0, clock="aged"), ageing=20.5, duration=30.0)

    assert told(done.events, "ActorEnded") == [(25.0, "ActorEnded", "w0")]
    assert done.figures.failures == 0


def test_starts_that_fail_are_tried_again_until_restarts_run_out() -> None:
    done = run(troupe(1, intensity=5, within=10.0), Crash(50.0), start_fails=0.3, duration=1000.0)
    never = run(troupe(1, intensity=5), start_fails=1.0)

    assert done.figures.restarts > done.figures.failures > 5
    assert (never.gave_up, never.ended, never.figures.restarts) == (True, 1.0, 0)


def test_a_start_that_is_too_slow_has_failed_at_its_deadline() -> None:
    tree = Supervisor(Part.options(id="w0", start_timeout=3.0).child(), within=60.0)
    done = run(tree, Crash(Plan(10.0)), restart=4.0, duration=30.0)

    assert [at for at, *_ in told(done.events, "ActorEnded")] == [10.0, 13.0, 16.0, 19.0]
    assert done.figures.give_ups == 1


def test_in_an_outage_nothing_starts_that_needs_what_is_down() -> None:
    tree = troupe(2, Backoff(min=1.0, max=8.0))
    scenario = Scenario(
        tree,
        {"w0": Model(faults=(Crash(Plan(10.0)),)), "w1": Model(faults=(Crash(Plan(10.0)),))},
        faults=(Outage(Plan(9.0), lasts=10.0, actors=("w0",)),),
        duration=100.0,
    )
    starts = told(simulate(scenario).events, "ActorStarting")

    assert [at for at, _, path in starts if path == "w0"] == [0.0, 11.0, 13.0, 17.0, 25.0]
    assert [at for at, _, path in starts if path == "w1"] == [0.0, 11.0]


@pytest.mark.parametrize(
    ("strategy", "cure", "cured"),
    [
        ("one_for_one", "all", False),
        ("rest_for_one", "all", False),
        ("one_for_all", "all", True),
        ("one_for_one", "rest", False),
        ("rest_for_one", "rest", True),
        ("one_for_all", "rest", True),
    ],
)
def test_corruption_is_cured_when_nobody_holds_it_any_more(strategy: str, cure: str, cured: bool) -> None:
    tree = troupe(3, strategy=strategy, intensity=4, within=60.0)
    spoilt = Crash(Plan(10.0), corruption=Corruption(cure=cure, recurs=2.0))
    done = simulate(
        Scenario(tree, {"w1": Model(start=1.0, faults=(spoilt,)), "*": Model(start=1.0)}, duration=100.0)
    )

    assert done.gave_up is not cured
    assert sum(type(event).__name__ == "FaultStruck" for event in done.events) == (1 if cured else 5)


def test_escalation_cures_what_a_lone_restart_does_not() -> None:
    spoilt = Crash(Plan(10.0), corruption=Corruption(recurs=1.0))
    done = run(troupe(3, strategy="escalating"), spoilt)

    assert not done.gave_up
    assert [path for _, _, path in told(done.events, "FaultStruck")] == ["w0", "w0"]


def test_one_cause_strikes_all_that_are_up() -> None:
    scenario = Scenario(troupe(3), faults=(Together(Plan(10.0), actors=("w0", "w2")),), duration=20.0)

    assert told(simulate(scenario).events, "FaultStruck") == [
        (10.0, "FaultStruck", "w0"),
        (10.0, "FaultStruck", "w2"),
    ]


def test_a_burst_strikes_one_at_a_time() -> None:
    bursts = Together(Bursts(50.0, 4, within=1.0), fault=Leave(0.0), hits="one")
    struck = told(simulate(Scenario(troupe(3), faults=(bursts,), duration=60.0)).events, "FaultStruck")

    assert len(struck) == 4
    assert all(50.0 <= at <= 51.0 for at, *_ in struck)
    assert len({path for *_, path in struck}) > 1


def test_the_beta_factor_keeps_the_rate_of_each_and_shares_a_part() -> None:
    alone, common = beta_factor(mean=10.0, beta=0.25)
    done = simulate(Scenario(troupe(4), {"*": Model(faults=(alone,))}, faults=(common,), duration=10_000.0))
    times = [at for at, *_ in told(done.events, "FaultStruck")]
    shared = sum(times.count(at) == 4 for at in set(times))

    assert done.figures.failures == pytest.approx(4 * 1000, rel=0.06)
    assert shared == pytest.approx(250, rel=0.2)


def test_only_so_many_starts_at_a_time() -> None:
    scenario = Scenario(
        troupe(3), {"*": Model(start=2.0)}, faults=(Together(Plan(10.0)),), duration=20.0, starters=1
    )

    assert [at for at, *_ in told(simulate(scenario).events, "ActorReady")] == [
        2.0,
        4.0,
        6.0,
        12.0,
        14.0,
        16.0,
    ]


def test_a_supervisor_that_gives_up_is_for_the_one_above_to_restart() -> None:
    inner = Supervisor(*(Part.options(id=id).child() for id in ("w0", "w1")), id="inner", intensity=0)
    tree = Supervisor(Part.options(id="before").child(), inner, Part.options(id="after").child())
    done = run(tree, Crash(Plan(10.0)))

    assert told(done.events)[8:] == [
        (10.0, "FaultStruck", "inner/w0"),
        (10.0, "ActorEnded", "inner/w0"),
        (10.0, "ActorEnded", "inner/w1"),
        (10.0, "SupervisorGaveUp", "inner"),
        (10.0, "ChildRestarting", "inner"),
        (10.0, "ActorStarting", "inner/w0"),
        (11.0, "ActorReady", "inner/w0"),
        (11.0, "ActorStarting", "inner/w1"),
        (12.0, "ActorReady", "inner/w1"),
    ]


def test_a_parked_child_stays_down_and_the_rest_plays_on() -> None:
    done = run(troupe(2, intensity=0, when_exhausted="park"), Crash(Plan(10.0)))

    assert not done.gave_up
    assert told(done.events)[-1] == (10.0, "ChildParked", "w0")
    assert done.figures.actors["w1"].availability == 0.98


def test_slowness_does_not_end_anything() -> None:
    assert run(troupe(1), Slow(10.0)).figures.failures == 0


# -- the same run ------------------------------------------------------------------------------------

EVERYTHING = Scenario(
    Supervisor(
        Part.options(id="db").child(),
        Supervisor(
            *(
                Part.options(id=f"w{i}", backoff=Backoff(min=0.5, max=60.0, jitter=0.3)).child()
                for i in range(4)
            ),
            id="crunchers",
            strategy="rest_for_one",
            intensity=5,
            within=60.0,
        ),
        strategy="one_for_all",
        intensity=100,
        within=600.0,
    ),
    {
        "db": Model(start=Weibull(3.0, 2.0), stop=0.5, faults=(Crash(Exponential(900.0)),)),
        "*": Model(
            start=Exponential(1.0),
            start_fails=0.05,
            faults=(
                Crash(Weibull(400.0, 1.5), noticed=Exponential(0.2), corruption=Corruption(share=0.1)),
                Hang(Exponential(2000.0)),
                Slow(Exponential(1000.0)),
            ),
        ),
    },
    faults=(
        Together(Bursts(Exponential(3000.0), 3, within=5.0), hits="one"),
        Outage(Plan(4000.0), lasts=Exponential(30.0), actors=("crunchers/*",)),
    ),
    duration=20_000.0,
    seed=11,
)
DIGEST = "78ddda9b569ace23"


@pytest.mark.slow
def test_the_same_scenario_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "from tests.understudy.lab.test_simulation import EVERYTHING; from understudy.lab import simulate;"
        "print(simulate(EVERYTHING).digest)"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": str(seed), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
        ).stdout.strip()
        for seed in (1, 2)
    ]

    assert found == [DIGEST, DIGEST]


@pytest.mark.slow
def test_the_log_of_a_long_run_is_known_to_the_last_byte() -> None:
    done = simulate(EVERYTHING)

    assert done.digest == DIGEST
    assert len(done.events) > 1000
    assert {type(event).__name__ for event in done.events} >= {
        "ChildDelayed",
        "SupervisorGaveUp",
        "FaultStruck",
    }


def test_other_luck_gives_another_run() -> None:
    assert simulate(EVERYTHING.with_seed(12)).digest != DIGEST


def test_what_is_not_kept_is_measured_all_the_same() -> None:
    kept, measured = simulate(EVERYTHING), simulate(EVERYTHING, keep=False)

    assert measured.events == ()
    assert measured.figures == kept.figures


def test_time_that_stands_still_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.lab.world.STANDSTILL", 1000)

    with pytest.raises(SimulationError, match="time stands still; let starts or failures take time"):
        simulate(Scenario(troupe(1), {"*": Model(faults=(Crash(0.0),))}))
