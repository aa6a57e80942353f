"""The door for plain code: the same actors, called and waited for by threads."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Endless, Faller, Player, Retried, Starter, said
from tests.doors import alive, runtime_threads, sleep_until
from tests.pages import ROOT
from tests.rehearsal import LOCAL, QUIET
from understudy import (
    ActorDiedError,
    ActorNotFoundError,
    ActorStartError,
    CallInterruptedError,
    GetTimeoutError,
    NoRuntimeError,
    PendingCallsLimitExceeded,
    Pool,
    Supervisor,
    TaskCancelledError,
    TaskError,
    TreeFailedError,
    blocking,
    get_actor,
    remote,
)
from understudy.actors.events import ActorReady
from understudy.crossing.runtime import FarRuntime

BOTH = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert runtime_threads() == []


@pytest.fixture
def runtime() -> Iterator[FarRuntime]:
    with blocking.open_runtime() as runtime:
        yield runtime


# -- calls -----------------------------------------------------------------------------------------------


@BOTH
def test_a_call_a_ref_and_a_cast(runtime: FarRuntime, executor: Any) -> None:
    player = Player.options(executor=executor).remote(10)
    ref = player.add.remote(1)
    player.add.cast(100)

    assert blocking.call(player.add, 5, times=2) == 121
    assert blocking.get(ref) == blocking.get(ref) == 11


def test_get_keeps_the_order_and_the_shape_of_its_refs(runtime: FarRuntime) -> None:
    player = Player.options(executor=LOCAL).remote()
    one, two = player.echo.remote(1), player.echo.remote("two")

    assert blocking.get([two, one, one]) == ["two", 1, 1]
    assert blocking.get((one, two)) == (1, "two")
    assert blocking.get([]) == []


def test_get_waits_no_longer_than_it_is_told_and_the_call_goes_on(
    runtime: FarRuntime, tmp_path: Path
) -> None:
    endless = Endless.remote()
    ref = endless.spin_until_file.remote(str(tmp_path / "go"))
    with pytest.raises(GetTimeoutError, match=r"0\.02 s"):
        blocking.get(ref, timeout=0.02)
    (tmp_path / "go").touch()

    assert blocking.get(ref)
    assert blocking.get(ref, timeout=0)


def test_wait_divides_what_has_ended_from_what_has_not(runtime: FarRuntime) -> None:
    endless, player = Endless.remote(), Player.remote()
    slow, quick = endless.nap.remote(), player.echo.remote(1)

    assert blocking.wait([slow, quick]) == ([quick], [slow])
    assert blocking.wait([slow, quick], num_returns=2, timeout=0.02) == ([quick], [slow])
    more = [player.echo.remote(n) for n in range(50)]
    assert blocking.wait(more, num_returns=50) == (more, [])
    with pytest.raises(ValueError, match="num_returns"):
        blocking.wait([])
    blocking.cancel(slow)


def test_errors_come_as_what_they_are(runtime: FarRuntime) -> None:
    error = KeyError("lost")
    faller = Faller.options(executor=LOCAL).remote()
    with pytest.raises(KeyError) as caught:
        blocking.call(faller.fail, error)

    assert isinstance(caught.value, TaskError)
    assert caught.value.cause is error


def test_cancel_interrupt_kill_and_statistics(runtime: FarRuntime) -> None:
    endless = Endless.remote()
    blocking.wait_ready(endless)
    ref, queued = endless.spin.remote(), endless.note.remote("never")
    assert blocking.cancel(queued)
    while not blocking.interrupt(endless):
        pass
    with pytest.raises(CallInterruptedError):
        blocking.get(ref)
    with pytest.raises(TaskCancelledError):
        blocking.get(queued)
    assert blocking.call(endless.notes) == []
    assert not blocking.cancel(ref)
    blocking.kill(endless, no_restart=False)
    blocking.wait_ready(endless)
    assert blocking.statistics(endless).incarnation == 2
    blocking.kill(endless)
    with pytest.raises(ActorDiedError):
        blocking.call(endless.add)


def test_a_full_mailbox_refuses_refs_at_once(runtime: FarRuntime) -> None:
    endless = Endless.options(max_pending_calls=1).remote()
    ref = endless.nap.remote()
    with pytest.raises(PendingCallsLimitExceeded):
        endless.nap.remote()
    blocking.cancel(ref)


def test_events_are_an_iterator(runtime: FarRuntime) -> None:
    with runtime.events() as events:
        Player.options(executor=LOCAL, id="one").remote()
        ready = next(event for event in events if isinstance(event, ActorReady))

    assert ready.actor == "one"
    assert list(events) == []


def test_the_runtime_tells_of_itself_as_under_trio(runtime: FarRuntime) -> None:
    blocking.wait_ready(Player.options(executor=LOCAL, id="one").remote())

    assert "one  Player, ready" in runtime.tree()
    assert runtime.dead_letters == []
    assert "open" in repr(runtime)


def test_remote_functions_and_pools_are_called_from_threads_too(runtime: FarRuntime) -> None:
    lengths = remote(len)
    assert blocking.get([lengths.remote("a" * n) for n in range(5)]) == [0, 1, 2, 3, 4]
    assert blocking.get(lengths.remote("again")) == 5

    members: Any = Pool(Player, size=2).remote()
    assert blocking.get([members.add.remote(0) for _ in range(5)]) == [0] * 5
    assert 1 <= len(set(blocking.get([members.pid.remote() for _ in range(20)]))) <= 2


# -- threads ---------------------------------------------------------------------------------------------


def test_many_threads_may_use_all_of_it_at_once(runtime: FarRuntime) -> None:
    player = Player.remote()

    def work(number: int) -> list[Any]:
        mine = Player.options(name=f"mine-{number}", executor=LOCAL).remote(number)
        found = [blocking.call(player.echo, (number, n)) for n in range(30)]
        found += blocking.get([player.echo.remote((number, n)) for n in range(30)])
        assert blocking.call(get_actor(f"mine-{number}", Player).add, 1) == number + 1
        blocking.kill(mine)
        return found

    with ThreadPoolExecutor(16) as pool:
        for number, found in enumerate(pool.map(work, range(16))):
            assert found == [(number, n) for n in range(30)] * 2
    assert blocking.statistics(player).pending == 0


def test_threads_that_wait_when_the_runtime_closes_are_told() -> None:
    told: list[BaseException] = []

    def work(use: Callable[[], object]) -> None:
        try:
            use()
        except Exception as error:
            told.append(error)

    with blocking.open_runtime():
        endless = Endless.remote()
        ref = endless.nap.remote()
        uses = (lambda: blocking.get(ref), lambda: blocking.call(endless.nap), lambda: blocking.wait([ref]))
        threads = [threading.Thread(target=work, args=(use,)) for use in uses]
        for thread in threads:
            thread.start()
        sleep_until(lambda: blocking.statistics(endless).pending == 2)
    for thread in threads:
        thread.join(10)

    assert [type(error) for error in told] == [TaskCancelledError] * 2  # wait() raises nothing


def test_in_the_runtime_s_own_thread_it_refuses_to_wait_for_itself(runtime: FarRuntime) -> None:
    player = Player.options(executor=LOCAL).remote()
    ref = Endless.remote().nap.remote()

    def inside() -> None:
        with pytest.raises(NoRuntimeError, match="wait for itself"):
            blocking.call(player.add)
        with pytest.raises(NoRuntimeError, match="wait for itself"):
            blocking.get(ref)
        with pytest.raises(NoRuntimeError, match="wait for itself"):
            blocking.wait_ready(player)

    runtime.crossing.do(inside)
    blocking.cancel(ref)


# -- Ctrl-C ----------------------------------------------------------------------------------------------


WAITS = {
    "call": "blocking.call(endless.spin)",
    "get": "blocking.get(ref)",
    "get, in time": "blocking.get(ref, timeout=60)",
    "wait": "blocking.wait([ref])",
    "interrupt": "blocking.interrupt(endless)",
    "events": "list(runtime.events())",
}


@pytest.mark.slow
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_and_the_runtime_goes_on(wait: str) -> None:
    done = script(
        f"""
        import os, signal, threading, time
        from tests.cast import Endless, Player
        from tests.doors import sleep_until
        from understudy import Ladder, Process, blocking

        with blocking.open_runtime() as runtime:
            deaf = Process(stderr="keep", ladder=Ladder(interrupt=60))
            endless, player = Endless.options(executor=deaf, shutdown=0).remote(), Player.remote(5)
            blocking.wait_ready(endless)
            ref = endless.protected.remote(60) if {wait!r} != "call" else None
            def press():
                sleep_until(lambda: blocking.statistics(endless).pending)
                time.sleep(0.1)  # until the main thread sleeps, most likely; it has to work in any case
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=press).start()
            try:
                {WAITS[wait]}
                time.sleep(60)
            except KeyboardInterrupt:
                print("pressed", blocking.call(player.add, 1), ref is None or not ref.done)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "pressed 6 True\n", "")


