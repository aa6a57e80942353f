"""The door for asyncio: the same actors, awaited from tasks of a loop that is not trio's."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Endless, Faller, Player, Retried, Starter, said
from tests.doors import alive, loop_run, runtime_threads, sleep_until, until, visit
from tests.rehearsal import LOCAL, QUIET
from understudy import (
    ActorDiedError,
    ActorNotFoundError,
    ActorStartError,
    CallInterruptedError,
    GetTimeoutError,
    NoRuntimeError,
    PendingCallsLimitExceeded,
    Supervisor,
    TaskCancelledError,
    TaskError,
    TreeFailedError,
    aio,
    blocking,
    get_actor,
    open_runtime,
)
from understudy.actors.events import ActorDied, ActorReady, FailureUnseen
from understudy.crossing.runtime import FarRuntime

BOTH = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    yield
    assert runtime_threads() == []


# -- calls -----------------------------------------------------------------------------------------------


@BOTH
def test_a_call_a_ref_and_a_cast_are_as_under_trio(executor: Any) -> None:
    async def scene(runtime: FarRuntime) -> list[int]:
        player = await Player.options(executor=executor).start(10)
        ref = player.add.remote(1)
        player.add.cast(100)
        return [await player.add(5), await ref, await ref, await player.call(Player.helper, 1)]

    assert visit(scene) == [116, 11, 11, 117]


@BOTH
def test_calls_of_one_task_arrive_in_the_order_sent(executor: Any) -> None:
    async def scene(runtime: FarRuntime) -> list[Any]:
        player = await Player.options(executor=executor).start()
        for n in range(0, 600, 3):
            player.note.cast(n)
            player.note.remote(n + 1)
            await player.note(n + 2)
        return await player.notes()

    assert visit(scene) == list(range(600))


def test_a_hundred_tasks_each_get_their_own_reply() -> None:
    async def scene(runtime: FarRuntime) -> list[Any]:
        player = await Player.start()
        return await asyncio.gather(*[player.echo(n) for n in range(300)])

    assert visit(scene) == list(range(300))


def test_an_exception_comes_as_what_it_is_and_a_local_one_is_the_very_object() -> None:
    error = KeyError("lost")

    async def scene(runtime: FarRuntime) -> None:
        faller = await Faller.options(executor=LOCAL).start()
        with pytest.raises(KeyError) as caught:
            await faller.fail(error)
        assert isinstance(caught.value, TaskError)
        assert caught.value.cause is error
        far = await Faller.start()
        with pytest.raises(TaskError, match="odd"):
            await far.fail_odd()

    visit(scene)


def test_wrong_arguments_are_python_s_own_error_here() -> None:
    async def scene(runtime: FarRuntime) -> None:
        player = await Player.options(executor=LOCAL).start()
        with pytest.raises(TypeError, match="nope"):
            await player.add(nope=1)  # type: ignore[call-arg]
        with pytest.raises(AttributeError, match="did you mean 'add'"):
            player.ad  # type: ignore[attr-defined] # noqa: B018

    visit(scene)


def test_a_call_after_death_is_told_so_at_once_in_all_its_shapes() -> None:
    async def scene(runtime: FarRuntime) -> None:
        player = await Player.options(executor=LOCAL).start()
        await aio.kill(player)
        with pytest.raises(ActorDiedError):
            await player.add()
        with pytest.raises(ActorDiedError):
            player.add.remote()
        with pytest.raises(ActorDiedError):
            player.add.cast()

    visit(scene)


def test_a_full_mailbox_refuses_refs_and_casts_at_once() -> None:
    async def scene(runtime: FarRuntime) -> None:
        endless = await Endless.options(max_pending_calls=2).start()
        refs = [endless.nap.remote(), endless.nap.remote()]
        with pytest.raises(PendingCallsLimitExceeded):
            endless.nap.remote()
        with pytest.raises(PendingCallsLimitExceeded):
            endless.nap.cast()
        assert [aio.cancel(ref) for ref in refs] == [True, True]

    visit(scene)


# -- cancellation ----------------------------------------------------------------------------------------


def test_a_cancelled_task_interrupts_the_call_it_awaits() -> None:
    async def scene(runtime: FarRuntime) -> int:
        endless = await Endless.start(5)
        task = asyncio.create_task(endless.spin())
        await until(lambda: aio.statistics(endless).pending == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await endless.add(1)

    assert visit(scene) == 6


def test_a_cancelled_call_that_is_queued_never_runs() -> None:
    async def scene(runtime: FarRuntime) -> list[Any]:
        endless = await Endless.start()
        spinning = endless.spin.remote()
        queued = asyncio.create_task(endless.note("never"))
        await until(lambda: aio.statistics(endless).pending == 2)
        queued.cancel()
        await asyncio.gather(queued, return_exceptions=True)
        aio.cancel(spinning)
        return await endless.notes()

    assert visit(scene) == []


def test_a_timeout_of_asyncio_ends_the_call() -> None:
    async def scene(runtime: FarRuntime) -> int:
        endless = await Endless.start()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await endless.spin()
        return await endless.add(1)

    assert visit(scene) == 1


def test_a_call_cancelled_over_there_is_an_error_here_and_no_cancellation() -> None:
    async def scene(runtime: FarRuntime) -> None:
        endless = await Endless.start()
        ref = endless.spin.remote()
        waiting = [asyncio.create_task(aio.get(ref)) for _ in range(3)]
        await asyncio.sleep(0)
        assert aio.cancel(ref)
        for task in waiting:
            with pytest.raises(TaskCancelledError):
                await task
        assert not aio.cancel(ref)

    visit(scene)


def test_a_ref_goes_on_when_the_task_that_awaits_it_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "go"

    async def scene(runtime: FarRuntime) -> str:
        endless = await Endless.start()
        ref = endless.spin_until_file.remote(str(path))
        task = asyncio.create_task(aio.get(ref))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        path.touch()
        return await ref

    assert visit(scene)


@BOTH
def test_cancelled_at_every_await_nothing_is_left_behind(executor: Any) -> None:
    async def scene(runtime: FarRuntime) -> None:
        player = await Player.options(executor=executor).start()

        async def work() -> None:
            other = await Player.options(executor=LOCAL).start()
            await other.add(1)
            await aio.get([player.add.remote(), other.add.remote()])
            await aio.wait([player.add.remote()], timeout=5)
            await aio.wait_ready(other)
            await aio.kill(other)

        for turns in range(40):
            task = asyncio.create_task(work())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            done = (await asyncio.gather(task, return_exceptions=True))[0]
            assert done is None or isinstance(done, asyncio.CancelledError)
        await player.add()
        assert aio.statistics(player).pending == 0

    visit(scene)


# -- verbs -----------------------------------------------------------------------------------------------


def test_get_keeps_the_order_and_the_shape_of_its_refs() -> None:
    async def scene(runtime: FarRuntime) -> None:
        player = await Player.options(executor=LOCAL).start()
        one, two = player.echo.remote(1), player.echo.remote("two")
        assert await aio.get(one) == 1
        assert await aio.get([two, one, one]) == ["two", 1, 1]
        assert await aio.get((one, two)) == (1, "two")
        assert await aio.get([]) == []

    visit(scene)


def test_get_waits_no_longer_than_it_is_told_and_the_call_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "go"

    async def scene(runtime: FarRuntime) -> None:
        endless = await Endless.start()
        ref = endless.spin_until_file.remote(str(path))
        with pytest.raises(GetTimeoutError, match=r"0\.02 s"):
            await aio.get(ref, timeout=0.02)
        path.touch()
        assert await aio.get(ref)
        assert await aio.get(ref, timeout=0)

    visit(scene)


def test_wait_divides_what_has_ended_from_what_has_not() -> None:
    async def scene(runtime: FarRuntime) -> None:
        endless, player = await Endless.start(), await Player.start()
        slow, quick = endless.nap.remote(), player.echo.remote(1)
        assert await aio.wait([slow, quick]) == ([quick], [slow])
        assert await aio.wait([slow, quick], num_returns=2, timeout=0.02) == ([quick], [slow])
        more = [player.echo.remote(n) for n in range(50)]
        assert await aio.wait(more, num_returns=50) == (more, [])
        with pytest.raises(ValueError, match="num_returns"):
            await aio.wait([quick], num_returns=2)
        with pytest.raises(ValueError, match="no refs"):
            await aio.wait([])
        aio.cancel(slow)

    visit(scene)


def test_interrupt_ends_the_call_that_runs() -> None:
    async def scene(runtime: FarRuntime) -> None:
        endless = await Endless.start()
        assert not await aio.interrupt(endless)
        ref = endless.spin.remote()
        while not await aio.interrupt(endless):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        with pytest.raises(CallInterruptedError):
            await ref

    visit(scene)


def test_an_actor_killed_for_now_comes_back_behind_the_same_handle() -> None:
    async def scene(runtime: FarRuntime) -> tuple[int, int]:
        player = await Player.start(5)
        await player.add(1)
        await aio.kill(player, no_restart=False)
        await aio.wait_ready(player)
        return await player.add(1), aio.statistics(player).incarnation

    assert visit(scene) == (6, 2)


def test_the_verbs_say_what_they_take() -> None:
    async def scene(runtime: FarRuntime) -> None:
        player = await Player.options(executor=LOCAL).start()
        with pytest.raises(TypeError, match="a ref"):
            await aio.get(player)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="a handle"):
            await aio.kill(player.add.remote())  # type: ignore[arg-type]

    visit(scene)


def test_actors_are_found_by_name_and_by_path_in_any_task() -> None:
    async def scene(runtime: FarRuntime) -> None:
        handle = get_actor("star", Player)
        assert await handle.add(1) == 8
        found = await asyncio.create_task(elsewhere())
        assert found == 9
        with pytest.raises(ActorNotFoundError, match="did you mean"):
            runtime.get_actor("sta")

    async def elsewhere() -> int:
        return await get_actor("troupe/one", Player).add(1)

    one = Player.options(id="one", name="star", executor=LOCAL).child(7)
    visit(scene, Supervisor(Supervisor(one, id="troupe")))


def test_the_runtime_tells_of_itself_as_under_trio() -> None:
    async def scene(runtime: FarRuntime) -> None:
        await Player.options(executor=LOCAL, id="one").start()
        assert "one  Player, ready" in runtime.tree()
        assert runtime.dead_letters == []
        assert runtime.capabilities()
        assert "open" in repr(runtime)

    visit(scene)


# -- events ----------------------------------------------------------------------------------------------


def test_events_are_an_async_iterator_that_may_be_left_early() -> None:
    async def scene(runtime: FarRuntime) -> None:
        async with runtime.events() as events:
            await Player.options(executor=LOCAL, id="one").start()
            async for event in events:
                if isinstance(event, ActorReady):
                    break
        assert [event async for event in events] == []

    visit(scene)


def test_no_event_is_lost_by_a_cancelled_reader() -> None:
    async def scene(runtime: FarRuntime) -> None:
        async with runtime.events() as events:
            waiting = asyncio.create_task(anext(events))
            await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            for n in range(200):
                await Player.options(executor=LOCAL, id=f"p{n}").start()
            ready = []
            async for event in events:
                if isinstance(event, ActorReady):
                    ready.append(event.actor)
                if len(ready) == 200:
                    break
            assert ready == [f"p{n}" for n in range(200)]

    visit(scene)


def test_events_end_when_the_runtime_does() -> None:
    async def play() -> None:
        async with aio.open_runtime() as runtime:
            events = runtime.events()
            reading = asyncio.create_task(collect(events))
            await Player.options(executor=LOCAL).start()
        assert isinstance((await reading)[-1], ActorDied)

    async def collect(events: Any) -> list[Any]:
        return [event async for event in events]

    loop_run(play)


def test_a_failure_nobody_awaits_is_an_event() -> None:
    async def scene(runtime: FarRuntime) -> None:
        faller = await Faller.options(executor=LOCAL).start()
        async with runtime.events() as events:
            faller.fail.remote(ValueError("unseen"))
            async for event in events:
                if isinstance(event, FailureUnseen):
                    assert "unseen" in str(event.error)
                    return

    visit(scene)


# -- the runtime's own life ------------------------------------------------------------------------------


def test_what_the_body_raises_comes_out_as_it_is_and_casts_are_dropped(tmp_path: Path) -> None:
    path = str(tmp_path / "notes")

    async def scene(runtime: FarRuntime) -> None:
        retried = await Retried.start()
        for n in range(500):
            retried.note.cast(path, str(n))
        runtimes.append(runtime)
        raise KeyError("mine")

    runtimes: list[FarRuntime] = []
    with pytest.raises(KeyError, match="mine"):
        visit(scene)
    dropped = {letter.args[1] for letter in runtimes[0].dead_letters}
    assert dropped
    assert dropped | set(said(path)) == {str(n) for n in range(500)}


def test_a_normal_exit_carries_out_accepted_casts(tmp_path: Path) -> None:
    path = str(tmp_path / "notes")

    async def scene(runtime: FarRuntime) -> None:
        retried = await Retried.start()
        for n in range(200):
            retried.note.cast(path, str(n))

    visit(scene)
    assert said(path) == [str(n) for n in range(200)]


def test_a_child_that_does_not_start_fails_the_opening() -> None:
    async def scene(runtime: FarRuntime) -> None:
        raise AssertionError("it opened")

    with pytest.raises(ActorStartError, match="the tree"):
        visit(scene, Supervisor(Starter.options(id="bad").child("raise")))


def test_a_tree_that_fails_cancels_the_block_and_says_why() -> None:
    async def scene(runtime: FarRuntime) -> None:
        get_actor("one", Faller).fail.cast(ValueError("too much"))
        await asyncio.sleep(20)

    tree = Supervisor(Faller.options(id="one", executor=LOCAL).child(), intensity=0)
    with pytest.raises(TreeFailedError):
        visit(scene, tree)


def test_a_tree_that_fails_does_not_swallow_another_cancellation() -> None:
    async def scene(runtime: FarRuntime) -> None:
        task = asyncio.current_task()
        assert task is not None
        get_actor("one", Faller).fail.cast(ValueError("too much"))
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def play() -> None:
        tree = Supervisor(Faller.options(id="one", executor=LOCAL).child(), intensity=0)
        async with aio.open_runtime(tree) as runtime:
            await scene(runtime)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(play())


def test_cancelled_while_it_opens_it_stops_what_had_started() -> None:
    async def play() -> None:
        tree = Supervisor(*(Player.options(id=f"p{n}").child() for n in range(3)))
        task = asyncio.create_task(enter(tree))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert runtime_threads() == []

    async def enter(tree: Supervisor) -> None:
        async with aio.open_runtime(tree):
            await asyncio.sleep(20)

    loop_run(play)


def test_cancelled_while_it_closes_it_closes_all_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "notes")

    async def play() -> None:
        closing = asyncio.Event()
        task = asyncio.create_task(enter(closing))
        await closing.wait()
        for _ in range(5):
            await asyncio.sleep(0)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert said(path) == [str(n) for n in range(100)]

    async def enter(closing: asyncio.Event) -> None:
        async with aio.open_runtime():
            retried = await Retried.start()
            for n in range(100):
                retried.note.cast(path, str(n))
            closing.set()

    loop_run(play)


def test_it_may_be_entered_in_one_task_and_left_in_another() -> None:
    async def play() -> None:
        block = aio.open_runtime()
        runtime = await asyncio.create_task(block.__aenter__())
        player = await asyncio.create_task(Player.options(executor=LOCAL).start(1))
        assert await player.add(1) == 2
        assert "open" in repr(runtime)
        await asyncio.create_task(block.__aexit__(None, None, None))
        assert runtime_threads() == []

    loop_run(play)


def test_runtimes_may_be_nested_and_the_inner_one_is_the_one_that_is_open() -> None:
    async def play() -> None:
        async with aio.open_runtime():
            await Player.options(executor=LOCAL, name="outer").start()
            async with aio.open_runtime():
                await Player.options(executor=LOCAL, name="inner").start()
                assert await get_actor("inner", Player).add(1) == 1
                with pytest.raises(ActorNotFoundError):
                    get_actor("outer")
            assert await get_actor("outer", Player).add(1) == 1

    loop_run(play)


def test_after_the_end_everything_says_so() -> None:
    async def play() -> None:
        async with aio.open_runtime() as runtime:
            player = await Player.options(executor=LOCAL).start()
            ref = player.add.remote(1)
            await ref
        assert await ref == 1
        for use in (player.add, lambda: aio.kill(player), lambda: aio.wait_ready(player)):
            with pytest.raises((NoRuntimeError, ActorDiedError)):
                await use()
        for sync in (player.add.remote, player.add.cast, runtime.tree, lambda: runtime.find("x")):
            with pytest.raises((NoRuntimeError, ActorDiedError)):
                sync()
        with pytest.raises(NoRuntimeError, match=r"aio\.open_runtime"):
            Player.remote()

    loop_run(play)


def test_a_task_that_outlives_the_block_gets_an_error_and_does_not_hang() -> None:
    async def play() -> None:
        async with aio.open_runtime():
            endless = await Endless.start()
            task = asyncio.create_task(endless.nap())
            await until(lambda: aio.statistics(endless).pending == 1)
        with pytest.raises(TaskCancelledError):
            await task

    loop_run(play)


# -- other loops, other threads --------------------------------------------------------------------------


def test_a_handle_works_in_the_loop_of_another_thread() -> None:
    async def scene(runtime: FarRuntime) -> int:
        player = await Player.start()
        found = await asyncio.to_thread(lambda: asyncio.run(player.add(5)))
        return found + await player.add(1)

    assert visit(scene) == 11


def test_a_handle_works_in_a_trio_run_of_another_thread() -> None:
    import trio

    async def scene(runtime: FarRuntime) -> int:
        endless = await Endless.start()

        async def in_trio() -> int:
            with trio.move_on_after(0.05):
                await endless.spin()
            return await endless.add(5)

        return await asyncio.to_thread(trio.run, in_trio)

    assert visit(scene) == 5


def test_awaited_outside_any_loop_it_says_what_to_write() -> None:
    async def scene(runtime: FarRuntime) -> None:
        player = await Player.options(executor=LOCAL).start()

        def drive() -> None:
            player.add(1).send(None)

        with pytest.raises(NoRuntimeError, match=r"blocking\.call"):
            await asyncio.to_thread(drive)

    visit(scene)


def test_under_trio_it_says_what_to_write() -> None:
    import trio

    async def play() -> None:
        with pytest.raises(NoRuntimeError, match=r"understudy\.open_runtime"):
            async with aio.open_runtime():
                pass

    trio.run(play)


def test_a_runtime_under_trio_and_one_under_asyncio_live_in_one_process() -> None:
    import trio

    async def outer() -> int:
        async with open_runtime():
            near = await Player.options(executor=LOCAL).start(1)
            found = await trio.to_thread.run_sync(lambda: visit(inner))
            return found + await near.add(1)

    async def inner(runtime: FarRuntime) -> int:
        return await (await Player.options(executor=LOCAL).start(10)).add(1)

    assert trio.run(outer) == 13


def test_a_loop_closed_under_us_costs_no_process_and_no_thread() -> None:
    pids: list[int] = []

    async def play() -> None:
        async with aio.open_runtime():
            pids.append(await (await Player.start()).pid())
            asyncio.get_running_loop().stop()
            await asyncio.sleep(20)

    loop = asyncio.new_event_loop()
    task = loop.create_task(play())
    with pytest.raises(RuntimeError, match="stopped"):
        loop.run_until_complete(task)
    loop.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    sleep_until(lambda: not alive(pids[0]))
    sleep_until(lambda: not runtime_threads())
    task.get_coro().close()


def test_a_blocked_loop_does_not_keep_an_actor_from_coming_back() -> None:
    async def scene(runtime: FarRuntime) -> int:
        faller = await Faller.start()
        near = runtime.near.find("faller-1")._life
        faller.vanish.remote()
        sleep_until(lambda: near.number == 2)  # in the loop's own thread
        return await faller.add(1)

    assert visit(scene) == 1


def test_uvloop_will_do() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def play() -> int:
        async with aio.open_runtime():
            player = await Player.start()
            return sum(await asyncio.gather(*[player.echo(n) for n in range(100)]))

    assert uvloop.run(play()) == 4950


def test_asyncio_s_debug_mode_has_nothing_to_say(recwarn: pytest.WarningsRecorder) -> None:
    async def play() -> int:
        async with aio.open_runtime():
            player = await Player.start()
            return await player.add(1)

    assert asyncio.run(play(), debug=True) == 1
    assert not recwarn.list


def test_a_lifespan_opens_the_runtime_for_requests_in_any_task() -> None:
    async def play() -> None:
        tree = Supervisor(Player.options(name="star", executor=LOCAL).child())
        async with aio.lifespan(tree)(object()) as state:
            assert "star" in state["runtime"].tree()
            found: list[int] = []

            async def request() -> None:
                found.append(await get_actor("star", Player).add(1))

            # As a server does: in a context that knows nothing of the lifespan's.
            thread = threading.Thread(target=lambda: asyncio.run(request()))
            thread.start()
            await asyncio.to_thread(thread.join)
            assert found == [1]

    loop_run(play)


# -- the way over ----------------------------------------------------------------------------------------


def test_the_calls_of_many_tasks_go_over_together() -> None:
    async def scene(runtime: FarRuntime) -> tuple[int, int]:
        player = await Player.options(executor=LOCAL).start(0)
        rings: list[None] = []
        ring = runtime.crossing.ring

        def counted() -> None:
            rings.append(None)
            ring()

        async def work() -> None:
            for _ in range(20):
                await player.add(1)

        runtime.crossing.ring = counted
        await asyncio.gather(*(work() for _ in range(100)))
        return len(rings), await player.add(0)

    rings, total = visit(scene)

    assert total == 2_000
    assert rings < 400  # at worst a few for each of the twenty rounds


def test_a_thread_does_not_wait_for_a_loop_that_is_about_to_wake_the_runtime() -> None:
    async def scene(runtime: FarRuntime) -> int:
        player = await Player.options(executor=LOCAL).start(0)
        runtime.crossing.crowded = True
        call = asyncio.ensure_future(player.add(1))
        await asyncio.sleep(0)  # its call is in the inbox, and nobody was woken for it
        got: list[int] = []
        thread = threading.Thread(target=lambda: got.append(blocking.get(player.add.remote(1))))
        thread.start()
        thread.join()  # the loop does nothing meanwhile
        await call
        return got[0]

    assert visit(scene) == 2
