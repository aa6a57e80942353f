"""The rulebook of one actor, cell by cell."""

from itertools import product

import pytest

from understudy.actors import lifecycle as lc

STATES = (lc.PENDING, lc.STARTING, lc.READY, lc.STOPPING, lc.RESTARTING, lc.DOWN, lc.DEAD)
EVENTS = ("start", "ready", "stop", "end", "rest", "retire")

# What the contract says, written once more and in another shape: state, then event to what follows.
EXPECTED = {
    lc.PENDING: {"start": lc.STARTING, "rest": lc.DOWN, "retire": lc.DEAD},
    lc.STARTING: {"ready": lc.READY, "stop": lc.STOPPING, "end": lc.RESTARTING},
    lc.READY: {"stop": lc.STOPPING, "end": lc.RESTARTING},
    lc.STOPPING: {"stop": lc.STOPPING, "ready": lc.STOPPING, "end": lc.RESTARTING},
    lc.RESTARTING: {"start": lc.STARTING, "rest": lc.DOWN, "retire": lc.DEAD},
    lc.DOWN: {"start": lc.STARTING, "rest": lc.DOWN, "retire": lc.DEAD},
    lc.DEAD: {"retire": lc.DEAD},
}


@pytest.mark.parametrize("state", STATES)
def test_every_cell_of_the_actor_table_is_as_the_contract_says(state: str) -> None:
    for event in EVENTS:
        if event in EXPECTED[state]:
            assert lc.step(state, event) == EXPECTED[state][event]
        else:
            with pytest.raises(lc.LifecycleError, match=f"an actor that is {state} cannot {event}"):
                lc.step(state, event)


def test_the_table_knows_no_other_states_or_events() -> None:
    assert {state for state, _ in lc.ACTOR} | set(lc.ACTOR.values()) == set(STATES)
    assert {event for _, event in lc.ACTOR} == set(EVENTS)


def test_the_dead_stay_dead() -> None:
    assert {following for (state, _), following in lc.ACTOR.items() if state == lc.DEAD} == {lc.DEAD}


def test_every_living_state_can_reach_death() -> None:
    reached = {lc.DEAD}
    for _ in STATES:
        reached |= {state for (state, _), following in lc.ACTOR.items() if following in reached}

    assert reached == set(STATES)


@pytest.mark.parametrize(
    ("state", "page", "fate"),
    [
        (lc.QUEUED, False, lc.NEVER_SENT),
        (lc.QUEUED, True, lc.NEVER_SENT),
        (lc.SENT, False, lc.UNKNOWN),
        (lc.SENT, True, lc.NOT_BEGUN),
        (lc.RUNNING, False, lc.UNKNOWN),
        (lc.RUNNING, True, lc.BEGUN),
    ],
)
def test_every_cell_of_the_fates(state: str, page: bool, fate: str) -> None:
    assert lc.FATES[state, page] == fate
    assert len(lc.FATES) == 6


FATES = (lc.NEVER_SENT, lc.NOT_BEGUN, lc.BEGUN, lc.UNKNOWN)


@pytest.mark.parametrize("fate", FATES)
def test_after_a_death_every_combination_has_the_verdict_of_the_contract(fate: str) -> None:
    for retries, deaths, ordered in product((-1, 0, 1, 2, 3, 4, 100), range(7), (False, True)):
        verdict = lc.after_death(fate, retries, deaths, ordered)

        if fate in (lc.NEVER_SENT, lc.NOT_BEGUN):
            assert verdict == lc.KEEP
        elif retries == 0:
            assert verdict == lc.FAIL
        elif ordered:
            assert verdict == lc.RETRY
        else:
            assert verdict == (lc.RETRY if deaths <= (min(retries, 3) if retries > 0 else 3) else lc.POISON)


@pytest.mark.parametrize("retries", [-1, 1, 3, 1000])
def test_no_message_may_cause_more_than_four_deaths(retries: int) -> None:
    verdicts = [lc.after_death(lc.BEGUN, retries, deaths, False) for deaths in range(1, 10)]

    assert verdicts.index(lc.POISON) <= lc.MOST_RETRIES
