"""A runtime from its opening to its end, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.cast import Endless, Faller, Player, Retried, Starter, said
from tests.rehearsal import LOCAL, QUIET, rehearse, run
from understudy import (
    Actor,
    ActorDiedError,
    ActorStartError,
    NoRuntimeError,
    ObjectRef,
    Pool,
    Runtime,
    Supervisor,
    TaskCancelledError,
    TreeFailedError,
    get_actor,
    method,
    open_runtime,
    statistics,
)
from understudy.actors.events import Event

BOTH = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
Quick = Faller.options(executor=LOCAL)


@BOTH
def test_a_normal_exit_carries_out_accepted_casts(executor: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "notes")

    async def scene(runtime: Runtime) -> Runtime:
        retried = await Retried.options(executor=executor).start()
        for n in range(400):
            retried.note.cast(path, str(n))
        return runtime

    runtime = rehearse(scene)
    assert said(path) == [str(n) for n in range(400)]
    assert not runtime.dead_letters


@BOTH
def test_an_exit_by_exception_drops_casts_as_dead_letters(executor: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "notes")
    runtimes: list[Runtime] = []

    async def scene(runtime: Runtime) -> None:
        runtimes.append(runtime)
        retried = await Retried.options(executor=executor).start()
        for n in range(1000):
            retried.note.cast(path, str(n))
        raise ValueError("leave")

    with pytest.raises(ValueError, match="leave"):
        rehearse(scene)
    letters = runtimes[0].dead_letters
    assert letters
    assert {letter.cause for letter in letters} == {"undelivered"}
    assert sorted(map(int, said(path))) + [int(letter.args[1]) for letter in letters] == list(range(1000))


@BOTH
def test_what_the_body_raises_comes_out_unwrapped(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await Player.options(executor=executor).start()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        rehearse(scene)


def test_a_group_the_body_raises_stays_that_group() -> None:
    async def scene(runtime: Runtime) -> None:
        raise ExceptionGroup("two", [ValueError("a"), KeyError("b")])

    with pytest.raises(ExceptionGroup) as error:
        rehearse(scene)
    assert [type(one) for one in error.value.exceptions] == [ValueError, KeyError]


@BOTH
def test_an_outer_cancellation_closes_everything(executor: Any) -> None:
    async def play() -> None:
        with trio.CancelScope() as scope:
            async with open_runtime() as runtime:
                player = await Player.options(executor=executor).start()
                scope.deadline = trio.current_time() + 0.05
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert statistics(player).state == "dead"
        assert runtime.house.registry.paths == {}

    run(play)


def test_a_cancellation_while_a_runtime_opens_or_closes_leaves_nothing_behind() -> None:
    async def play(steps: int) -> None:
        async def cancel_soon() -> None:
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            scope.cancel()

        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                if steps:
                    nursery.start_soon(cancel_soon)
                else:
                    scope.cancel()
                async with open_runtime():
                    await trio.sleep_forever()
        assert scope.cancelled_caught

    for steps in range(20):
        run(partial(play, steps))


def test_an_exception_under_an_outer_cancellation_is_not_lost() -> None:
    async def play() -> None:
        with trio.CancelScope() as scope:
            async with open_runtime():
                scope.cancel()
                raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(play)


def test_cancelled_while_it_opens_it_closes() -> None:
    async def play() -> None:
        with trio.move_on_after(0.2):
            async with open_runtime(Supervisor(Starter.child("never"))):
                raise AssertionError("it opened")

    run(play)


def test_a_call_that_waits_when_the_runtime_closes_is_told() -> None:
    async def play() -> None:
        errors: list[BaseException] = []

        async def caller(endless: Any) -> None:
            try:
                await endless.sleep(0.3)
                await endless.echo(1)
            except (ActorDiedError, TaskCancelledError) as error:
                errors.append(error)

        async with trio.open_nursery() as nursery:
            async with open_runtime():
                endless = await Endless.options(shutdown=0).start()
                nursery.start_soon(caller, endless)
                nursery.start_soon(caller, endless)
                await trio.testing.wait_all_tasks_blocked()
        assert len(errors) == 2

    run(play)


@BOTH
def test_after_the_close_handles_and_refs_say_so(executor: Any) -> None:
    async def play() -> None:
        async with open_runtime() as runtime:
            player = await Player.options(executor=executor).start()
            ref = player.add.remote()
            assert await ref == 1
        for use in (player.add, player.add.remote, player.add.cast):
            with pytest.raises(ActorDiedError, match=r"player-1 is dead \(shutdown\)"):
                await use()  # type: ignore[misc]
        assert await ref == 1
        with pytest.raises(NoRuntimeError, match="the runtime is closing and starts nothing new"):
            runtime.spawn(Player.child())
        assert repr(runtime).startswith("<runtime, closing, 0 actors")

    run(play)


def test_starting_something_after_the_tree_failed_is_refused() -> None:
    seen: list[str] = []

    async def scene(runtime: Runtime) -> None:
        get_actor("faller", Faller).quit.cast(1)
        try:
            await trio.sleep_forever()
        finally:
            try:
                Quick.remote()
            except NoRuntimeError as error:
                seen.append(str(error))

    with pytest.raises(TreeFailedError):
        rehearse(scene, Supervisor(Quick.child(), intensity=0))
    assert seen == ["the runtime is closing and starts nothing new"]


def test_the_bodys_own_exception_wins_over_the_failed_tree_and_tells_of_it() -> None:
    async def scene(runtime: Runtime) -> None:
        get_actor("faller", Faller).quit.cast(1)
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as error:
        rehearse(scene, Supervisor(Quick.child(), intensity=0))
    assert "the runtime's tree had failed" in "".join(error.value.__notes__)


def test_runtimes_nest_and_the_inner_one_is_current() -> None:
    async def play() -> None:
        async with open_runtime():
            outer = await Quick.options(name="n").start()
            await outer.add(10)
            async with open_runtime():
                inner = await Quick.options(name="n").start()
                assert await get_actor("n", Faller).add() == 1
                assert await outer.add() == 11
            with pytest.raises(ActorDiedError):
                await inner.add()
            assert await get_actor("n", Faller).add() == 12

    run(play)


def test_runtimes_may_follow_each_other() -> None:
    async def play() -> None:
        for _ in range(3):
            async with open_runtime():
                assert await Quick.remote().add() == 1

    run(play)


def test_a_child_task_may_use_the_runtime_it_was_started_under() -> None:
    async def play() -> None:
        async with open_runtime(), trio.open_nursery() as nursery:

            async def task() -> None:
                assert await Quick.remote().add() == 1

            nursery.start_soon(task)

    run(play)


def test_actors_stop_within_their_shutdown() -> None:
    async def scene(runtime: Runtime) -> ObjectRef[str]:
        endless = await Endless.options(shutdown=0.2).start()
        endless.protected.cast(3600)
        return endless.sleep.remote(1)

    ref = rehearse(scene)
    assert ref.done


def test_shutdown_0_kills_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(shutdown=0).start()
        endless.protected.cast(3600)

    rehearse(scene)


def test_many_actors_close_together() -> None:
    async def scene(runtime: Runtime) -> None:
        handles = [Quick.remote(n) for n in range(500)]
        refs = [handle.add.remote() for handle in handles]
        assert [await ref for ref in refs] == list(range(1, 501))

    rehearse(scene)


def test_capabilities_tell_what_is_in_use() -> None:
    async def scene(runtime: Runtime) -> None:
        found = runtime.capabilities()
        assert {"page", "pidfd", "parent_death", "subreaper", "epoll"} <= set(found)
        assert all(found.values())

    rehearse(scene)


def test_a_start_that_fails_at_open_names_the_child_and_its_last_words() -> None:
    async def play() -> None:
        with pytest.raises(ActorStartError, match="starter did not start") as error:
            async with open_runtime(Supervisor(Starter.child("die"))):
                raise AssertionError("it opened")
        assert "exited with status 7" in str(error.value)
        assert "died in __init__" in str(error.value)

    run(play)


PROGRAM = """
import sys, trio
from tests.cast import Endless, Player
from understudy import Actor, Local, open_runtime, method

