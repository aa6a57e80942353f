"""Random trees under random faults: whatever they are, the live shell and the simulated one decide the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast_lab import Part
from tests.understudy.lab.test_live import decisions, live
from understudy import ChildSpec, Supervisor
from understudy.actors.backoff import Backoff
from understudy.lab import (
    Arrivals,
    Corruption,
    Crash,
    Exponential,
    Hang,
    Leave,
    Model,
    Outage,
    Scenario,
    Together,
    simulate,
)

# Times are drawn from distributions without steps, so that no two things happen at one moment by chance.
TIMES = st.floats(0.05, 3.0).map(Exponential)
GAPS = st.floats(20.0, 200.0).map(Exponential)
CORRUPTIONS = st.none() | st.builds(Corruption, st.floats(0.0, 1.0), st.sampled_from(["all", "rest"]), TIMES)
FAULTS = st.one_of(
    st.builds(Crash, GAPS, TIMES, st.sampled_from(["up", "aged"]), CORRUPTIONS),
    st.builds(Crash, GAPS, st.just(0.0), st.just("up"), CORRUPTIONS),
    st.builds(Hang, GAPS, TIMES),
    st.builds(Leave, GAPS.map(Arrivals)),
)
MODELS = st.builds(
    Model,
    start=TIMES,
    restart=st.none() | TIMES,
    renewal=st.none() | TIMES,
    stop=TIMES,
    start_fails=st.just(0.0) | st.floats(0.0, 0.2),
    ageing=st.none() | TIMES,
    faults=st.lists(FAULTS, max_size=2).map(tuple),
)
BACKOFFS = st.none() | st.builds(Backoff, min=st.just(0.37), max=st.just(7.3), jitter=st.floats(0.1, 0.9))
RESTARTS = st.sampled_from(["permanent", "permanent", "transient", "temporary"])
LEAVES = st.builds(
    lambda restart, backoff, shutdown: (restart, backoff, shutdown),
    RESTARTS,
    BACKOFFS,
    st.sampled_from([5.0, math.inf]),
)


def supervisor_of(
    children: list[object], id: str, strategy: str, intensity: int, exhausted: str
) -> Supervisor:
    """Of tuples, which are leaves, and of supervisors."""
    made: list[ChildSpec[Part] | Supervisor] = []
    for index, child in enumerate(children):
        if isinstance(child, tuple):
            restart, backoff, shutdown = child
            made.append(
                Part.options(id=f"a{index}", restart=restart, backoff=backoff, shutdown=shutdown).child()
            )
        else:
            make = child
            assert callable(make)
            made.append(make(f"s{index}"))
    return Supervisor(
        *made,
        id=id,
        strategy=strategy,  # type: ignore[arg-type]
        intensity=intensity,
        within=20.0,
        when_exhausted=exhausted,  # type: ignore[arg-type]
    )


def nodes(children: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """A supervisor of these, that is told its id later."""
    return st.builds(
        lambda *rest: lambda id: supervisor_of(rest[0], id, *rest[1:]),
        st.lists(children, min_size=1, max_size=3),
        st.sampled_from(["one_for_one", "rest_for_one", "one_for_all", "escalating"]),
        st.integers(1, 4),
        st.sampled_from(["escalate", "escalate", "throttle", "park"]),
    )


TREES = nodes(st.recursive(LEAVES, nodes, max_leaves=5))
COMMON = st.one_of(
    st.builds(Together, GAPS.map(Arrivals), actors=st.just(("*0",)), hits=st.just("one")),
    st.builds(Outage, GAPS.map(Arrivals), TIMES, st.just(("*1",))),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(tree=TREES, model=MODELS, other=MODELS, common=st.lists(COMMON, max_size=2), seed=st.integers(0, 1000))
def test_live_and_simulated_take_the_same_decisions(
    tree: object, model: Model, other: Model, common: list[Together | Outage], seed: int
) -> None:
    assert callable(tree)
    scenario = Scenario(
        tree("root"), {"*0": model, "*": other}, faults=tuple(common), duration=200.0, seed=seed
    )
    simulated, lived = simulate(scenario), live(scenario)

    assert decisions(lived) == decisions(simulated)
    assert lived.gave_up == simulated.gave_up
