"""Traces: everything known of one message and of those it caused, from a log that is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Faller, Player
from tests.cast_calls import Asker, Target
from tests.rehearsal import BOTH, LOCAL, NAMES, rehearse, run
from understudy import Runtime, Supervisor, UnderstudyError, blocking, kill, open_runtime
from understudy.actors.events import (
    MessageBuried,
    MessageEnded,
    MessageFailed,
    MessageQueued,
)
from understudy.supervisors.events import EventStream
from understudy.supervisors.trace import TraceLog

each = pytest.mark.parametrize("executor", BOTH, ids=NAMES)


@each
def test_a_trace_tells_the_steps_of_a_message_and_of_those_it_caused(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        runtime.tracing()
        caller = await Asker.options(executor=executor, id="caller").start()
        target = await Target.options(executor=executor, id="target").start()
        ref = caller.cast_on.remote(target, "note", 1)
        await ref
        await target.noted()
        trace = runtime.trace(ref.id)
        (child,) = trace.children

        assert (trace.call_id, trace.parent_id, child.parent_id) == (ref.id, 0, ref.id)
        assert [type(trace.events[0]), type(trace.events[-1])] == [MessageQueued, MessageEnded]
        assert {event.actor for event in child.events} == {"target"}
        lines = str(trace).splitlines()
        assert lines[0] == f"call {ref.id}, cast_on()"
        assert "0.000 ms  MessageQueued   caller, incarnation 1" in lines[1]
        assert f"    call {child.call_id}, note()" in lines

    rehearse(scene)


def test_a_trace_tells_failures_and_dead_letters() -> None:
    async def scene(runtime: Runtime) -> None:
        runtime.tracing()
        faller = await Faller.options(executor=LOCAL, id="f").start()
        ref = faller.fail.remote(ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            await ref
        assert "MessageFailed   f, incarnation 1: " in str(runtime.trace(ref.id))
        assert "no" in str(runtime.trace(ref.id))

        faller.note.cast("late")
        await kill(faller)
        (letter,) = runtime.dead_letters
        kinds = [type(event) for event in runtime.trace(letter.call_id).events]
        assert kinds == [MessageQueued, MessageFailed, MessageBuried]

    rehearse(scene)


def test_of_an_unknown_message_nothing_is_known_and_nothing_invented() -> None:
    async def scene(runtime: Runtime) -> None:
        runtime.tracing()
        trace = runtime.trace(4711)
        assert (trace.events, trace.children, trace.parent_id) == ((), (), 0)
        assert str(trace) == "call 4711: nothing is known of it"

    rehearse(scene)


def test_without_a_log_a_trace_is_refused_with_what_to_write() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(UnderstudyError, match=r"open_runtime\(trace=True\)"):
            runtime.trace(1)
        runtime.tracing()
        runtime.tracing()
        runtime.tracing(on=False)
        runtime.tracing(on=False)
        assert not runtime.house.watching
        with pytest.raises(UnderstudyError):
            runtime.trace(1)

    rehearse(scene)


def test_the_log_keeps_the_last_events_and_no_more() -> None:
    log = TraceLog(EventStream(), most=5)
    for number in range(1, 10):
        log.put(MessageQueued(number, "a", 1, number, "add", number - 1))

    assert len(log.held) == 5
    assert log.trace(4).events == ()
    assert log.trace(5).events != ()
    assert log.trace(5).children[0].call_id == 6


def test_a_long_chain_of_causes_is_cut_and_not_an_error() -> None:
    log = TraceLog(EventStream())
    for number in range(1, 3000):
        log.put(MessageQueued(number, "a", 1, number, "add", number - 1))

    assert len(str(log.trace(1)).splitlines()) == 2 * 101


def test_a_runtime_can_trace_from_its_beginning() -> None:
    async def play() -> None:
        async with open_runtime(
            Supervisor(Player.options(executor=LOCAL, id="p").child()), trace=True
        ) as runtime:
            ref = runtime.get_actor("p").add.remote(1)
            assert await ref == 1
            assert len(runtime.trace(ref.id).events) == 3

    run(play)


def test_plain_code_can_trace() -> None:
    with blocking.open_runtime(trace=True) as runtime:
        player = Player.options(executor=LOCAL).remote()
        ref = player.add.remote(1)
        assert blocking.get(ref) == 1
        assert len(runtime.trace(ref.id).events) == 3
        runtime.tracing(on=False)
        with pytest.raises(UnderstudyError):
            runtime.trace(ref.id)
