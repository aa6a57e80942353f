"""Promise 5: when the host goes, by any death, every guest and all below it are gone; nothing is leaked meanwhile.

Without a subreaper (portable means) only the guests and their process groups are found.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest
import trio

from tests.rehearsal import keeper_of
from tests.transports.company import Tester
from tests.transports.hosts import ROOT, alive, children, gone, host, kill, marked
from understudy import ActorError, ActorStartError, Process, UnderstudyError, get, open_runtime
from understudy.transports.system.means import has

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]
needs_subreaper = pytest.mark.skipif(
    not has("subreaper"), reason="only the guest's process group is killed here"
)
IN_GROUP = ["spin", "sleep", "child", "stubborn"]
DETACHED = ["session", "daemon", "tree"]
DEATHS = [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGHUP]


@pytest.mark.parametrize("launch", ["zygote", "spawn"])
@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.name)
def test_a_host_that_dies_leaves_no_guest_and_no_child_of_a_guest(death: signal.Signals, launch: str) -> None:
    with host(*IN_GROUP, launch=launch) as (process, told, mark):
        before = len(marked(mark, besides=process.pid))
        kill(process.pid, death)

        assert before >= len(IN_GROUP) + 2
        assert gone(told["keeper"], mark=mark)


@needs_subreaper
def test_a_host_that_is_killed_leaves_no_grandchild_in_a_session_of_its_own() -> None:
    with host(*DETACHED) as (process, told, mark):
        before = len(marked(mark, besides=process.pid))
        kill(process.pid, signal.SIGKILL)

        assert before >= 2 * len(DETACHED)
        assert gone(told["keeper"], mark=mark)


def test_a_host_that_has_forked_and_is_killed_leaves_no_guest() -> None:
    with host("spin", "sleep", "child", fork=True) as (process, told, mark):
        fork = next(pid for pid in children(process.pid) if pid != told["keeper"])
        try:
            kill(process.pid, signal.SIGKILL)

            assert gone(told["keeper"])
            assert set(marked(mark)) <= {fork}
        finally:
            kill(fork, signal.SIGKILL)


def test_guests_that_are_stopped_die_with_their_host_all_the_same() -> None:
    with host("sleep", "sleep") as (process, told, mark):
        kill(process.pid, signal.SIGSTOP)
        for pid in marked(mark, besides=process.pid):
            kill(pid, signal.SIGSTOP)
        kill(process.pid, signal.SIGKILL)

        assert gone(told["keeper"], mark=mark)


@pytest.mark.parametrize(
    "kind", ["child", "stubborn", *(pytest.param(kind, marks=needs_subreaper) for kind in DETACHED)]
)
def test_what_a_guest_leaves_behind_dies_with_the_guest(kind: str) -> None:
    async def main() -> None:
        async with open_runtime():
            tester = await Tester.start()
            left = await tester.spawn(kind)
            with pytest.raises(ActorError):
                await tester.die()

            assert await trio.to_thread.run_sync(gone, left)
            assert await tester.echo("back") == "back"

    trio.run(main)


def test_a_killed_keeper_takes_its_guests_and_they_come_back_with_a_new_one() -> None:
    async def main() -> None:
        async with open_runtime() as runtime:
            testers = [await Tester.options(max_restarts=-1).start() for _ in range(3)]
            pids = [await tester.pid() for tester in testers]
            child = await testers[0].spawn("child")
            keeper = keeper_of(runtime)
            first = keeper.pid
            kill(first, signal.SIGKILL)
            with trio.fail_after(20):
                while keeper.pid in (0, first):  # noqa: ASYNC110 - what is waited for has no event
                    await trio.sleep(0.01)
                again = [await tester.pid() for tester in testers]

            assert await trio.to_thread.run_sync(gone, first, child, *pids)
            assert not set(pids) & set(again)

    trio.run(main)


def test_a_keeper_killed_while_a_launch_fills_its_link_fails_the_launch_and_hangs_nothing() -> None:
    async def main() -> None:
        async with open_runtime() as runtime:
            tester = await Tester.start()
            keeper = keeper_of(runtime)
            first = keeper.pid
            kill(first, signal.SIGSTOP)
            big = Process(stderr="keep", environ={f"X{n}": "x" * 100_000 for n in range(10)})
            with trio.fail_after(20):
                async with trio.open_nursery() as nursery:

                    async def start() -> None:
                        try:
                            await Tester.options(executor=big, restart="temporary").start()
                        except ActorStartError:
                            failed.append(1)

                    failed: list[int] = []
                    nursery.start_soon(start)
                    await trio.sleep(0.05)
                    kill(first, signal.SIGKILL)

                assert await tester.echo(1) == 1
                assert await (await Tester.start()).echo(2) == 2

    trio.run(main)


def count() -> tuple[int, int, int]:
    return len(os.listdir("/proc/self/fd")), len(children(os.getpid())), threading.active_count()


def test_a_closed_runtime_has_given_back_every_descriptor_and_child() -> None:
    async def main() -> None:
        async with open_runtime():
            testers = [await Tester.start() for _ in range(3)]
            assert await get([tester.echo.remote(n) for n, tester in enumerate(testers)]) == [0, 1, 2]
            for death in (testers[0].die(), testers[1].crash(signal.SIGKILL)):
                with pytest.raises(ActorError):
                    await death

    trio.run(main)
    before = count()
    for _ in range(4):
        trio.run(main)
    after = count()

    assert after[:2] == before[:2]


def test_failed_starts_leak_nothing() -> None:
    async def main() -> None:
        async with open_runtime():
            for executor in (
                Process(python="/no/such/python", stderr="keep"),
                Process(folder="/no/such/folder", stderr="keep"),
            ):
                with pytest.raises(ActorStartError):
                    await Tester.options(executor=executor, restart="temporary").start()

    trio.run(main)
    before = count()
    for _ in range(3):
        trio.run(main)

    assert count()[:2] == before[:2]


def test_a_living_runtime_has_no_zombies() -> None:
    async def main() -> None:
        async with open_runtime() as runtime:
            tester = await Tester.options(max_restarts=-1).start()
            for _ in range(3):
                with pytest.raises(ActorError):
                    await tester.die()
            pid = await tester.pid()

            assert pid in children(keeper_of(runtime).pid)
            assert all(map(alive, children(keeper_of(runtime).pid)))

    trio.run(main)


STOPPED_HOST = """
import os, sys, trio
from tests.transports.company import Tester
from understudy import open_runtime, statistics

