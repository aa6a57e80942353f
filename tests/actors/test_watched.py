"""Watched calls: every step of every message is told, in its order, and nothing is told when nobody listens."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio.lowlevel
import trio.testing

from tests.cast import Faller, Player
from tests.cast_async import Juggler
from tests.cast_pools import Member
from tests.cast_streams import Spring
from tests.rehearsal import BOTH, LOCAL, NAMES, QUIET, held, rehearse, run, until
from understudy import Actor, CallError, Pool, Runtime, TaskCancelledError, Thread, kill, method, open_runtime
from understudy.actors.events import (
    CallRetried,
    MessageBegun,
    MessageEnded,
    MessageEvent,
    MessageFailed,
    MessageQueued,
    MessageSent,
)
from understudy.actors.suspension import resume, suspend
from understudy.actors.verbs import life_of

each = pytest.mark.parametrize("executor", [*BOTH, Thread()], ids=[*NAMES, "thread"])
HERE = [MessageQueued, MessageBegun, MessageEnded]
THERE = [MessageQueued, MessageSent, MessageEnded]


def steps(reader: Any, id: int) -> list[type]:
    return [type(event) for event in held(reader, MessageEvent) if event.call_id == id]


@each
def test_a_call_is_told_from_its_queue_to_its_end(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor, id="p").start()
        events = runtime.events(messages=True)
        ref = player.add.remote(1)
        await ref
        assert steps(events, ref.id) == (HERE if executor is LOCAL else THERE)
        told = held(events, MessageEvent)
        assert {(event.actor, event.incarnation, event.method) for event in told} == {("p", 1, "add")}
        assert [event.at for event in told] == sorted(event.at for event in told)

    rehearse(scene)


@each
@pytest.mark.parametrize("way", ["await", "cast", "map", "call"])
def test_every_way_to_send_a_message_is_told(executor: Any, way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        events = runtime.events(messages=True)
        for _ in range(3):
            if way == "await":
                await player.add(1)
            elif way == "cast":
                player.add.cast(1)
            elif way == "map":
                async with player.add.map(range(3)) as sums:
                    assert len([n async for n in sums]) == 3
            else:
                await player.call(Player.helper, 1)
        await player.echo()
        told = held(events, MessageQueued)[:-1]
        assert len(told) == (9 if way == "map" else 3)
        assert [event.cast for event in told] == [way == "cast"] * len(told)
        assert len({event.call_id for event in told}) == len(told)
        ended = [event.call_id for event in held(events, MessageEnded)]
        assert ended[:-1] == [event.call_id for event in told]

    rehearse(scene)


def test_the_methods_of_async_classes_are_told_too() -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=LOCAL).start()
        events = runtime.events(messages=True)
        ref = juggler.sleep.remote(0)
        await ref
        assert steps(events, ref.id) == [MessageQueued, MessageSent, MessageBegun, MessageEnded]

    rehearse(scene)


@each
def test_a_stream_is_one_message_from_its_queue_to_its_last_item(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        spring = await Spring.options(executor=executor).start()
        events = runtime.events(messages=True)
        async with spring.numbers(5) as numbers:
            assert [n async for n in numbers] == [0, 1, 2, 3, 4]
        async with spring.endless() as endless:
            async for _ in endless:
                break
        await until(lambda: held(events, MessageFailed))
        first, second = (event.call_id for event in held(events, MessageQueued))
        assert steps(events, first) == (HERE if executor is LOCAL else THERE)
        assert steps(events, second)[-1] is MessageFailed

    rehearse(scene)


def test_a_message_that_is_dropped_at_the_end_has_not_ended_well() -> None:
    async def play() -> list[type]:
        with suppress(LookupError):
            async with open_runtime() as runtime:
                events = runtime.events(messages=True)
                player = await Player.options(executor=QUIET).start()
                player.sleep.cast(0.2)
                player.note.cast("never")
                raise LookupError
        return [type(event) for event in held(events) if getattr(event, "method", "") == "note"]

    told = run(play)
    assert told[0] is MessageQueued
    assert told[-1] is MessageFailed
    assert MessageEnded not in told


@each
def test_a_failure_is_told_with_its_error(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        events = runtime.events(messages=True)
        with pytest.raises(ValueError, match="x"):
            await faller.fail(ValueError("x"))
        (failed,) = held(events, MessageFailed)
        assert isinstance(failed.error, ValueError)
        assert not held(events, MessageEnded)

    rehearse(scene)


def test_a_call_that_is_cancelled_in_the_queue_never_begins() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        events = runtime.events(messages=True)
        with trio.move_on_after(0):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(player.add, 1)
                await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
        (failed,) = held(events, MessageFailed)
        assert isinstance(failed.error, TaskCancelledError)
        assert not held(events, MessageEnded)

    rehearse(scene)


@each
def test_a_death_puts_back_what_had_not_begun_and_tells_so(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, max_restarts=-1).start()
        events = runtime.events(messages=True)
        last, next_one = faller.quit.remote(1), faller.add.remote()
        with pytest.raises(CallError):
            await last
        await next_one
        told = [
            (type(event), event.incarnation)
            for event in held(events, MessageEvent)
            if event.call_id == next_one.id
        ]
        if executor is LOCAL:
            assert told == [(MessageQueued, 1), (MessageBegun, 2), (MessageEnded, 2)]
        elif len(told) == 3:  # this guest is given one call at a time
            assert told == [(MessageQueued, 1), (MessageSent, 2), (MessageEnded, 2)]
        else:
            assert told[:2] == [(MessageQueued, 1), (MessageSent, 1)]
            assert [kind for kind, _ in told[2:]] == [MessageQueued, MessageSent, MessageEnded]
            assert told[-1] == (MessageEnded, 2)
        assert steps(events, last.id)[-1] is MessageFailed

    rehearse(scene)


def test_a_call_that_is_tried_again_is_told_twice() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=LOCAL, max_task_retries=1, retry_exceptions=True).start()
        events = runtime.events(messages=True)
        ref = faller.fail.remote(ValueError("x"))
        with pytest.raises(ValueError, match="x"):
            await ref
        assert steps(events, ref.id) == [
            MessageQueued,
            MessageBegun,
            MessageQueued,
            MessageBegun,
            MessageFailed,
        ]
        assert len(held(events, CallRetried)) == 1

    rehearse(scene)


def test_a_pool_tells_which_member_had_the_call() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = Pool(Member.options(executor=LOCAL, id="m").child(), size=2).remote()
        await pool.add(1)
        events = runtime.events(messages=True)
        refs = [pool.path.remote() for _ in range(4)]
        for ref in refs:
            member = await ref
            told = [(type(e), e.actor) for e in held(events, MessageEvent) if e.call_id == ref.id]
            assert told == [
                (MessageQueued, "m"), (MessageQueued, member), (MessageBegun, member), (MessageEnded, member),
            ]  # fmt: skip

    rehearse(scene)


class Parent(Actor, executor=LOCAL):
    @method
    def ask(self, other: Any) -> None:
        other.note.cast(1)
        other.note.cast(2)


def test_a_message_made_in_a_method_is_told_with_its_parent() -> None:
    async def scene(runtime: Runtime) -> None:
        parent, player = await Parent.start(), await Player.options(executor=LOCAL).start()
        events = runtime.events(messages=True)
        ref = parent.ask.remote(player)
        await ref
        await player.notes()
        children = [event for event in held(events, MessageQueued) if event.method == "note"]
        assert [event.parent_id for event in children] == [ref.id, ref.id]

    rehearse(scene)


@each
def test_messages_pending_when_somebody_begins_to_listen_are_told_from_then_on(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = Player.options(executor=executor, id="p").remote()
        refs = [player.add.remote(1) for _ in range(3)]
        player.note.cast("x")
        events = runtime.events(messages=True)
        await player.notes()
        assert not [event for event in held(events, MessageQueued) if event.method == "add"]
        assert [event.call_id for event in held(events, MessageEnded)][:3] == [ref.id for ref in refs]
        assert [ref.call.value for ref in refs] == [1, 2, 3]

    rehearse(scene)


class Switch(Actor, executor=LOCAL):
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.count = 0

    @method
    def listen(self) -> None:
        self.events = self.runtime.events(messages=True)

    @method
    def cease(self) -> None:
        self.events.close()

    @method
    def add(self) -> int:
        self.count += 1
        return self.count


@pytest.mark.parametrize("way", ["remote", "cast"])
def test_a_method_may_begin_and_cease_to_listen_while_messages_wait(way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        switch = await Switch.start(runtime)
        for name in ("add", "listen", "add", "add", "cease", "add"):
            getattr(getattr(switch, name), way)()
        assert await switch.add() == 5

    rehearse(scene)


def test_calls_that_wait_for_refs_keep_their_place_while_watched() -> None:
    async def scene(runtime: Runtime) -> None:
        giver, player = (
            await Player.options(executor=QUIET).start(),
            await Player.options(executor=LOCAL).start(),
        )
        slow = giver.sleep.remote(0.05)
        player.note.cast(slow)
        events = runtime.events(messages=True)
        player.note.cast(slow)
        player.note.cast("last")
        assert await player.notes() == ["rested", "rested", "last"]
        assert [event.method for event in held(events, MessageEnded)].count("note") == 3

    rehearse(scene)


@each
def test_a_suspended_actor_stays_suspended_when_somebody_begins_to_listen(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        mailbox = life_of(player).mailbox
        suspend(mailbox, "us")
        refs = [player.add.remote(1)]
        events = runtime.events(messages=True)
        refs.append(player.add.remote(1))
        await trio.sleep(0.02)
        assert [type(event) for event in held(events, MessageEvent)] == [MessageQueued]
        resume(mailbox, "us")
        assert [await ref for ref in refs] == [1, 2]
        assert [event.call_id for event in held(events, MessageEnded)] == [ref.id for ref in refs]

    rehearse(scene)


@each
def test_nothing_is_told_to_those_who_did_not_ask(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        plain, watching = runtime.events(), runtime.events(messages=True)
        await player.add(1)
        assert held(watching, MessageEvent)
        assert not held(plain, MessageEvent)
        watching.close()
        count = len(watching.held)
        await player.add(1)
        player.add.cast(1)
        await player.add(1)
        assert len(watching.held) == count
        assert type(life_of(player).mailbox.queue).__name__ == "deque"

    rehearse(scene)


def test_the_end_of_an_actor_is_told_for_each_message_it_had() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        events = runtime.events(messages=True)
        refs = [player.sleep.remote(30), player.add.remote(1), player.add.remote(1)]
        await until(lambda: held(events, MessageSent))
        await kill(player)
        for ref in refs:
            with pytest.raises(CallError):
                await ref
        assert {event.call_id for event in held(events, MessageFailed)} == {ref.id for ref in refs}

    rehearse(scene)


def test_every_watched_message_ends_exactly_once_in_a_crowd() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events(messages=True)
        pool = Pool(Member.options(executor=LOCAL).child(), size=3).remote()
        faller = await Faller.options(executor=LOCAL, max_restarts=-1).start()
        refs: list[Any] = [pool.add.remote(n) for n in range(200)]
        refs += [faller.add.remote() if n % 7 else faller.quit.remote(1) for n in range(100)]
        for ref in refs:
            try:
                await ref
            except CallError:
                pass
        await trio.testing.wait_all_tasks_blocked()
        ends = [event.call_id for event in held(events) if isinstance(event, MessageEnded | MessageFailed)]
        assert sorted(ends) == sorted(ref.id for ref in refs)

    rehearse(scene)