@pytest.mark.slow
def test_ctrl_c_withdraws_a_call_and_the_actor_is_free_again() -> None:
    done = script(
        """
        import os, signal, threading
        from tests.cast import Endless
        from tests.doors import sleep_until
        from understudy import blocking

        with blocking.open_runtime():
            endless = Endless.remote(5)
            def press():
                sleep_until(lambda: blocking.statistics(endless).pending)
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=press).start()
            try:
                blocking.call(endless.spin)
            except KeyboardInterrupt:
                print("pressed", blocking.call(endless.add, 1))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "pressed 6\n", "")


@pytest.mark.slow
def test_ctrl_c_while_the_runtime_opens_stops_what_had_started() -> None:
    done = script(
        """
        import os, signal, threading, time
        from tests.cast import Starter
        from understudy import Supervisor, blocking

        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
        try:
            with blocking.open_runtime(Supervisor(Starter.options(id="never").child("never"))):
                print("it opened")
        except KeyboardInterrupt:
            print("pressed", [t.name for t in threading.enumerate() if t.name == "understudy"])
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "pressed []\n", "")


@pytest.mark.slow
def test_ctrl_c_while_the_runtime_closes_kills_what_is_left() -> None:
    done = script(
        """
        import os, signal, threading
        from tests.cast import Endless
        from tests.doors import sleep_until
        from understudy import blocking

        block = blocking.open_runtime()
        block.__enter__()
        endless = Endless.options(shutdown=60).remote()
        blocking.wait_ready(endless)
        endless.protected.cast(60)
        def press():
            sleep_until(lambda: block.thread.told)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=press).start()
        try:
            block.__exit__(None, None, None)
        except KeyboardInterrupt:
            print("pressed")
        """
    )
    assert (done.returncode, done.stdout) == (0, "pressed\n"), done.stderr