async def main():
    async with open_runtime() as runtime:
        testers = [await Tester.options(call_timeout=float(sys.argv[1])).start() for _ in range(4)]
        pids = [await tester.pid() for tester in testers]
        refs = [tester.echo.remote(n) for tester in testers for n in range(50)]
        refs += [tester.sleep.remote(0.3) for tester in testers]
        await trio.sleep(0)
        print("ready", flush=True)
        results = [await ref for ref in refs]
        assert results == [n for _ in testers for n in range(50)] + [0.3] * 4, results
        await trio.sleep(0.5)
        assert [await tester.pid() for tester in testers] == pids
        print("nothing lost", len(runtime.dead_letters), flush=True)

trio.run(main)
"""


@pytest.mark.parametrize("seconds", [2, 10])
def test_a_host_that_is_stopped_and_goes_on_has_lost_nothing_and_raises_no_false_alarm(seconds: int) -> None:
    # Without a page one call at a time is in a guest's hands: the others cannot move while their host is stopped.
    timeout = seconds - 0.5 if has("page") else seconds + 20.0
    command = [sys.executable, "-c", STOPPED_HOST, str(timeout)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            kill(process.pid, signal.SIGSTOP)
            threading.Event().wait(seconds)
            kill(process.pid, signal.SIGCONT)
            output = process.communicate(timeout=30)
        finally:
            process.kill()

    assert (output, process.returncode) == (("nothing lost 0\n", ""), 0)


DESCRIPTORS = """
import resource, trio
from tests.transports.company import Tester
from understudy import ActorStartError, open_runtime

async def main():
    async with open_runtime():
        first = await Tester.start()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        in_use = max(int(name) for name in __import__("os").listdir("/proc/self/fd"))
        for room in range(8):
            resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 1 + room, hard))
            try:
                started = await Tester.options(restart="temporary").start()
            except ActorStartError as error:
                assert "Too many open files" in str(error), error
                print("refused", flush=True)
            else:
                assert await started.echo(1) == 1
        assert await first.echo("alive") == "alive"
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert await (await Tester.start()).echo("again") == "again"
        print("lives on", flush=True)