class Busy(Actor, executor=Local()):
    @method
    def spin(self):
        print("ready", flush=True)
        while True: pass

async def main():
    async with open_runtime() as runtime:
        mode = sys.argv[1]
        endless = await Endless.start()
        # CPython ends by the signal itself if a Ctrl-C ever passed through exec() of a text, as when a method
        # is looked at for the first time.
        endless.nap, await endless.add()
        if mode == "local":
            busy = await Busy.start()
            await busy.spin()
        print("ready", flush=True)
        if mode == "call":
            await endless.nap()
        elif mode == "idle":
            await trio.sleep_forever()
        else:
            while True:
                await endless.add()

try:
    trio.run(main)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("mode", ["idle", "call", "local", "busy"])
def test_ctrl_c_ends_the_program_cleanly(mode: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        program.send_signal(signal.SIGINT)
        try:
            out, err = program.communicate(timeout=20)
        finally:
            program.kill()
    assert (program.returncode, out, err) == (0, "interrupted\n", "")


def test_a_bug_in_a_listener_ends_the_runtime_rather_than_hang_it() -> None:
    class Nothing(Actor, executor=LOCAL):
        @method
        def ping(self) -> None: ...

    async def scene(runtime: Runtime) -> None:
        def fall(event: Event) -> None:
            raise ZeroDivisionError

        runtime.house.stream.listeners.append(fall)
        Nothing.remote()
        await trio.sleep_forever()

    with pytest.raises((ZeroDivisionError, BaseExceptionGroup)):
        rehearse(scene)


@pytest.mark.parametrize(
    "tree", [5, [], Player.child(1), Pool(Player)], ids=["number", "list", "spec", "pool"]
)
def test_what_is_no_tree_is_refused_at_once(tree: Any) -> None:
    async def play() -> None:
        with pytest.raises(TypeError, match=r"open_runtime\(\) takes a tree, Supervisor"):
            async with open_runtime(tree):
                raise AssertionError("it is open")

    run(play)
