"""What each strategy decides, and that it is a value: pure, comparable, picklable, printable."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass, field
from typing import Any

import pytest

from understudy import Strategy, Supervisor
from understudy.supervisors.spec import STRATEGIES
from understudy.supervisors.strategies.escalating import Escalating
from understudy.supervisors.strategies.one_for_all import OneForAll
from understudy.supervisors.strategies.one_for_one import OneForOne
from understudy.supervisors.strategies.rejuvenating import Rejuvenating
from understudy.supervisors.strategies.rest_for_one import RestForOne
from understudy.supervisors.strategies.strategy import (
    NANO,
    Decision,
    Ends,
    Exited,
    Sample,
    Sampled,
    StartFailed,
    StrategyError,
    View,
    Woke,
    checked,
)

SHIPPED: list[Any] = [
    *STRATEGIES.values(),
    Rejuvenating(max_age=60.0),
    Rejuvenating(max_memory=1e9, then=OneForAll()),
]


@dataclass
class Seen:
    state: str = "running"
    since: int = 0
    ends: list[int] = field(default_factory=list)


def view(now: float = 0.0, **children: Seen) -> View:
    return View(children or {id: Seen() for id in "abcd"}, round(now * NANO))


def decide(strategy: Any, event: Any, seen: View) -> Decision:
    decision: Decision = strategy.decide(event, seen, seen.now)
    return checked(decision, seen.children, seen.now)


# -- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", SHIPPED, ids=repr)
def test_a_strategy_is_a_value(strategy: Any) -> None:
    twin = pickle.loads(pickle.dumps(strategy))

    assert twin == strategy
    assert hash(twin) == hash(strategy)
    assert type(strategy).__name__ in repr(twin)
    assert isinstance(strategy, Strategy)


@pytest.mark.parametrize("strategy", SHIPPED, ids=repr)
@pytest.mark.parametrize(
    "event",
    [Exited("b", None), StartFailed("b", None), Woke(), Sampled({})],
    ids=lambda event: type(event).__name__,
)
def test_a_strategy_answers_every_event_the_same_each_time(strategy: Any, event: Any) -> None:
    seen = view(b=Seen(ends=[0]), a=Seen())

    assert decide(strategy, event, seen) == decide(strategy, event, seen)


@pytest.mark.parametrize(
    "value", [Exited("a", 1), Woke(), Sampled({"a": Sample(1, 2, 3, 4.0)}), Decision(start=("a",))]
)
def test_events_and_decisions_are_values(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == value


# -- OTP's -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Exited, StartFailed])
@pytest.mark.parametrize(
    ("strategy", "child", "stop", "start"),
    [
        (OneForOne(), "b", (), ("b",)),
        (OneForAll(), "b", ("a", "c", "d"), ("a", "b", "c", "d")),
        (RestForOne(), "b", ("c", "d"), ("b", "c", "d")),
        (RestForOne(), "a", ("b", "c", "d"), ("a", "b", "c", "d")),
        (RestForOne(), "d", (), ("d",)),
    ],
)
def test_whom_a_strategy_stops_and_starts(
    kind: Any, strategy: Any, child: str, stop: Any, start: Any
) -> None:
    assert decide(strategy, kind(child, None), view()) == Decision(stop, start)


# -- escalating --------------------------------------------------------------------------------------


def escalate(strategy: Escalating, ends: int, now: float = 10.0) -> Decision:
    times = [round((now - 1) * NANO)] * ends
    return decide(strategy, Exited("b", None), view(now, a=Seen(), b=Seen(ends=times), c=Seen()))


def test_a_fault_that_comes_back_widens_what_is_restarted() -> None:
    steps = [escalate(Escalating(alone=1, rest=2, all=1), ends) for ends in range(1, 6)]

    assert [(step.stop, step.start) for step in steps[:4]] == [
        ((), ("b",)),
        (("c",), ("b", "c")),
        (("c",), ("b", "c")),
        (("a", "c"), ("a", "b", "c")),
    ]
    assert steps[4].give_up


def test_ends_that_are_long_past_are_forgiven() -> None:
    late = view(100.0, b=Seen(ends=[0, NANO, 2 * NANO, 100 * NANO]), c=Seen())

    assert decide(Escalating(within=60.0), Exited("b", None), late) == Decision(start=("b",))


@pytest.mark.parametrize(
    ("fields", "text"),
    [({"alone": -1}, "alone must be"), ({"rest": 1.5}, "rest must"), ({"within": 0}, "within must")],
)
def test_a_bad_field_of_escalating_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Escalating(**fields)


# -- rejuvenating ------------------------------------------------------------------------------------

QUIET, BUSY = Sample(), Sample(waiting=1)


def look(strategy: Rejuvenating, now: float = 100.0, **samples: Sample) -> tuple[str, ...]:
    """Whom it restarts, of children that became ready at 0, 10, 20, ..."""
    children = {id: Seen(since=10 * n * NANO) for n, id in enumerate(samples)}
    decision = decide(strategy, Sampled(samples), view(now, **children))
    assert decision.stop == decision.start
    return tuple(decision.start)


def test_the_oldest_of_those_that_are_due_is_restarted_one_at_a_time() -> None:
    assert look(Rejuvenating(max_age=85.0), a=QUIET, b=QUIET, c=QUIET) == ("a",)
    assert look(Rejuvenating(max_age=85.0), a=BUSY, b=QUIET, c=QUIET) == ("b",)
    assert look(Rejuvenating(max_age=85.0), a=BUSY, b=BUSY, c=QUIET) == ()
    assert look(Rejuvenating(max_age=200.0), a=QUIET) == ()


def test_one_that_is_never_quiet_is_not_waited_for_for_ever() -> None:
    assert look(Rejuvenating(max_age=50.0, patience=60.0), now=109.0, a=BUSY) == ()
    assert look(Rejuvenating(max_age=50.0, patience=60.0), now=110.0, a=BUSY) == ("a",)


def test_one_that_is_too_large_is_restarted_whatever_its_age() -> None:
    large = Sample(memory=2_000)

    assert look(Rejuvenating(max_memory=1_000), now=1.0, a=large) == ("a",)
    assert look(Rejuvenating(max_memory=1_000), now=1.0, a=Sample(memory=2_000, running=1)) == ()
    assert look(Rejuvenating(max_memory=1_000, quiet=False), now=1.0, a=Sample(memory=2_000, running=1)) == (
        "a",
    )


def test_without_looks_age_alone_asks_to_be_woken() -> None:
    by_age = Rejuvenating(max_age=30.0, quiet=False)

    assert by_age.sample_every is None
    first = decide(by_age, Woke(), view(1.0, a=Seen(), b=Seen(since=NANO // 2)))
    assert first == Decision(wake_at=30 * NANO)
    assert decide(by_age, Woke(), view(30.0, a=Seen(), b=Seen(since=NANO // 2))).start == ("a",)
    both = decide(by_age, Woke(), view(31.0, a=Seen(), b=Seen(since=NANO)))
    assert (both.start, both.wake_at) == (("a",), 31 * NANO + 1)


def test_what_does_not_run_is_left_alone() -> None:
    down = view(100.0, a=Seen(state="down"), b=Seen(state="restarting"))

    assert decide(Rejuvenating(max_age=5.0), Sampled({}), down).start == ()


def test_what_follows_an_end_is_for_another_strategy() -> None:
    assert decide(Rejuvenating(max_age=5.0, then=RestForOne()), Exited("c", None), view()).start == ("c", "d")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "give max_age"),
        ({"max_age": 0}, "max_age must be"),
        ({"max_age": 5, "every": 0}, "every must be"),
        ({"max_age": 5, "then": "one_for_one"}, "then must be a strategy"),
        ({"max_age": math.nan}, "max_age must be"),
    ],
)
def test_a_bad_field_of_rejuvenating_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Rejuvenating(**fields)


# -- what a strategy may look at, and decide ---------------------------------------------------------


def test_the_view_shows_order_state_age_and_history() -> None:
    seen = view(
        10.0, a=Seen(since=4 * NANO), b=Seen(state="down", ends=[NANO, 9 * NANO]), c=Seen(ends=[9 * NANO])
    )

    assert seen.ids == ("a", "b", "c")
    assert (seen.after("a"), seen.after("c"), seen.others("b")) == (("b", "c"), (), ("a", "c"))
    assert (seen.state("b"), seen.age("a"), seen.age("b")) == ("down", 6.0, 0.0)
    assert [seen.history.of("b").within(seconds) for seconds in (0.5, 1.0, 9.0)] == [0, 1, 2]
    assert (len(seen.history.of("b")), seen.history.of_all().within(1.0)) == (2, 2)


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        (None, r"decide\(\) must return a Decision, not None"),
        ({"start": ["a"]}, "must return a Decision"),
        (Decision(start="a"), "start must be a tuple of child ids, not 'a'"),
        (Decision(stop=3), "stop must be a tuple of child ids, not 3"),  # type: ignore[arg-type]
        (Decision(start=("x",)), "start names 'x', which is no child here"),
        (Decision(stop=(["a"],)), "stop names"),  # type: ignore[arg-type]
        (Decision(wake_at=5), "wake_at must be a time after now, 5, in whole nanoseconds, not 5"),
        (Decision(wake_at=7.5), "wake_at must be"),  # type: ignore[arg-type]
        (Decision(wake_at=10**400), "wake_at must be a time after now, 5, .* at most 200 years away"),
    ],
)
def test_nonsense_is_refused_with_what_is_wrong(decision: Any, text: str) -> None:
    with pytest.raises(StrategyError, match=text):
        checked(decision, view().children, 5)


def test_ends_are_counted_as_far_back_as_is_remembered() -> None:
    assert Ends([0, 5 * NANO], 10 * NANO).within(math.inf) == 2
    assert escalate(Escalating(within=math.inf), 4) == Decision(give_up=True)


def test_an_age_beyond_all_clocks_is_looked_at_in_time() -> None:
    seldom = Rejuvenating(max_age=1e300, quiet=False).decide(Woke(), view(), 5)
    assert checked(seldom, view().children, 5) is seldom


@pytest.mark.parametrize("every", ["x", -1, 0, True, math.inf, math.nan, 10**400, 1e-300])
def test_a_plan_refuses_looks_that_cannot_be(every: Any) -> None:
    class Watching(OneForOne):
        sample_every = every

    with pytest.raises(ValueError, match=r"sample_every of .* must be a number of seconds"):
        Supervisor(strategy=Watching())