trio.run(main)
"""


def test_when_descriptors_run_out_a_start_says_so_and_the_runtime_lives_on() -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", DESCRIPTORS],
        env=environ,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    told = (done.returncode, "Warning" in done.stderr, "Exception ignored" in done.stderr)
    assert told == (0, False, False), done.stderr
    assert done.stdout.startswith("refused\n")
    assert done.stdout.endswith("lives on\n")


@pytest.mark.parametrize("launch", ["zygote", "spawn"])
@pytest.mark.parametrize(
    ("executor", "words"),
    [
        (Process(python="/no/such/python", stderr="keep"), "cannot run '/no/such/python'.*No such file"),
        (Process(python="/etc/hostname", stderr="keep"), "cannot run '/etc/hostname'"),
        (Process(python="/bin/false", stderr="keep"), "exited with status 1"),
        (Process(folder="/no/such/folder", stderr="keep"), "in '/no/such/folder'.*No such file"),
    ],
    ids=["missing", "not executable", "dies at once", "no such folder"],
)
def test_an_interpreter_that_cannot_be_run_fails_the_start_with_the_reason(
    executor: Process, words: str, launch: Literal["zygote", "spawn"]
) -> None:
    executor = replace(executor, launch=launch)

    async def main() -> None:
        async with open_runtime():
            neighbour = await Tester.start()
            with pytest.raises(ActorStartError) as raised:
                await Tester.options(executor=executor, restart="temporary").start()
            matches(str(raised.value), words)

            assert await neighbour.echo(1) == 1

    trio.run(main)


def matches(text: str, words: str) -> None:
    import re

    assert re.search(words, text), text


def run_with_guest(look: Callable[..., object], **options: object) -> None:
    async def main() -> None:
        async with open_runtime():
            await look(await Tester.options(**options).start())  # type: ignore[arg-type, misc]

    trio.run(main)


def test_a_guest_has_surroundings_of_its_own() -> None:
    async def look(tester: Tester) -> None:
        seen = await tester.surroundings()  # type: ignore[misc]
        python_ignores = {signal.SIGPIPE, signal.SIGXFSZ}

        assert {name for name in seen["environ"] if name != "LC_CTYPE"} == set()
        assert (seen["stdin"], seen["core"], seen["group"], seen["blocked"]) == ("/dev/null", 0, True, 0)
        # The C library's own two signals cannot be set from Python, and come as whoever started us left them.
        ours = sum(1 << number - 1 for number in signal.valid_signals())
        assert seen["ignored"] & ours == sum(1 << number - 1 for number in python_ignores)

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run_with_guest(look)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_children_of_a_guest_do_not_ignore_a_broken_pipe() -> None:
    async def look(tester: Tester) -> None:
        assert not await tester.ignored_in_child() & (1 << signal.SIGPIPE - 1)  # type: ignore[misc]

    run_with_guest(look)


def test_a_guest_has_its_link_and_its_standard_streams_and_hands_on_only_the_latter() -> None:
    async def look(tester: Tester) -> None:
        open_here = await tester.descriptors()  # type: ignore[misc]
        inherited = {number for number, what in open_here.items() if what.endswith("True")}

        assert inherited == {0, 1, 2}
        assert open_here[3].startswith("socket:")

    run_with_guest(look)


def test_an_environment_and_a_folder_that_are_given_are_had() -> None:
    async def look(tester: Tester) -> None:
        seen = await tester.surroundings()  # type: ignore[misc]

        assert (seen["environ"]["COLOUR"], seen["folder"]) == ("blue", "/")

    run_with_guest(look, executor=Process(environ={"COLOUR": "blue"}, folder="/", stderr="keep"))


def test_a_crash_leaves_no_core_file(tmp_path: object) -> None:
    async def main() -> None:
        async with open_runtime():
            tester = await Tester.options(
                executor=Process(folder=str(tmp_path), stderr="keep"), max_restarts=-1
            ).start()
            for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
                with pytest.raises(UnderstudyError, match=number.name):
                    await tester.crash(number)

            assert os.listdir(str(tmp_path)) == []

    trio.run(main)
