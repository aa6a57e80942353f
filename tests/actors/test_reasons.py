"""Exit reasons are values: what each kind means, what it carries, how it travels."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tests.cast_watch import Deep, Unpicklable
from tests.rehearsal import QUIET, rehearse
from understudy import ExitReason, Runtime, Thread, monitor
from understudy.actors import reasons
from understudy.supervisors import core
from understudy.transports.guests.causes import LostError

# Kind, whether it is abnormal, and whether a permanent, a transient and a temporary child comes back.
KINDS: list[tuple[str, bool, tuple[bool, bool, bool]]] = [
    (reasons.NORMAL, False, (True, False, False)),
    (reasons.SHUTDOWN, False, (True, False, False)),
    (reasons.ERROR, True, (True, True, False)),
    (reasons.SIGNAL, True, (True, True, False)),
    (reasons.INTERRUPTED, True, (True, True, False)),
    (reasons.TIMEOUT, True, (True, True, False)),
    (reasons.UNREACHABLE, True, (True, True, False)),
    (reasons.ABANDONED, True, (True, True, False)),
]


@pytest.mark.parametrize(("kind", "abnormal", "comes_back"), KINDS)
def test_a_kind_says_whether_it_is_abnormal_and_who_comes_back(
    kind: str, abnormal: bool, comes_back: tuple[bool, bool, bool]
) -> None:
    reason = ExitReason(kind, "a text")
    types = ("permanent", "transient", "temporary")

    assert reason.abnormal is abnormal
    assert tuple(core.RESTARTS[one, reason.abnormal] == core.RESTART for one in types) == comes_back
    assert str(reason) == f"{kind}: a text"
    assert pickle.loads(pickle.dumps(reason)) == reason


def test_the_table_has_every_kind() -> None:
    values = {value for name, value in vars(reasons).items() if name.isupper() and type(value) is str}

    assert {kind for kind, _, _ in KINDS} == values


def test_equality_leaves_out_what_is_told_to_persons() -> None:
    assert ExitReason("error", "x", ValueError(1), stderr="a") == ExitReason("error", "x", stderr="b")
    assert ExitReason("error", "x") != ExitReason("error", "y")
    assert ExitReason("signal", status=-9) != ExitReason("signal", status=-15)


def chain(error: BaseException | None) -> list[str]:
    found: list[str] = []
    while error is not None:
        found.append(repr(error))
        error = error.__cause__ or error.__context__
    return found


def test_a_reason_travels_with_its_exception_and_all_causes() -> None:
    try:
        Deep().dive()
    except KeyError as error:
        reason = ExitReason("error", "deep", error)
    copy = pickle.loads(pickle.dumps(reason))

    assert chain(copy.exception) == ["KeyError('outer')", "ValueError('middle')", "OSError('root')"]
    assert type(copy.exception.__cause__) is ValueError
    assert copy.exception.__cause__.__cause__ is None  # it was raised while handling, not from


def test_what_cannot_travel_is_named_and_costs_nothing_else() -> None:
    outer = KeyError("outer")
    outer.__cause__ = Unpicklable("inner")
    copy = pickle.loads(pickle.dumps(ExitReason("error", "x", outer)))
    other = pickle.loads(pickle.dumps(ExitReason("error", "x", Unpicklable("all"))))

    assert chain(copy.exception) == ["KeyError('outer')", "LostError('tests.cast_watch.Unpicklable: inner')"]
    assert isinstance(other.exception, LostError)
    assert str(other.exception) == "tests.cast_watch.Unpicklable: all"


def test_a_circle_of_causes_ends() -> None:
    first, second = KeyError(1), ValueError(2)
    first.__cause__, second.__cause__ = second, first
    copy = pickle.loads(pickle.dumps(ExitReason("error", "x", first)))

    assert [type(copy.exception), type(copy.exception.__cause__)] == [KeyError, ValueError]
    assert copy.exception.__cause__.__cause__ is None


@pytest.mark.parametrize("executor", [Thread(), QUIET], ids=["thread", "process"])
def test_the_causes_of_a_guests_error_reach_whoever_watches(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        deep = await Deep.options(executor=executor).start()
        async with monitor(deep) as downs:
            deep.dive.cast()
            down = await anext(downs)
        assert down.reason.kind == "error"
        assert chain(down.reason.exception) == [
            "KeyError('outer')",
            "ValueError('middle')",
            "OSError('root')",
        ]

    rehearse(scene)
