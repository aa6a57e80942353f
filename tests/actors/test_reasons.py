"""Exit reasons are values: what each kind means, what it carries, how it travels."""

from __future__ import annotations

import pickle
import signal
from typing import Any

import pytest

from tests.cast_watch import Deep, Ending, Unpicklable
from tests.rehearsal import QUIET, rehearse, until
from understudy import (
    ExitReason,
    Ladder,
    Limits,
    Process,
    Runtime,
    Thread,
    interrupt,
    kill,
    monitor,
    statistics,
    wait_ready,
)
from understudy.actors import reasons
from understudy.actors.verbs import life_of
from understudy.supervisors import rules
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
    (reasons.RECYCLED, False, (True, False, False)),
]


@pytest.mark.parametrize(("kind", "abnormal", "comes_back"), KINDS)
def test_a_kind_says_whether_it_is_abnormal_and_who_comes_back(
    kind: str, abnormal: bool, comes_back: tuple[bool, bool, bool]
) -> None:
    reason = ExitReason(kind, "a text")
    types = ("permanent", "transient", "temporary")

    assert reason.abnormal is abnormal
    assert tuple(rules.RESTARTS[one, reason.abnormal] == rules.RESTART for one in types) == comes_back
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


# -- each kind, as it happens ------------------------------------------------------------------------

LADDER = Ladder(interrupt=0.05, terminate=0.05)


async def leave(_: Runtime, actor: Any) -> None:
    actor.leave.cast()


async def stop(runtime: Runtime, actor: Any) -> None:
    runtime.dynamic.terminate(life_of(actor))


async def fail(_: Runtime, actor: Any) -> None:
    actor.fail.cast()


async def strike(_: Runtime, actor: Any) -> None:
    actor.signal.cast(signal.SIGKILL)


async def halt(_: Runtime, actor: Any) -> None:
    actor.signal.cast(signal.SIGSTOP)


async def break_off(_: Runtime, actor: Any) -> None:
    ref = actor.spin.remote()
    await until(lambda: statistics(actor).queued == 0)
    await interrupt(actor)
    await ref.wait_done()


async def outlast(_: Runtime, actor: Any) -> None:
    actor.block.cast(0.6)
    await until(lambda: statistics(actor).queued == 0)
    await kill(actor, no_restart=False)


async def wear_out(_: Runtime, actor: Any) -> None:
    await actor.block(0)


async def nothing(_: Runtime, actor: Any) -> None:
    """It ends by itself."""


HAPPENS: dict[str, tuple[Any, Any, str]] = {
    "normal": (Ending.options(), leave, "normal"),
    "shutdown": (Ending.options(), stop, "shutdown"),
    "error": (Ending.options(), fail, "error: fail() raised ValueError: this"),
    "signal": (Ending.options(), strike, "signal: its process "),
    "interrupted": (
        Ending.options(after_interrupt="restart"),
        break_off,
        "interrupted: its state is not trusted after an interrupt",
    ),
    "timeout": (
        Ending.options(start_timeout=0.3),
        nothing,
        "timeout: __init__ took longer than start_timeout, 0.3 s",
    ),
    "unreachable": (
        Ending.options(executor=Process(stderr="keep", stopped_timeout=0.1)),
        halt,
        "unreachable: its process was stopped by SIGSTOP for 0.1 s",
    ),
    "abandoned": (
        Ending.options(executor=Thread(ladder=LADDER)),
        outlast,
        "abandoned: its thread goes on though it was to end (signal: killed by kill())",
    ),
    "recycled": (
        Ending.options(executor=Process(stderr="keep", limits=Limits(max_calls=1))),
        wear_out,
        "recycled: ",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HAPPENS)
def test_whoever_watches_is_told_the_kind_of_an_end(kind: str) -> None:
    made, happens, text = HAPPENS[kind]

    async def scene(runtime: Runtime) -> None:
        await Ending.start()  # what starts guests is there from now on
        actor = made.remote(30 if kind == "timeout" else 0)
        if kind != "timeout":
            await wait_ready(actor)
        async with monitor(actor) as downs:
            await happens(runtime, actor)
            reason = (await anext(downs)).reason
        assert reason.kind == kind
        assert str(reason).startswith(text)

    rehearse(scene)


def test_each_kind_of_end_has_been_seen() -> None:
    assert list(HAPPENS) == [kind for kind, _, _ in KINDS]
