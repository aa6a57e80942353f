"""Groups and keys: who is in them, who leaves by itself, who is told."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast import QUIET
from tests.cast_groups import GuestJoiner, Joiner
from tests.rehearsal import rehearse
from understudy import (
    Actor,
    ActorDiedError,
    Local,
    Process,
    Runtime,
    TaskError,
    Thread,
    exit_actor,
    kill,
    method,
    wait_ready,
)
from understudy.actors.errors import AlreadyRegisteredError
from understudy.supervisors.directory import Joined, Left
from understudy.supervisors.membership import join

LocalJoiner = Joiner.options()
EVERYWHERE: dict[str, Any] = {
    "local": LocalJoiner,
    "thread": GuestJoiner.options(executor=Thread()),
    "threads": GuestJoiner.options(executor=Thread(), max_concurrency=2),
    "process": GuestJoiner.options(executor=QUIET),
}
everywhere = pytest.mark.parametrize("kind", EVERYWHERE.values(), ids=EVERYWHERE)
KEYS: list[Any] = ["a", 7, ("room", 7), frozenset({1}), None, Local()]


async def three() -> list[Any]:
    return [await LocalJoiner.options(id=f"j{n}").start() for n in range(3)]


def empty(runtime: Runtime) -> bool:
    books = runtime.groups.directory, runtime.keys.directory
    return not any(book.keys or book.lives or book.watchers for book in books)


async def drain(changes: Any) -> list[str]:
    await trio.testing.wait_all_tasks_blocked()
    told: list[str] = []
    while changes.held:
        change = await anext(changes)
        sign = "+" if isinstance(change, Joined) else "-!"[change.ended]
        told.append(f"{sign}{repr(change.handle).split(chr(39))[1]}")
    return told


# -- groups ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", KEYS, ids=repr)
def test_whoever_has_joined_is_a_member_until_it_leaves(group: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, _ = await three()
        groups = runtime.groups
        groups.join(group, b, "value")
        groups.join(group, a)
        assert (groups.members(group), groups.values(group)) == ([b, a], [(b, "value"), (a, None)])
        assert (groups.all(), groups.of(a)) == ([group], [group])
        assert groups.leave(group, b)
        assert not groups.leave(group, b)
        assert groups.members(group) == [a]
        assert groups.leave(group, a)
        assert empty(runtime)

    rehearse(scene, virtual=True)


def test_who_joined_twice_and_left_once_is_still_a_member() -> None:
    async def scene(runtime: Runtime) -> None:
        a, *_ = await three()
        runtime.groups.join("g", a, 1)
        runtime.groups.join("g", a, 2)
        assert runtime.groups.members("g") == [a, a]
        runtime.groups.leave("g", a)
        assert runtime.groups.values("g") == [(a, 1)]

    rehearse(scene, virtual=True)


def test_a_member_by_handle_stays_while_it_restarts_and_leaves_when_it_is_dead() -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, _ = await three()
        for handle in (a, b):
            runtime.groups.join("g", handle)
            runtime.keys.register(handle, handle)
        await kill(a, no_restart=False)
        await wait_ready(a)
        await kill(b)
        assert (runtime.groups.members("g"), runtime.keys.all()) == ([a], [a])
        await kill(a)
        assert empty(runtime)

    rehearse(scene, virtual=True)


@everywhere
def test_what_an_actor_joins_itself_ends_with_its_incarnation(kind: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        joiner = await kind.start("from the start")
        await joiner.join("later", 5)
        await joiner.ping()
        assert runtime.groups.values("from the start") == [(joiner, "from __init__")]
        assert runtime.groups.values("later") == [(joiner, 5)]
        await kill(joiner, no_restart=False)
        await wait_ready(joiner)
        assert runtime.groups.of(joiner) == ["from the start"]  # the new one has joined for itself
        await joiner.leave("from the start")
        await joiner.ping()
        assert empty(runtime)

    rehearse(scene)


@everywhere
def test_actors_find_each_other(kind: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        joiner, (a, b, _) = await kind.start(), await three()
        runtime.groups.join("g", a)
        runtime.groups.join("g", b)
        assert len(await joiner.ask_members("g")) == 2
        runtime.keys.register("k", a)
        assert (await joiner.ask_holder("k"), await joiner.ask_holder("other")) == (True, False)

    rehearse(scene)


@everywhere
def test_an_actor_registers_itself_unless_the_key_is_held(kind: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        joiner, (a, *_) = await kind.start(), await three()
        await joiner.register("k", "mine")
        assert (runtime.keys.lookup("k"), runtime.keys.value("k")) == (joiner, "mine")
        runtime.keys.register("taken", a)
        with pytest.raises(TaskError, match="the key 'taken' is held by 'j0'"):
            await joiner.register("taken")
        await joiner.unregister("k")
        await joiner.unregister("taken")  # not its own
        await joiner.ping()
        assert (runtime.keys.lookup("k"), runtime.keys.lookup("taken")) == (None, a)
        await joiner.register("k")
        await kill(joiner)
        assert runtime.keys.all() == ["taken"]

    rehearse(scene)


def test_dispatch_reaches_each_member_once() -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, c = await three()
        for handle in (a, b, a):
            runtime.groups.join("g", handle)
        reached: list[Any] = []
        assert runtime.groups.dispatch("g", reached.append) == 2
        assert reached == [a, b]
        assert runtime.groups.dispatch("nobody", reached.append) == 0
        runtime.groups.dispatch("g", lambda handle: handle.join.cast("h"))
        assert await c.ping() == "pong"
        await a.ping()
        await b.ping()
        assert set(runtime.groups.members("h")) == {a, b}

    rehearse(scene, virtual=True)


def test_dispatch_reaches_the_others_though_one_raises() -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, c = await three()
        for handle in (a, b, c):
            runtime.groups.join("g", handle)
        reached: list[Any] = []

        def reach(handle: Any) -> None:
            if handle == b:
                raise ValueError("not b")
            reached.append(handle)

        with pytest.raises(ExceptionGroup, match="failed for 1 of 3") as error:
            runtime.groups.dispatch("g", reach)
        assert [repr(one) for one in error.value.exceptions] == ["ValueError('not b')"]
        assert reached == [a, c]

    rehearse(scene, virtual=True)


# -- keys --------------------------------------------------------------------------------------------


def test_a_key_is_held_by_one() -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, _ = await three()
        keys = runtime.keys
        keys.register("k", a, 1)
        for other in (b, a):
            with pytest.raises(AlreadyRegisteredError, match="is held by 'j0'") as error:
                keys.register("k", other)
            assert error.value.holder == "j0"
        assert not keys.unregister("k", b)
        assert not keys.update("k", 2, b)
        assert keys.update("k", 3, a)
        assert (keys.value("k"), keys.of(a), keys.all()) == (3, ["k"], ["k"])
        assert keys.unregister("k", a)
        assert (keys.lookup("k"), keys.value("k", "none")) == (None, "none")
        keys.register("k", b)
        assert keys.lookup("k") == b

    rehearse(scene, virtual=True)


@pytest.mark.parametrize("how", ["kill", "exit", "crash"])
def test_a_key_is_free_when_its_holder_has_ended(how: str) -> None:
    class Holder(Actor, executor=Local(), crash_on=(Exception,), max_restarts=0):
        @method
        def end(self) -> None:
            if how == "exit":
                exit_actor()
            raise ValueError

    async def scene(runtime: Runtime) -> None:
        holder = await Holder.start()
        runtime.keys.register("k", holder)
        if how == "kill":
            await kill(holder)
        else:
            with pytest.raises((ActorDiedError, TaskError)):
                await holder.end()
        assert empty(runtime)

    rehearse(scene, virtual=True)


# -- watching ----------------------------------------------------------------------------------------


def test_a_watcher_is_told_who_is_there_and_all_that_changes() -> None:
    async def scene(runtime: Runtime) -> None:
        a, b, c = await three()
        runtime.groups.join("g", a)
        async with runtime.groups.watch("g") as changes, runtime.groups.watch() as everything:
            assert await drain(changes) == ["+j0"]
            runtime.groups.join("g", b)
            runtime.groups.join("other", c)
            assert await drain(changes) == ["+j1"]
            runtime.groups.leave("g", a)
            await kill(b)
            assert await drain(changes) == ["-j0", "!j1"]
            assert await drain(everything) == ["+j2"]  # the others came and went before it looked
            runtime.groups.leave("other", c)
            assert await drain(everything) == ["-j2"]
        assert empty(runtime)

    rehearse(scene, virtual=True)


def test_a_change_has_its_key_handle_and_value() -> None:
    async def scene(runtime: Runtime) -> None:
        a, *_ = await three()
        changes = runtime.keys.watch("k")
        runtime.keys.register("k", a, 5)
        assert await anext(changes) == Joined("k", a, 5)
        runtime.keys.unregister("k", a)
        assert await anext(changes) == Left("k", a, ended=False)
        changes.close()
        changes.close()
        with pytest.raises(StopAsyncIteration):
            await anext(changes)

    rehearse(scene, virtual=True)


def test_a_slow_watcher_holds_no_more_than_there_are_members() -> None:
    async def scene(runtime: Runtime) -> None:
        a, *_ = await three()
        async with runtime.groups.watch("g") as changes:
            for _ in range(1000):
                runtime.groups.join("g", a)
                runtime.groups.leave("g", a)
            assert not changes.held

    rehearse(scene, virtual=True)


def test_a_watcher_that_is_cancelled_misses_nothing() -> None:
    async def scene(runtime: Runtime) -> None:
        a, *_ = await three()
        async with runtime.groups.watch("g") as changes:
            with trio.move_on_after(1):
                await anext(changes)
            runtime.groups.join("g", a)
            with trio.CancelScope() as scope:
                scope.cancel()
                await anext(changes)
            assert await drain(changes) == ["+j0"]

    rehearse(scene, virtual=True)


# -- what is refused ---------------------------------------------------------------------------------


def test_what_cannot_join_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        a, *_ = await three()
        with pytest.raises(TypeError, match="unhashable"):
            runtime.groups.join([], a)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="takes the handle of an actor"):
            runtime.groups.join("g", 3)  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="say who"):
            runtime.groups.join("g")
        with pytest.raises(RuntimeError, match="works inside an actor"):
            join("g")
        await kill(a)
        with pytest.raises(ActorDiedError, match="j0 is dead"):
            runtime.groups.join("g", a)
        assert empty(runtime)

    rehearse(scene, virtual=True)


def test_an_untrusted_actor_joins_nothing() -> None:
    async def scene(runtime: Runtime) -> None:
        joiner = await GuestJoiner.options(executor=Process(trusted=False, stderr="keep")).start()
        with pytest.raises(TaskError, match="may not join groups"):
            await joiner.join("g")
        assert empty(runtime)

    rehearse(scene)


def test_thousands_of_members_leave_without_a_trace() -> None:
    async def scene(runtime: Runtime) -> None:
        handles = [await LocalJoiner.start() for _ in range(2000)]
        for n, handle in enumerate(handles):
            runtime.groups.join(n % 7, handle)
            runtime.keys.register(n, handle)
        for handle in handles:
            await kill(handle)
        assert empty(runtime)

    rehearse(scene, virtual=True)
