"""Promise 7: errors surface where they belong; nothing is logged and dropped."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.cast import Faller, Player, Starter
from tests.rehearsal import LOCAL, QUIET, held, rehearse, run
from understudy import (
    Actor,
    ActorDiedError,
    ActorStartError,
    DeadlockError,
    NoRuntimeError,
    PendingCallsLimitExceeded,
    Runtime,
    Supervisor,
    TaskError,
    current_actor,
    get_actor,
    method,
    open_runtime,
    wait_ready,
)
from understudy.actors.events import FailureUnseen

BOTH = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])


@BOTH
@pytest.mark.parametrize("way", ["start", "wait_ready", "call", "tree"])
def test_a_failing_start_fails_whoever_waits_for_it(executor: Any, way: str) -> None:
    kind = Starter.options(executor=executor)

    async def play() -> None:
        if way == "tree":
            async with open_runtime(Supervisor(kind.child("raise"))):
                raise AssertionError("it opened")
        async with open_runtime():
            if way == "start":
                await kind.start("raise")
            handle = kind.remote("raise")
            await (wait_ready(handle) if way == "wait_ready" else handle.ping())

    with pytest.raises(ActorDiedError if way == "call" else ActorStartError, match="bad start") as error:
        run(play)
    assert isinstance(error.value, ActorDiedError | ActorStartError)
    assert error.value.reason.kind == "error"


def test_a_failing_start_carries_the_original_exception() -> None:
    async def scene(runtime: Runtime) -> None:
        await Starter.start("raise")

    with pytest.raises(ActorStartError) as error:
        rehearse(scene)
    cause = error.value.__cause__
    assert isinstance(cause, ValueError)
    assert "bad start" in "".join(cause.__notes__)


def test_without_a_runtime_the_error_says_what_to_write() -> None:
    with pytest.raises(
        NoRuntimeError, match=r"write: async with open_runtime\(\): ... and start actors inside"
    ):
        Player.remote()


@BOTH
def test_a_full_mailbox_says_whose_it_is_and_what_to_do(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor, max_pending_calls=1, id="p").start()
        ref = player.add.remote()
        with pytest.raises(
            PendingCallsLimitExceeded, match=r"p has 1 pending calls, its max_pending_calls; await a call"
        ):
            player.add.remote()
        await ref

    rehearse(scene)


def test_the_traceback_of_the_callee_is_a_note() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        with pytest.raises(TaskError) as error:
            await faller.fail_from()
        (note,) = error.value.__notes__
        assert "cast.py" in note
        assert "KeyError: 'root'" in note
        assert "The above exception was the direct cause" in note
        assert "understudy_guest" not in note

    rehearse(scene)


def test_a_local_callee_leaves_its_own_traceback_as_the_cause() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=LOCAL).start()
        with pytest.raises(ValueError, match="branch") as error:
            await faller.fail_from()
        cause = error.value.__cause__
        assert isinstance(cause, ValueError)
        assert isinstance(cause.__cause__, KeyError)
        assert cause.__traceback__ is not None

    rehearse(scene)


@BOTH
def test_what_nobody_awaits_is_told_and_logged(executor: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Faller.options(executor=executor).start()
        faller.fail.remote(ValueError("ref"))
        faller.fail.cast(ValueError("cast"))
        await faller.add()
        unseen = held(events, FailureUnseen)

        assert sorted(str(event.error) for event in unseen) == ["cast", "ref"]
        told = [record.getMessage() for record in caplog.records if "nobody awaited" in record.getMessage()]
        assert len(told) == 2

    with caplog.at_level(logging.WARNING, "understudy"):
        rehearse(scene)


def test_a_call_to_oneself_is_a_deadlock_told_at_once() -> None:
    class Lonely(Actor, executor=LOCAL):
        @method
        def talk(self) -> None:
            current_actor().talk()

    async def scene(runtime: Runtime) -> None:
        with pytest.raises(DeadlockError):
            await Lonely.remote().talk()

    rehearse(scene)


def test_a_start_in_a_tree_that_stops_is_refused() -> None:
    refused: list[str] = []

    class Parting(Actor, executor=LOCAL):
        @method
        def ping(self) -> None: ...

    async def scene(runtime: Runtime) -> None:
        def on_event(event: object) -> None:
            if runtime.closing and not refused:
                try:
                    runtime.spawn(Parting.child())
                except NoRuntimeError as error:
                    refused.append(str(error))

        await Parting.start()
        runtime.house.stream.listeners.append(on_event)

    rehearse(scene)
    assert refused == ["the runtime is closing and starts nothing new"]


def test_the_dead_say_of_what_they_died() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET, max_restarts=0, name="f").start()
        with pytest.raises(ActorDiedError):
            await faller.whisper_and_vanish()
        with pytest.raises(
            ActorDiedError, match=r"f is dead \(error: its process exited with status 4\)"
        ) as error:
            await faller.add()
        assert "my last words" in error.value.reason.stderr
        with pytest.raises(LookupError):
            get_actor("f")

    rehearse(scene)
