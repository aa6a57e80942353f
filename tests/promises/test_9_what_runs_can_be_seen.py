"""Promise 9: one stream of events, and one message id from end to end."""

from __future__ import annotations

import logging
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast import Faller, Player, Retried
from tests.rehearsal import LOCAL, QUIET, held, rehearse, until
from understudy import (
    Actor,
    ActorUnavailableError,
    CallError,
    GetTimeoutError,
    Runtime,
    Statistics,
    current_call,
    kill,
    method,
    statistics,
)
from understudy.actors import events as actor_events
from understudy.actors.events import CallRetried, FailureUnseen, MessageBuried
from understudy.supervisors import events as supervisor_events

BOTH = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])


def test_one_id_is_in_call_ref_events_error_dead_letter_and_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(runtime: Runtime) -> int:
        events = runtime.events()
        retried = await Retried.options(max_restarts=-1, max_task_retries=1).start()
        ref = retried.die.remote(str(tmp_path / "x"), 100)
        with pytest.raises(ActorUnavailableError, match=f"call {ref.id}, die") as error:
            await ref
        (again,) = held(events, CallRetried)
        (buried,) = held(events, MessageBuried)
        ids = {
            ref.id,
            error.value.call_id,
            again.call_id,
            buried.letter.call_id,
            runtime.dead_letters[0].call_id,
        }

        assert ids == {ref.id}
        assert repr(ref).startswith(f"<ObjectRef of <call {ref.id} ")
        return ref.id

    with caplog.at_level(logging.DEBUG, "understudy"):
        id = rehearse(scene)
    assert any(
        f"call {id}, die() to retried-1, went to the dead letters: poison" in text for text in caplog.messages
    )


@BOTH
def test_the_callee_knows_the_same_id(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        ref = player.who.remote()
        assert (await ref)[0] == ref.id

    rehearse(scene)


@BOTH
def test_every_error_of_a_call_carries_its_id_and_method(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, max_restarts=-1).start()
        for name, args in (("fail", (ValueError("x"),)), ("quit", (1,)), ("leave", ())):
            ref = getattr(faller, name).remote(*args)
            with pytest.raises(CallError) as error:
                await ref
            assert (error.value.call_id, error.value.method) == (ref.id, name)

    rehearse(scene)


def test_a_timeout_carries_its_id() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        ref = player.sleep.options(timeout=0.05).remote(10)
        with pytest.raises(GetTimeoutError) as error:
            await ref
        assert error.value.call_id == ref.id

    rehearse(scene)


def test_ids_never_repeat_and_grow() -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = (
            await Player.options(executor=LOCAL).start(),
            await Player.options(executor=QUIET).start(),
        )
        ids = [player.who.remote().id for _ in range(50) for player in (first, second)]
        assert ids == sorted(set(ids))

    rehearse(scene)


class Relay(Actor, executor=LOCAL):
    @method
    def relay(self, other: Any, how: str) -> int:
        getattr(other.fall, how)()
        return current_call().id

    @method
    def fall(self) -> None:
        raise ValueError("fell")


class RelayInTasks(Actor, executor=LOCAL):
    @method
    async def relay(self, other: Any, how: str) -> int:
        await trio.lowlevel.checkpoint()
        getattr(other.fall, how)()
        return current_call().id


@pytest.mark.parametrize("how", ["cast", "remote"])
@pytest.mark.parametrize("cls", [Relay, RelayInTasks])
def test_a_message_made_in_a_method_knows_its_parent(cls: Any, how: str) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        first, second = await cls.start(), await Relay.start()
        parent = await first.relay(second, how)
        await until(lambda: held(events, FailureUnseen))
        (unseen,) = held(events, FailureUnseen)
        assert unseen.parent_id == parent
        assert unseen.call_id > parent

    rehearse(scene)


def test_a_dead_letter_knows_its_parent() -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = await Relay.start(), await Relay.options(max_restarts=0).start()
        mailbox = second._life.mailbox  # type: ignore[attr-defined]
        receiver, mailbox.receiver = mailbox.receiver, None
        parent = await first.relay(second, "cast")
        mailbox.receiver = receiver
        await kill(second)
        (letter,) = runtime.dead_letters
        assert letter.parent_id == parent

    rehearse(scene)


KINDS: list[type] = [
    kind
    for module in (actor_events, supervisor_events)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, actor_events.Event)
]


@pytest.mark.parametrize("kind", sorted(set(KINDS), key=str))
def test_every_event_is_a_frozen_value_with_time_actor_and_incarnation(kind: type) -> None:
    assert is_dataclass(kind)
    assert [field.name for field in fields(kind)][:3] == ["at", "actor", "incarnation"]
    event = object.__new__(kind)
    with pytest.raises((FrozenInstanceError, TypeError)):
        event.at = 1  # type: ignore[attr-defined]
    assert not hasattr(event, "__dict__")


@BOTH
def test_statistics_tell_the_present(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Faller.options(executor=executor, name="p").start()
        fresh = statistics(player)
        assert fresh == Statistics("p", "ready", 1, fresh.pid, 0, 0, "", 0, fresh.uptime)
        assert (fresh.pid > 0) is (executor is QUIET)

        with pytest.raises(CallError):
            await player.quit(1)
        await player.add()
        later = statistics(player)
        assert (later.incarnation, later.state) == (2, "ready")
        assert "SystemExit" in later.last_reason
        with pytest.raises(FrozenInstanceError):
            later.state = "x"  # type: ignore[misc]

    rehearse(scene)


def test_deaths_are_logged_as_warnings_unless_they_were_ordered(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=LOCAL, id="f").start()
        await kill(faller, no_restart=False)
        with pytest.raises(CallError):
            await faller.quit(1)

    with caplog.at_level(logging.DEBUG, "understudy"):
        rehearse(scene)
    ends = [
        (record.levelno, record.getMessage())
        for record in caplog.records
        if record.getMessage().startswith("f, ")
    ]
    assert [level for level, _ in ends] == [logging.DEBUG, logging.WARNING, logging.DEBUG]
    assert "f, incarnation 2, ended: error: SystemExit: 1" in ends[1][1]


def test_the_library_installs_no_handler() -> None:
    for name in ("understudy", "understudy.supervisors", "understudy.transports"):
        assert logging.getLogger(name).handlers == []
