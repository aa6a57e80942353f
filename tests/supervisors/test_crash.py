"""Crash reports: one for each crash, with all that a person wants to know."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
import trio

from tests.cast import Faller, Player
from tests.rehearsal import BOTH, NAMES, PAGED, QUIET, held, rehearse, until
from understudy import ActorStartError, CallError, ExitReason, Runtime, Thread, kill
from understudy.actors.events import ActorCrashed, ActorEnded, CallAtDeath
from understudy.supervisors.crash import report_of

each = pytest.mark.parametrize("executor", [*BOTH, Thread()], ids=[*NAMES, "thread"])


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@each
def test_a_crash_has_one_event_and_one_report_with_its_last_call(
    executor: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(runtime: Runtime) -> int:
        events = runtime.events()
        faller = await Faller.options(executor=executor, id="f", crash_on=(ValueError,)).start()
        await trio.sleep(0.01)
        ref = faller.fail.remote(ValueError("too much"))
        with pytest.raises(ValueError, match="too much"):
            await ref
        await until(lambda: held(events, ActorEnded))
        (crash,) = held(events, ActorCrashed)
        assert (crash.actor, crash.incarnation, crash.started) == ("f", 1, True)
        assert crash.up >= 10_000_000
        assert (crash.pid > 0) is (executor is QUIET)
        assert crash.calls == (CallAtDeath(ref.id, "fail", "ended"),)
        return ref.id

    with caplog.at_level(logging.INFO, "understudy"):
        id = rehearse(scene)
    (report,) = reports(caplog)
    lines = report.splitlines()
    assert lines[0].startswith("f, incarnation 1, ended: error: ")
    assert lines[0].endswith("ValueError: too much")
    assert re.match(r"  up \d+\.\d\d\d s", lines[1])
    assert f"  last calls: call {id}, fail(), ended it" in lines
    assert "ValueError: too much" in report.partition("Traceback")[2]


@each
def test_the_crash_of_a_start_says_that_it_never_was_ready(
    executor: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError):
            await Player.options(executor=executor, id="p").start(1, 2, 3)  # type: ignore[call-arg]

    with caplog.at_level(logging.INFO, "understudy"):
        rehearse(scene)
    (report,) = reports(caplog)
    assert report.startswith("p, incarnation 1, ended: error: ")
    assert "  it never was ready" in report


def test_a_death_by_a_signal_tells_stderr_and_what_had_begun(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET, id="f").start()
        with pytest.raises(CallError):
            await faller.whisper_and_vanish()

    with caplog.at_level(logging.INFO, "understudy"):
        rehearse(scene)
    (report,) = reports(caplog)
    assert ", process " in report.splitlines()[1]
    assert f", whisper_and_vanish(), {'had begun' if PAGED else 'had perhaps begun'}" in report
    assert "  its standard error ended with" in report


@each
def test_what_was_ordered_is_no_crash(executor: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Faller.options(executor=executor).start()
        await kill(faller, no_restart=False)
        await faller.add()
        with pytest.raises(CallError):
            await faller.leave()
        assert not held(events, ActorCrashed)

    with caplog.at_level(logging.INFO, "understudy"):
        rehearse(scene)
    assert reports(caplog) == []


def crash(**details: Any) -> ActorCrashed:
    told: dict[str, Any] = {
        "reason": ExitReason("error", "x"),
        "started": True,
        "up": 1,
        "pid": 0,
        "calls": (),
    }
    return ActorCrashed(0, "a/b", 3, **{**told, **details})


def test_causes_are_told_down_to_the_first() -> None:
    try:
        try:
            raise KeyError("deep")
        except KeyError as deep:
            raise RuntimeError("shallow") from deep
    except RuntimeError as error:
        report = report_of(crash(reason=ExitReason("error", "x", error)))
    assert (
        report.index("KeyError: 'deep'")
        < report.index("direct cause")
        < report.index("RuntimeError: shallow")
    )


def test_stderr_is_told_by_its_end_and_many_calls_by_their_number() -> None:
    calls = tuple(CallAtDeath(n, "work", "begun" if n == 1 else "not_begun") for n in range(1, 10))
    stderr = "".join(f"line {n}\n" for n in range(100))
    report = report_of(crash(reason=ExitReason("signal", "SIGSEGV", stderr=stderr), calls=calls))

    assert "call 1, work(), had begun; call 2, work(), had not begun" in report
    assert "and 4 more" in report
    assert "line 99" in report
    assert "line 79" not in report


def test_what_a_guest_has_written_cannot_move_the_cursor() -> None:
    report = report_of(
        crash(reason=ExitReason("error", "a\x1b[2Jb", ValueError("c\rd"), stderr="\x1b]0;evil\x07\n\tx"))
    )
    assert all(line.isprintable() for line in report.split("\n"))
    assert "a?[2Jb" in report
