"""One Down for each monitor, exactly once, to whoever watches, in every executor."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
import trio

from tests.cast import QUIET
from tests.cast_watch import AsyncWatcher, GuestWatcher, Hookless, Reader, Seeker, Target, Watcher
from tests.rehearsal import LOCAL, rehearse, until
from understudy import (
    ActorDiedError,
    Bounds,
    Down,
    Pool,
    Process,
    Runtime,
    Supervisor,
    TaskError,
    Thread,
    TreeFailedError,
    Unsendable,
    get_actor,
    kill,
    monitor,
    open_runtime,
    wait_ready,
)
from understudy.actors.verbs import KILLED

TARGET = Target.options(id="target")
ONCE = Target.options(max_restarts=0)
EXECUTORS: dict[str, Any] = {"local": LOCAL, "thread": Thread(), "process": QUIET}
everywhere = pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)


async def end(target: Any) -> None:
    with pytest.raises(ActorDiedError):
        await target.leave()


def tables(runtime: Runtime) -> tuple[Any, ...]:
    return runtime.house.monitors.watched, runtime.house.monitors.owned


# -- outside of actors -------------------------------------------------------------------------------


def test_a_monitor_tells_the_end_of_an_incarnation_with_its_reason() -> None:
    async def scene(runtime: Runtime) -> None:
        target = await TARGET.start()
        async with monitor(target) as downs:
            await end(target)
            heard = [down async for down in downs]
        assert [(down.path, down.incarnation, down.final) for down in heard] == [("target", 1, True)]
        assert (heard[0].reason.kind, heard[0].reason.text) == ("normal", "enough")
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True)


def test_an_incarnation_that_another_follows_is_not_the_last() -> None:
    async def scene(_: Runtime) -> None:
        target = await TARGET.start()
        downs = monitor(target)
        for number in (1, 2):
            with pytest.raises(TaskError):
                await target.fail("once more")
            down = await anext(downs)
            assert (down.incarnation, down.final, repr(down.reason.exception)) == (
                number, False, "ValueError('once more')",
            )  # fmt: skip
            downs.add(target)
        await kill(target)
        assert (await anext(downs)).final
        with pytest.raises(StopAsyncIteration):
            await anext(downs)

    rehearse(scene, virtual=True)


def test_four_monitors_of_which_two_are_closed_tell_twice() -> None:
    async def scene(runtime: Runtime) -> None:
        target = await ONCE.start()
        four = [monitor(target) for _ in range(4)]
        assert four[0].close()  # before the end: it had told nothing
        await end(target)
        await trio.testing.wait_all_tasks_blocked()
        assert not four[1].close()  # after it, unread: that is taken back
        assert [[down.monitor async for down in one] for one in four] == [[], [], [four[2].id], [four[3].id]]
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True)


def test_one_that_is_dead_or_stays_down_answers_at_once() -> None:
    async def scene(_: Runtime) -> None:
        dead = await TARGET.start()
        await end(dead)
        down = await anext(monitor(dead))
        assert (down.reason.kind, down.incarnation, down.final) == ("normal", 1, True)
        resting = get_actor("resting", Target)
        await end(resting)
        assert (await anext(monitor(resting))).final

    rehearse(scene, Supervisor(Target.options(restart="transient", id="resting").child()), virtual=True)


def test_one_that_has_not_started_is_watched_from_its_start() -> None:
    async def scene(_: Runtime) -> None:
        target = Target.remote()
        downs = monitor(target)
        await end(target)
        assert (await anext(downs)).incarnation == 1

    rehearse(scene, virtual=True)


def test_an_actor_that_never_starts_is_told_of_too() -> None:
    async def scene(_: Runtime) -> None:
        nobody = Target.options(executor=Process(python="/nowhere/python")).remote()
        async with monitor(nobody) as downs:
            down = await anext(downs)
        assert (down.reason.kind, down.final) == ("error", True)

    rehearse(scene)


def test_one_monitor_may_watch_many_and_ends_when_all_have_been_told_of() -> None:
    async def scene(runtime: Runtime) -> None:
        targets = [await Target.start() for _ in range(3000)]
        async with monitor(*targets) as downs:
            for target in targets:
                runtime.dynamic.terminate(runtime.house.registry.paths[repr(target).split("'")[1]])
            heard = [down.path async for down in downs]
        assert len(set(heard)) == 3000
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True)


def test_a_monitor_that_is_left_early_leaves_nothing() -> None:
    async def scene(runtime: Runtime) -> None:
        target = await TARGET.start()
        async with monitor(target, target):
            assert len(runtime.house.monitors.watched) == 1
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True)


def test_a_cancelled_wait_loses_no_down() -> None:
    async def scene(_: Runtime) -> None:
        target = await TARGET.start()
        downs = monitor(target)
        with trio.move_on_after(1):
            await anext(downs)
        await end(target)
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(downs)
        assert [down.path async for down in downs] == ["target"]

    rehearse(scene, virtual=True)


def test_what_is_no_handle_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        target = await TARGET.start()
        with pytest.raises(TypeError, match="takes the handle of an actor"):
            monitor(target, 3)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="takes the handles of actors"):
            monitor()
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True)


def test_the_end_of_the_runtime_is_told() -> None:
    told: list[Down] = []

    async def scene(_: Runtime) -> None:
        told.clear()
        nursery.start_soon(read, monitor(await TARGET.start()))

    async def read(downs: Any) -> None:
        told.extend([down async for down in downs])

    nursery: Any = None

    async def play() -> None:
        nonlocal nursery
        async with trio.open_nursery() as nursery, open_runtime() as runtime:
            await scene(runtime)

    trio.run(play)
    assert [down.reason.kind for down in told] == ["shutdown"]


# -- in actors ---------------------------------------------------------------------------------------


@everywhere
def test_an_actor_hears_of_it_in_its_hook(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        assert await watcher.watch(target, target) == 1
        await end(target)
        await until(lambda: tables(runtime) == ({}, {}))
        heard = await watcher.told()
        assert [(down.path, down.incarnation, down.reason.kind, down.final) for down in heard] == [
            ("target", 1, "normal", True)
        ] * 2
        assert heard[1].monitor in await watcher.numbers()

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("loop", ["trio", "asyncio"])
def test_an_async_hook_is_awaited(executor: Any, loop: str) -> None:
    if executor is not LOCAL:
        executor = Thread(loop=loop) if isinstance(executor, Thread) else Process(loop=loop)  # type: ignore[arg-type]

    async def scene(runtime: Runtime) -> None:
        watcher = await AsyncWatcher.options(executor=executor).start()
        target = await TARGET.start()
        await watcher.watch(target)
        await end(target)
        await until(lambda: tables(runtime) == ({}, {}))
        assert [down.path for down in await watcher.told()] == ["target"]

    rehearse(scene)


@everywhere
def test_a_down_keeps_its_place_among_the_messages(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        await watcher.watch(target)
        watcher.note.cast("before")
        await end(target)
        watcher.note.cast("after")
        heard = await watcher.told()
        assert [getattr(one, "path", one) for one in heard] == ["before", "target", "after"]

    rehearse(scene)


@everywhere
def test_the_exception_comes_along_with_its_causes(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        await watcher.watch(target)
        with pytest.raises(TaskError):
            await target.fail("this")
        (down,) = await watcher.told()
        assert repr(down.reason.exception) == "ValueError('this')"
        assert down.reason.text == "fail() raised ValueError: this"

    rehearse(scene)


@everywhere
def test_an_actor_that_closes_its_monitor_hears_nothing(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        assert await watcher.watch_and_forget(target)
        await watcher.watch(target)
        assert await watcher.forget(0)
        await until(lambda: tables(runtime) == ({}, {}))
        await end(target)
        assert await watcher.told() == []

    rehearse(scene)


@everywhere
def test_what_was_told_and_not_heard_is_taken_back(executor: Any) -> None:
    """The news is already in the mailbox, behind the method that closes the monitor."""

    async def scene(runtime: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        await end(target)
        assert await watcher.watch_and_forget(target) is (executor is not LOCAL)  # a guest has not heard yet
        assert await watcher.told() == []
        await until(lambda: tables(runtime) == ({}, {}))

    rehearse(scene)


@everywhere
def test_a_dead_target_answers_an_actor_at_once(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        await end(target)
        await watcher.watch(target)
        (down,) = await watcher.told()
        assert (down.path, down.final) == ("target", True)

    rehearse(scene)


@everywhere
def test_monitors_end_with_the_incarnation_that_made_them(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        await watcher.watch(target)
        await kill(watcher, no_restart=False)
        await wait_ready(watcher)
        assert tables(runtime) == ({}, {})
        await end(target)
        assert await watcher.told() == []

    rehearse(scene)


def test_what_one_incarnation_was_told_the_next_does_not_hear() -> None:
    async def scene(runtime: Runtime) -> None:
        watcher = await Watcher.start()
        target = await TARGET.start()
        await watcher.watch(target)
        await kill(target)  # the news is in the mailbox, and nothing has run since
        runtime.house.registry.paths["watcher-1"].kill(KILLED)
        assert await watcher.told() == []
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True)


def test_what_a_dead_actor_was_told_is_no_dead_letter() -> None:
    async def scene(runtime: Runtime) -> None:
        watcher = await Watcher.start()
        target = await TARGET.start()
        await watcher.watch(target)
        await kill(target)
        await kill(watcher)
        assert not runtime.dead_letters
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True)


def test_a_hook_that_raises_ends_its_actor() -> None:
    class Fragile(Watcher):
        def on_down(self, down: Down) -> None:
            raise RuntimeError("no")

    async def scene(_: Runtime) -> None:
        fragile = await Fragile.options(max_restarts=0).start()
        target = await TARGET.start()
        await fragile.watch(target)
        async with monitor(fragile) as downs:
            await end(target)
            down = await anext(downs)
        assert "on_down() raised RuntimeError" in down.reason.text

    rehearse(scene, virtual=True)


def test_in_a_guest_only_the_hook_can_be_told() -> None:
    async def scene(_: Runtime) -> None:
        target = await TARGET.start()
        hookless = await Hookless.start()
        with pytest.raises(TaskError, match="Hookless has none"):
            await hookless.watch(target)

    rehearse(scene)


def test_guests_that_watch_the_same_actor_are_each_told() -> None:
    async def scene(runtime: Runtime) -> None:
        watchers = [await GuestWatcher.start() for _ in range(2)]
        target = await TARGET.start()
        for watcher in watchers:
            await watcher.watch(target)
        await end(target)
        assert [len(await watcher.told()) for watcher in watchers] == [1, 1]
        await until(lambda: tables(runtime) == ({}, {}))

    rehearse(scene)


def test_an_untrusted_actor_watches_nobody() -> None:
    async def scene(_: Runtime) -> None:
        watcher = await GuestWatcher.options(executor=Process(trusted=False, stderr="keep")).start()
        target = await TARGET.start()
        with pytest.raises((TaskError, Unsendable)):
            await watcher.watch(target)

    rehearse(scene)


def test_in_a_method_without_the_hook_a_monitor_is_read() -> None:
    async def scene(_: Runtime) -> None:
        target = await TARGET.start()
        reader = await Reader.start()
        ref = reader.wait_for.remote(target)
        await trio.testing.wait_all_tasks_blocked()
        await end(target)
        assert (await ref).path == "target"

    rehearse(scene, virtual=True)


@everywhere
def test_members_of_a_pool_watch_and_a_pool_is_watched_as_one(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        pool = await Pool(Watcher.options(executor=executor).child(), size=1).start()
        target = await TARGET.start()
        await pool.watch(target)
        async with monitor(pool) as downs:
            await end(target)
            await until(lambda: not runtime.house.monitors.owned)
            assert [down.path for down in await pool.told()] == ["target"]
            await kill(pool)
            assert [down.final async for down in downs] == [True]
        assert tables(runtime) == ({}, {})

    rehearse(scene)


@pytest.mark.parametrize("executor", [Thread(), QUIET], ids=["thread", "process"])
def test_a_name_that_nobody_has_answers_at_once(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        seeker = await Seeker.options(executor=executor).start()
        await seeker.watch_name("nobody")
        (down,) = await seeker.told()
        assert (down.path, down.incarnation, down.reason.kind, down.final) == (
            "nobody",
            0,
            "unreachable",
            True,
        )

    rehearse(scene)


@everywhere
def test_a_reason_of_several_megabytes_arrives(executor: Any) -> None:
    async def scene(_: Runtime) -> None:
        watcher = await Watcher.options(executor=executor).start()
        target = await TARGET.start()
        await watcher.watch(target)
        with pytest.raises(TaskError):
            await target.fail("x" * 3_000_000)
        (down,) = await watcher.told()
        assert str(down.reason.exception) == "x" * 3_000_000

    rehearse(scene)


def test_a_reason_longer_than_a_message_may_be_arrives_shortened() -> None:
    async def scene(_: Runtime) -> None:
        short = Process(stderr="keep", bounds=Bounds(max_bytes=20_000))
        watcher = await Watcher.options(executor=short).start()
        target = await TARGET.start()
        await watcher.watch(target)
        with pytest.raises(TaskError):
            await target.fail("x" * 100_000)
        (down,) = await watcher.told()
        assert (down.reason.kind, down.reason.exception) == ("error", None)
        assert 0 < len(down.reason.text) <= 1000

    rehearse(scene)


def test_a_child_whose_supervisor_gives_up_is_told_of_as_often_as_it_ends() -> None:
    told: list[tuple[int, bool]] = []

    async def follow(target: Any) -> None:
        async with monitor(target) as downs:
            async for down in downs:
                told.append((down.incarnation, down.final))
                downs.add(target)
                if down.final:
                    return

    async def fall_twice(nursery: trio.Nursery) -> None:
        with contextlib.suppress(TreeFailedError):
            async with open_runtime(Supervisor(TARGET.child(), intensity=1)):
                nursery.start_soon(follow, get_actor("target"))
                for _ in range(2):
                    await trio.testing.wait_all_tasks_blocked()
                    with pytest.raises(TaskError):
                        await get_actor("target", Target).fail("again")
                await trio.sleep_forever()

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            await fall_twice(nursery)

    trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0))
    assert [number for number, _ in told][:2] == [1, 2]
    assert told[-1][1]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_each_monitor_tells_once_and_leaves_nothing(seed: int) -> None:
    dice = random.Random(seed)

    async def scene(runtime: Runtime) -> None:
        watchers = [await Watcher.options(id=f"w{n}").start() for n in range(3)]
        targets = [await Target.options(id=f"t{n}", max_restarts=-1).start() for n in range(4)]
        readers: list[Any] = []
        for _ in range(150):
            target = dice.choice(targets)
            what = dice.randrange(6)
            if what == 0:
                readers.append(monitor(target))
            elif what == 1:
                await dice.choice(watchers).watch(target)
            elif what == 2 and len(readers) > 5:
                readers.remove(closed := dice.choice(readers))
                closed.close()
            elif what == 3:
                await kill(target, no_restart=False)
            elif what == 4:
                target.fail.cast("now")
            else:
                await trio.sleep(dice.random() * 10)
        for target in targets:
            await kill(target)
        for reader in readers:
            assert [down.monitor async for down in reader] == [reader.id]
        for watcher in watchers:
            numbers = [down.monitor for down in await watcher.told()]
            assert len(set(numbers)) == len(numbers)
            assert set(numbers) == set(await watcher.numbers())
        assert readers
        assert tables(runtime) == ({}, {})

    rehearse(scene, virtual=True, seconds=10_000)
