"""`Thread()`: an actor in a thread of this process; it can be interrupted and abandoned, not killed."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast import Player
from tests.cast_guest_streams import Fountain
from tests.cast_threads import Solo
from tests.rehearsal import held, pending_everywhere, rehearse, until
from understudy import (
    ActorUnavailableError,
    CallInterruptedError,
    GetTimeoutError,
    Ladder,
    Local,
    Runtime,
    Thread,
    get,
    interrupt,
    kill,
    statistics,
)
from understudy.actors.events import ActorAbandoned
from understudy.transports.guests.context import running

QUICK = Thread(ladder=Ladder(0.05, 0.05))


def said(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("understudy")]


def test_arguments_results_items_and_exceptions_are_the_very_same_objects() -> None:
    thing: Any = threading.Lock()
    error = ValueError("this one")

    async def scene(runtime: Runtime) -> None:
        actor = await Solo.start(thing)
        assert (await actor.initial())[0] is thing
        assert await actor.echo(thing) is thing
        with pytest.raises(ValueError, match="this one") as caught:
            await actor.fail_with(error)
        assert caught.value.cause is error  # type: ignore[attr-defined]

        fountain = await Fountain.options(executor=Thread()).start()
        assert [item async for item in fountain.give(thing, scene)] == [thing, scene]

    rehearse(scene)


def test_it_runs_in_one_thread_that_is_not_ours() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await Solo.start()
        threads = {await actor.thread() for _ in range(5)}
        assert len(threads) == 1
        assert threading.get_ident() not in threads

    rehearse(scene)


def test_a_loop_of_python_is_interrupted_and_the_thread_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await Player.options(executor=Thread()).start()
        assert await actor.add() == 1
        spinner = await Solo.start()
        ref = spinner.spin_or_pass.remote(1000.0)
        await until(lambda: statistics(spinner).pending)
        await trio.sleep(0.02)
        assert await interrupt(spinner)
        with pytest.raises(CallInterruptedError):
            await ref
        with pytest.raises(GetTimeoutError):
            await spinner.spin_or_pass.options(timeout=0.02)(1000.0)
        assert await spinner.spin_or_pass(0.0) == "passed"
        assert statistics(spinner).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
def test_it_is_rung_again_when_it_swallows_an_interrupt() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await Solo.start()
        ref = actor.swallow.remote(5)
        await trio.sleep(0.02)
        await interrupt(actor)
        assert await ref == 5
        assert statistics(actor).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
def test_interrupts_hit_no_call_but_their_own() -> None:
    async def scene(runtime: Runtime) -> None:
        actor = await Solo.start()
        for _ in range(60):
            with trio.move_on_after(0.003):
                await actor.spin_or_pass(1000.0)
            assert await actor.spin_or_pass(0.0005) == "passed"
        assert statistics(actor).incarnation == 1

    rehearse(scene)


def test_what_does_not_end_is_abandoned_and_heard_no_more(tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await Solo.options(executor=QUICK, max_restarts=-1).start()
        events = runtime.events()
        behind = actor.add.remote(1)
        assert await behind == 2
        blocked = actor.block.remote(str(path), 0.6)
        waiting = [actor.add.remote(n) for n in range(20)]
        await until(lambda: said(path))
        assert await interrupt(actor)
        with pytest.raises(ActorUnavailableError) as error:
            await blocked
        assert error.value.fate == "begun"
        assert await get(waiting) == [n + 1 for n in range(20)]
        assert statistics(actor).incarnation == 2
        assert len(held(events, ActorAbandoned)) == 1
        await until(
            lambda: len([name for name in ours() if "solo" in name]) == 1
        )  # it woke, and found nobody
        assert said(path) == ["begun"]
        assert await actor.add(5) == 6
        assert statistics(actor).incarnation == 2
        assert not pending_everywhere(runtime)

    rehearse(scene)


def test_a_killed_thread_begins_none_of_the_calls_it_holds(tmp_path: Path) -> None:
    path, later = tmp_path / "said", tmp_path / "later"

    async def scene(runtime: Runtime) -> None:
        actor = await Solo.options(max_restarts=-1).start()
        blocked = actor.block.remote(str(path), 0.3)
        waiting = [actor.note.remote(str(later)) for _ in range(20)]
        await until(lambda: said(path))
        await kill(actor, no_restart=False)
        with pytest.raises(ActorUnavailableError):
            await blocked
        await get(waiting)
        await until(lambda: said(path) == ["begun", "ended"])
        await trio.sleep(0.05)
        assert said(later) == ["noted"] * 20

    rehearse(scene)


def test_a_runtime_closes_although_a_thread_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await Solo.options(executor=QUICK, shutdown=0.1).start()
        actor.block.cast(str(path), 1.0)
        await until(lambda: said(path))

    started = time.monotonic()
    rehearse(scene)
    assert said(path) == ["begun"], f"it took {time.monotonic() - started} s"

    async def wait() -> None:
        with trio.fail_after(5):
            await until(lambda: said(path) == ["begun", "ended"])
            await until(lambda: not any("solo" in name for name in ours()))

    trio.run(wait)
    assert "Traceback" not in capfd.readouterr().err


def test_no_thread_is_left_behind_by_streams() -> None:
    before = len(ours())

    async def scene(runtime: Runtime) -> None:
        actor = await Fountain.options(executor=Thread()).start()
        assert len([n async for n in actor.count(100)]) == 100

    rehearse(scene)

    async def wait() -> None:
        with trio.fail_after(5):
            await until(lambda: len(ours()) <= before)

    trio.run(wait)


def test_actors_in_threads_and_here_each_know_their_own_call() -> None:
    async def scene(runtime: Runtime) -> None:
        first = await Solo.options(name="first").start()
        second = await Solo.options(name="second").start()
        here = await Player.options(executor=Local(), name="here").start()
        for _ in range(10):
            refs: list[Any] = [actor.who.remote() for actor in (first, second) for _ in range(2)]
            names = ["first"] * 2 + ["second"] * 2
            local = here.who.remote()
            found = await local
            assert (found[0], found[3]) == (local.id, "here")
            for ref, name in zip(refs, names, strict=True):
                assert await ref == [ref.id, "who", name]
            assert running.call is None
            assert running.actor is None or running.details is None

    rehearse(scene)


def test_a_method_of_a_thread_leaves_what_runs_in_its_host_alone(tmp_path: Path) -> None:
    words = tmp_path / "words"

    async def scene(runtime: Runtime) -> None:
        before = (running.call, running.actor, running.details)
        actor = await Solo.start()
        ref = actor.wait_for.remote(str(words), "go")
        await trio.sleep(0.02)
        assert (running.call, running.actor, running.details) == before
        words.write_text("go ")
        assert await ref == "go"

    rehearse(scene)