def script(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False, env={**os.environ}
    )


# -- the runtime's own life ------------------------------------------------------------------------------


def test_a_normal_exit_carries_out_accepted_casts(tmp_path: Path) -> None:
    path = str(tmp_path / "notes")
    with blocking.open_runtime():
        retried = Retried.remote()
        for n in range(200):
            retried.note.cast(path, str(n))

    assert said(path) == [str(n) for n in range(200)]


def test_what_the_body_raises_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError, match="mine"), blocking.open_runtime():
        raise KeyError("mine")


def test_a_child_that_does_not_start_fails_the_opening() -> None:
    tree = Supervisor(Starter.options(id="bad").child("raise"))
    with pytest.raises(ActorStartError, match="the tree"), blocking.open_runtime(tree):
        raise AssertionError("it opened")


def test_a_tree_that_fails_is_told_to_whoever_asks_and_when_the_block_is_left() -> None:
    tree = Supervisor(Faller.options(id="one", executor=LOCAL).child(), intensity=0)
    block = blocking.open_runtime(tree)
    runtime = block.__enter__()
    get_actor("one", Faller).fail.cast(ValueError("too much"))
    sleep_until(lambda: runtime.thread.ended.over)
    with pytest.raises(NoRuntimeError, match="its tree failed") as caught:
        runtime.tree()
    assert isinstance(caught.value.__cause__, TreeFailedError)
    with pytest.raises(TreeFailedError):
        block.__exit__(None, None, None)


def test_runtimes_may_be_nested_and_the_inner_one_is_the_one_that_is_open() -> None:
    with blocking.open_runtime():
        Player.options(executor=LOCAL, name="outer").remote()
        with blocking.open_runtime():
            with pytest.raises(ActorNotFoundError):
                get_actor("outer")
        assert blocking.call(get_actor("outer", Player).add) == 1


def test_after_the_end_everything_says_so() -> None:
    with blocking.open_runtime() as runtime:
        player = Player.options(executor=LOCAL).remote()
        ref = player.add.remote(1)
        blocking.get(ref)
    assert blocking.get(ref) == 1
    for use in (
        lambda: blocking.call(player.add),
        lambda: blocking.kill(player),
        lambda: blocking.wait_ready(player),
        lambda: blocking.statistics(player),
        lambda: blocking.cancel(ref),
        lambda: runtime.find("x"),
        lambda: player.add.remote(),
        lambda: player.add.cast(),
        lambda: Player.remote(),
    ):
        with pytest.raises((NoRuntimeError, ActorDiedError)):
            use()


def test_init_and_shutdown_are_ray_s() -> None:
    assert not blocking.is_initialized()
    runtime = blocking.init()
    assert blocking.is_initialized()
    with pytest.raises(RuntimeError, match="ignore_reinit_error"):
        blocking.init()
    assert blocking.init(ignore_reinit_error=True) is runtime
    assert blocking.get(Player.options(executor=LOCAL).remote(1).add.remote(1)) == 2
    blocking.shutdown()
    blocking.shutdown()
    assert not blocking.is_initialized()


