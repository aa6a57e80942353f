"""`dump(handle)` shows where an actor's code is, whatever it is stuck in."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.cast import Endless, Player, Starter
from tests.cast_async import Juggler
from tests.cast_stuck import Stuck
from tests.rehearsal import LOCAL, rehearse, until
from understudy import Process, Runtime, Thread, cancel, dump, kill, statistics

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.mark.parametrize("method", ["spin", "nap", "read", "swallow", "swallow_deaf"])
def test_a_stuck_method_is_shown_and_goes_on(method: str) -> None:
    async def scene(runtime: Runtime) -> None:
        endless = await Endless.options(shutdown=0).start()
        getattr(endless, method).cast()
        file = io.StringIO()
        text = ""
        while f"in {method.removesuffix('_deaf')}\n" not in text:
            text = await dump(endless, file=file)
        assert text.startswith(f"endless-1, incarnation 1, process {statistics(endless).pid}:\n")
        assert "(most recent call first)" in text
        assert 'bootstrap.py", line' in text
        assert file.getvalue().endswith(text)
        assert statistics(endless).incarnation == 1

    rehearse(scene)


@pytest.mark.parametrize("how", ["in_c", "in_c_with_the_lock", "with_python_signals_replaced"])
def test_one_that_is_stuck_in_c_is_shown_too(how: str, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stuck = await Stuck.options(shutdown=0).start()
        getattr(stuck, how).cast(str(tmp_path / "there"))
        await until((tmp_path / "there").exists)
        assert f"in {how}\n" in await dump(stuck, file=io.StringIO())

    rehearse(scene)


def test_every_thread_is_shown(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stuck = await Stuck.options(shutdown=0).start()
        stuck.in_two_threads.cast(str(tmp_path / "there"))
        await until((tmp_path / "there").exists)
        text = await dump(stuck, file=io.StringIO())
        assert text.count("most recent call first") == 2
        assert "in wait_forever\n" in text
        assert "in in_two_threads\n" in text

    rehearse(scene)


def test_one_that_is_stuck_in_its_start_is_shown() -> None:
    async def scene(runtime: Runtime) -> None:
        starter = Starter.remote("never")
        text = ""
        while "in __init__\n" not in text:
            await trio.sleep(0.01)
            text = await dump(starter, timeout=0.2, file=io.StringIO())
        await kill(starter)

    rehearse(scene)


@linux
def test_one_that_cannot_answer_is_described_by_the_system() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=Process(stopped_timeout=60, stderr="keep")).start()
        os.kill(statistics(player).pid, signal.SIGSTOP)
        await until(lambda: player._life.incarnation.process.stopped)  # type: ignore[attr-defined]
        text = await dump(player, timeout=0.05, file=io.StringIO())
        assert "did not answer within 0.05 s:\nState:\tT (stopped)" in text

        os.kill(statistics(player).pid, signal.SIGCONT)
        assert await player.echo(1) == 1
        while "in receive\n" not in await dump(player, file=io.StringIO()):
            pass

    rehearse(scene)


def test_many_at_once_are_given_the_same() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.start()
        texts: list[str] = []

        async def one() -> None:
            texts.append(await dump(player, file=io.StringIO()))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(one)
        assert len(set(texts)) == 1
        assert texts[0].count("most recent call first") == 1

    rehearse(scene)


def test_a_local_actor_shows_its_task() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=LOCAL, name="here").start()
        await player.echo(1)
        text = await dump(player, file=io.StringIO())
        assert text.startswith(
            "here, incarnation 1, in this process:\nTask 'here' (most recent call first):\n"
        )
        assert "in serve\n" in text

    rehearse(scene)


def test_the_calls_of_an_async_local_actor_are_shown_one_by_one() -> None:
    async def scene(runtime: Runtime) -> None:
        juggler = await Juggler.options(executor=LOCAL).start()
        waiting = [juggler.wait.remote() for _ in range(2)]
        await trio.testing.wait_all_tasks_blocked()
        text = await dump(juggler, file=io.StringIO())

        assert text.count("cast_async.py") == 2
        assert text.count("(most recent call first)") == 3
        for ref in waiting:
            cancel(ref)

    rehearse(scene)


def test_an_actor_in_threads_shows_those_that_run_its_calls() -> None:
    async def scene(runtime: Runtime) -> None:
        threaded = await Player.options(executor=Thread(), max_concurrency=2, name="threaded").start()
        other = await Player.options(executor=Thread(), name="threaded-too").start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(threaded.sleep, 0.3)
            text = ""
            while "in sleep\n" not in text:
                await trio.sleep(0.01)
                text = await dump(threaded, file=io.StringIO())
            assert text.startswith(
                "threaded, incarnation 1, in threads of this process:\nThread 'understudy threaded'"
            )
            assert text.count("most recent call first") == 2
            assert "threaded-too" not in text
            assert "in sleep\n" not in await dump(other, file=io.StringIO())

    rehearse(scene)


def test_it_prints_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> str:
        return await dump(await Player.start())

    assert rehearse(scene) == capsys.readouterr().err


def test_an_actor_without_an_incarnation_says_so() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(name="gone").start()
        await kill(player)
        assert await dump(player, file=io.StringIO()) == "gone is dead: no code of it runs\n"

    rehearse(scene)


def test_an_untrusted_guest_cannot_steer_the_terminal(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        stuck = await Stuck.options(executor=Process(trusted=False, stderr="keep"), shutdown=0).start()
        stuck.write_on_the_channel.cast(str(tmp_path / "there"))
        await until((tmp_path / "there").exists)
        text = await dump(stuck, file=io.StringIO(), timeout=0.1)
        assert "\x1b" not in text
        assert "red" in text

    rehearse(scene)


def test_only_a_handle_can_be_dumped() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(TypeError, match="the handle of an actor"):
            await dump("player")  # type: ignore[arg-type]

    rehearse(scene)