# -- ends nobody planned ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)", "raise KeyError('lost')", "1 / 0"])
def test_the_interpreter_exits_with_a_runtime_open_and_nothing_is_left(ending: str) -> None:
    done = script(
        f"""
        from tests.cast import Endless, Player
        from understudy import blocking

        blocking.init()
        player, endless = Player.remote(), Endless.remote()
        ref = endless.spin.remote()
        print(blocking.call(player.pid), flush=True)
        player.add.cast(1)
        {ending}
        """
    )
    assert done.returncode == {"": 0, "raise SystemExit(3)": 3}.get(ending, 1)
    assert done.stderr.count("Traceback") == (1 if done.returncode == 1 else 0), done.stderr
    sleep_until(lambda: not alive(int(done.stdout)))


@pytest.mark.slow
def test_the_interpreter_exits_while_threads_wait(tmp_path: Path) -> None:
    done = script(
        """
        import threading
        from tests.cast import Endless
        from tests.doors import sleep_until
        from understudy import TaskCancelledError, blocking

        def wait():
            try:
                blocking.call(endless.nap)
            except TaskCancelledError:
                print("told")

        blocking.init()
        endless = Endless.remote()
        for daemon in (True, False):
            threading.Thread(target=wait, daemon=daemon).start()
        sleep_until(lambda: blocking.statistics(endless).pending == 2)
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "told\n" in done.stdout


@pytest.mark.slow
def test_daemon_threads_that_wait_at_the_interpreter_s_exit_end_without_a_word() -> None:
    done = script(
        """
        import threading
        from tests.cast import Endless
        from tests.doors import sleep_until
        from understudy import blocking

        def broken():
            raise KeyError("mine")

        blocking.init()
        endless = Endless.remote()
        for wait in (blocking.call, lambda nap: blocking.get(nap.remote())) * 10:
            threading.Thread(target=wait, args=(endless.nap,), daemon=True).start()
        threading.Thread(target=lambda: sleep_until(lambda: not blocking.is_initialized()) or broken()).start()
        sleep_until(lambda: blocking.statistics(endless).pending == 20)
        """
    )
    assert done.returncode == 0
    assert done.stderr.count("Traceback") == done.stderr.count("KeyError: 'mine'") == 1, done.stderr


@pytest.mark.slow
def test_a_loop_that_is_abandoned_costs_the_exit_nothing() -> None:
    done = script(
        """
        import asyncio, gc
        from tests.cast import Player
        from understudy import aio

        loop = asyncio.new_event_loop()
        block = aio.open_runtime()
        loop.run_until_complete(block.__aenter__())
        async def main():
            return await (await Player.start()).pid()
        print(loop.run_until_complete(main()))
        loop.close()
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    sleep_until(lambda: not alive(int(done.stdout)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_refused_and_its_parent_goes_on(runtime: FarRuntime) -> None:
    player = Player.remote()
    blocking.call(player.add)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if refused(player, runtime) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert blocking.call(player.add) == 2


def refused(player: type[Player], runtime: FarRuntime) -> bool:
    uses = (
        lambda: blocking.call(player.add),
        lambda: player.add.remote(),
        lambda: player.add.cast(),
        lambda: blocking.kill(player),
        lambda: Player.remote(),
        runtime.tree,
    )
    for use in uses:
        try:
            use()
            return False
        except (NoRuntimeError, ActorDiedError) as error:
            if "forked" not in str(error):
                return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_that_leaves_the_block_harms_nobody_and_may_open_its_own() -> None:
    done = script(
        """
        import os, sys, warnings
        from tests.cast import Player
        from understudy import blocking

        warnings.simplefilter("ignore", DeprecationWarning)
        with blocking.open_runtime():
            player = Player.remote()
            blocking.call(player.add)
            pid = os.fork()
            if pid == 0:
                with blocking.open_runtime():
                    print("child", blocking.call(Player.remote(5).add), flush=True)
                sys.exit(7)
            print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
            print("parent", blocking.call(player.add))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "child 6\nstatus 7\nparent 2\n", "")


def test_refs_and_put_values_are_arguments_here_too() -> None:
    with blocking.open_runtime():
        player = Player.remote()
        words = blocking.put(["a", "b"])
        five = player.add.remote(5)

        assert blocking.get(player.echo.remote(words)) == ["a", "b"]
        assert blocking.get((five, words)) == (5, ["a", "b"])
        assert blocking.get(player.add.remote(five.as_argument)) == 10
        assert blocking.call(player.echo, words) == ["a", "b"]
        assert blocking.wait([five, words], num_returns=2) == ([five, words], [])
