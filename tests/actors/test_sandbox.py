"""A sandboxed guest tries what it may not, and is a full guest in all that it may."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trio

from tests.cast_sandbox import Prisoner
from tests.rehearsal import held, keeper_of, rehearse, until
from understudy import (
    ActorStartError,
    ActorUnavailableError,
    CallInterruptedError,
    Environment,
    Ladder,
    Limits,
    Process,
    Runtime,
    Sandbox,
    TaskError,
    interrupt,
    kill,
)
from understudy.actors.events import ActorEnded, SandboxMissing
from understudy.transports.places import keeper
from understudy.transports.system import bubblewrap
from understudy.transports.system.bubblewrap import Finder
from understudy.transports.system.means import has
from understudy.transports.system.processes import ENDED, below, listed

ROOT = Path(__file__).parents[2]
OWN_PLACES = {ROOT.parts[2]} if ROOT.parts[1] == "tmp" else set()  # in /tmp it sees nothing but what it needs
KERNEL = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
FOUND = trio.run(Finder().find)
walled = pytest.mark.skipif(bool(FOUND.flaw), reason=FOUND.flaw)

WALLED = Process(sandbox="required", stderr="keep")


def behind(**details: Any) -> Process:
    return Process(sandbox=Sandbox(**details), stderr="keep")


def prisoner(process: Process = WALLED) -> Any:
    return Prisoner.options(executor=process).remote()


# -- the value ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"mode": "on"}, "mode must be 'off', 'best-effort' or 'required'"),
        ({"read": "/etc"}, "read must be a tuple of absolute paths"),
        ({"read": ("etc",)}, "read must be a tuple of absolute paths"),
        ({"write": ("/a\0b",)}, "write must be a tuple of absolute paths"),
        ({"network": 1}, "network must be True or False"),
        ({"scratch": 0}, "scratch must be bytes above 0"),
    ],
    ids=str,
)
def test_a_sandbox_that_cannot_be_is_refused(details: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Sandbox(**details)


def test_a_mode_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="sandbox must be 'off', 'best-effort', 'required' or Sandbox"):
        Process(sandbox="on")  # type: ignore[arg-type]


# -- where it cannot be built -------------------------------------------------------------------------


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "PROGRAM", "no-such-bwrap")
    monkeypatch.setattr(Finder.__init__, "__defaults__", (lambda name: True,))


@pytest.mark.usefixtures("without")
def test_one_that_is_required_refuses_to_start_and_says_what_to_install() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match=r"its sandbox is required: .* apt install bubblewrap"):
            await Prisoner.options(executor=WALLED).start()

    rehearse(scene)


@pytest.mark.usefixtures("without")
def test_one_at_best_effort_starts_without_and_that_is_told_and_shown() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        left = Prisoner.options(name="left", executor=Process(sandbox="best-effort")).remote()
        assert await left.pid() > 2
        (missing,) = held(events, SandboxMissing)
        assert missing.actor == "left"
        assert "apt install bubblewrap" in missing.why
        assert "no sandbox (bubblewrap is not installed" in runtime.tree()

    rehearse(scene)


@pytest.mark.parametrize(
    ("complaint", "advice"),
    [
        ("bwrap: No permissions to create new namespace", "sysctl user.max_user_namespaces"),
        ("bwrap: setting up uid map: Permission denied", "apparmor_restrict_unprivileged_userns"),
        ("bwrap: something new", "to see for yourself"),
    ],
)
def test_a_bubblewrap_that_does_not_work_is_told_with_what_to_do(
    complaint: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(f'#!/bin/sh\necho "{complaint}"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "PROGRAM", str(program))

    found = trio.run(Finder(lambda name: True).find)

    assert complaint in found.flaw
    assert advice in found.flaw


@walled
def test_where_no_proc_can_be_mounted_it_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bwrap"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *"--proc "*) echo "bwrap: Can\'t mount proc"; exit 1;; esac\n'
        f'exec {shutil.which("bwrap")} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "PROGRAM", str(program))

    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        assert "proc" not in await inside.look("/")
        assert "trusted, sandboxed without /proc" in runtime.tree()
        assert set(await inside.environ()) <= {"LC_CTYPE"}

    rehearse(scene)


def test_portable_means_have_no_sandbox() -> None:
    assert "UNDERSTUDY_PORTABLE" in trio.run(Finder(lambda name: False).find).flaw


@walled
def test_a_path_to_be_shown_that_is_not_there_fails_the_start() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(
            ActorStartError, match="the sandbox is to show /no/such, and there is no such path"
        ):
            await Prisoner.options(executor=behind(read=("/no/such",))).start()

    rehearse(scene)


def there(path: str) -> bool:
    return Path(path).exists()


# -- what it may not ----------------------------------------------------------------------------------


@walled
def test_it_sees_no_home_no_secrets_and_no_files_of_others(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    home = os.path.expanduser("~")

    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        for path in (
            "/etc/shadow",
            "/etc/passwd",
            f"{tmp_path}/secret",
            f"{home}/.bashrc",
            f"{home}/.ssh/id_rsa",
        ):
            with pytest.raises(FileNotFoundError):
                await inside.read(path)
        assert set(await inside.look("/tmp")) <= OWN_PLACES
        assert set(await inside.look("/")) <= {
            "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "sbin", "tmp", "usr",
            *(Path(path).parts[1] for path in [*sys.path, sys.executable, home] if path),
        }  # fmt: skip

    rehearse(scene)


@walled
@pytest.mark.parametrize("path", ["/new", "/usr/new", "/etc/new", str(ROOT / "new"), f"{sys.prefix}/new"])
def test_it_writes_nowhere_but_to_its_own_tmp(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        with pytest.raises(OSError, match=r"Read-only file system|Permission denied|No such file"):
            await inside.write(path)
        assert not there(path)
        await inside.write("/tmp/understudy-test-own")
        assert set(await inside.look("/tmp")) - OWN_PLACES == {"understudy-test-own"}
        assert not there("/tmp/understudy-test-own")

    rehearse(scene)


@walled
def test_two_of_them_see_nothing_of_each_other() -> None:
    async def scene(runtime: Runtime) -> None:
        one, two = prisoner(), prisoner()
        await one.write("/tmp/own")
        await one.write("/dev/shm/own")
        assert set(await two.look("/tmp")) <= OWN_PLACES
        assert await two.look("/dev/shm") == []
        assert len(await two.numbers()) == 2  # the walls' own, and itself

    rehearse(scene)


@walled
def test_its_scratch_space_is_bounded() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner(behind(scratch=1024 * 1024))
        for path in ("/tmp/much", "/dev/shm/much"):
            with pytest.raises(OSError, match="No space left"):
                await inside.fill(path, 4 * 1024 * 1024)

    rehearse(scene)


@contextmanager
def answering(sock: socket.socket) -> Iterator[socket.socket]:
    """A server that greets everybody."""

    def greet() -> None:
        while True:
            try:
                with sock.accept()[0] as peer:
                    peer.sendall(b"welcome")
            except OSError:
                return

    with sock:
        sock.listen()
        thread = Thread(target=greet)
        thread.start()
        try:
            yield sock
        finally:
            sock.shutdown(socket.SHUT_RDWR)
            thread.join()


@walled
def test_it_reaches_no_server_of_its_host_unless_it_has_the_network() -> None:
    async def scene(runtime: Runtime) -> None:
        with answering(socket.create_server(("127.0.0.1", 0))) as server:
            port = server.getsockname()[1]
            with pytest.raises(OSError, match=r"refused|unreachable"):
                await prisoner().connect("127.0.0.1", port)
            assert await prisoner(behind(network=True)).connect("127.0.0.1", port) == "welcome"

    rehearse(scene)


@walled
def test_it_reaches_no_abstract_socket_of_its_host() -> None:
    name = f"understudy-test-{os.getpid()}"
    sock = socket.socket(socket.AF_UNIX)
    sock.bind("\0" + name)

    async def scene(runtime: Runtime) -> None:
        with answering(sock):
            assert await prisoner(Process()).connect_abstract(name) == "welcome"
            with pytest.raises(ConnectionRefusedError):
                await prisoner().connect_abstract(name)

    rehearse(scene)


@walled
def test_it_can_neither_see_nor_signal_nor_trace_a_process_outside() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        assert set(await inside.numbers()) == {1, await inside.pid()}
        with pytest.raises(ProcessLookupError):
            await inside.signal(os.getpid(), 0)
        assert await inside.trace(os.getpid()) == errno.ESRCH

    rehearse(scene)


@walled
def test_it_has_no_privileges_and_can_gain_none() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        status = await inside.status()
        assert status["NoNewPrivs"] == "1"
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert "0" not in status["Uid"].split()
        if bubblewrap.NO_MORE_WALLS in FOUND.options:
            assert await inside.new_user_namespace() != 0

    rehearse(scene)


@walled
def test_a_program_that_is_set_to_another_user_gains_it_nothing(tmp_path: Path) -> None:
    program = tmp_path / "whoami"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o4755)
    if os.getuid() == 0:
        os.chown(program, 12345, 12345)
        program.chmod(0o4755)

    async def scene(runtime: Runtime) -> None:
        plain = prisoner(Process())
        if os.getuid() == 0:
            assert "12345" in await plain.output([str(program), "-u"])
        inside = prisoner(behind(read=(str(tmp_path),)))
        assert "12345" not in await inside.output([str(program), "-u"])

    rehearse(scene)


@walled
def test_the_systems_settings_cannot_be_changed_by_one_of_root() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
            with pytest.raises(OSError, match=r"Read-only|denied|No such file"):
                await inside.write(path, "")

    rehearse(scene)


@walled
def test_its_environment_is_as_clean_as_that_of_any_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    monkeypatch.setenv("SHOWN", "yes")

    async def scene(runtime: Runtime) -> None:
        assert set(await prisoner().environ()) <= {"LC_CTYPE"}
        process = Process(sandbox="required", environ=Environment(allow={"SHOWN"}))
        assert set(await prisoner(process).environ()) - {"LC_CTYPE"} == {"SHOWN"}

    rehearse(scene)


# -- what it may --------------------------------------------------------------------------------------


@walled
def test_it_reads_and_writes_what_it_was_given(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "data").write_text("lines")

    async def scene(runtime: Runtime) -> None:
        inside = prisoner(behind(read=(f"{tmp_path}/in",), write=(f"{tmp_path}/out",)))
        assert await inside.read(f"{tmp_path}/in/data") == "lines"
        with pytest.raises(OSError, match="Read-only"):
            await inside.write(f"{tmp_path}/in/data")
        await inside.write(f"{tmp_path}/out/result", "done")

    rehearse(scene)
    assert (tmp_path / "out" / "result").read_text() == "done"


@walled
def test_its_folder_is_where_it_was_sent_and_else_its_own(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        assert await prisoner().folder() == "/tmp"
        process = Process(sandbox="required", folder=str(tmp_path))
        assert await prisoner(process).folder() == str(tmp_path)

    rehearse(scene)


@walled
@pytest.mark.parametrize("packages", ["host", "none"])
def test_it_imports_what_any_guest_can(packages: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner(Process(sandbox="required", packages=packages))
        assert await inside.has("json")
        assert await inside.has("trio") is (packages == "host")

    rehearse(scene)


@walled
def test_it_is_trusted_or_not_as_any_other() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner(Process(sandbox="required", trusted=False))
        assert await inside.pid() > 1
        assert "untrusted, sandboxed" in runtime.tree()

    rehearse(scene)


@walled
def test_it_bears_limits_too() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner(Process(sandbox="required", limits=Limits(memory=128 * 1024 * 1024)))
        with pytest.raises(TaskError) as caught:
            await inside.eat(256 * 1024 * 1024)
        assert isinstance(caught.value.cause, MemoryError)

    rehearse(scene)


async def begun(inside: Any) -> None:
    """Interrupt what runs, as soon as something does."""
    while not await interrupt(inside):  # noqa: ASYNC110 - the beginning of a call is no news
        await trio.sleep(0.01)


# -- a guest as any other -----------------------------------------------------------------------------


@walled
def test_a_call_that_runs_in_it_is_interrupted_and_it_lives() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        first = await inside.numbers()
        ref = inside.spin.remote()
        await begun(inside)
        with pytest.raises(CallInterruptedError):
            await ref
        assert await inside.numbers() == first

    rehearse(scene)


@walled
@pytest.mark.slow
def test_the_ladder_ends_one_that_is_deaf() -> None:
    process = Process(sandbox="required", ladder=Ladder(interrupt=0.1, terminate=0.1), stderr="keep")

    async def scene(runtime: Runtime) -> None:
        inside = prisoner(process)
        await inside.pid()
        ref = inside.sleep_deaf.remote()
        await begun(inside)
        with pytest.raises(ActorUnavailableError) as caught:
            await ref
        assert caught.value.reason.status == -signal.SIGKILL

    rehearse(scene)


@walled
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT])
def test_the_signal_that_killed_it_is_told(number: signal.Signals) -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorUnavailableError) as caught:
            await prisoner().die(number)
        assert caught.value.reason.status == -number
        assert number.name in caught.value.reason.text

    rehearse(scene)


@walled
def test_the_status_that_it_left_with_is_told() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorUnavailableError) as caught:
            await prisoner().exit(7)
        assert caught.value.reason.status == 7

    rehearse(scene)


@pytest.mark.cold
@walled
def test_a_new_one_starts_only_when_all_of_the_old_is_dead() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        inside = prisoner()
        name = await inside.leave_behind()
        await until(lambda: any(name in command for command in commands()))
        pid = pid_of(runtime)
        await kill(inside, no_restart=False)
        await until(lambda: held(events, ActorEnded))
        assert not is_alive(pid)
        await until(lambda: not any(name in command for command in commands()))
        await inside.pid()
        assert len(list(below(os.getpid(), listed()))) == 4  # the keeper, two of the walls, the guest

    rehearse(scene)


@walled
def test_one_that_loses_its_keeper_is_replaced_when_it_is_dead() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = prisoner()
        name = await inside.leave_behind()
        await until(lambda: any(name in command for command in commands()))
        pid = pid_of(runtime)
        os.kill(keeper_of(runtime).pid, signal.SIGKILL)
        await until(lambda: pid_of(runtime) not in (0, pid))
        assert not is_alive(pid)
        await inside.pid()
        await until(lambda: not any(name in command for command in commands()))

    rehearse(scene)


def pid_of(runtime: Runtime) -> int:
    (life,) = [life for life in runtime.house.registry.paths.values() if life.spec.cls is Prisoner]
    return life.incarnation.pid if life.incarnation is not None else 0


def is_alive(pid: int) -> bool:
    process = listed().get(pid)
    return process is not None and process.state not in (ENDED, "X")


def commands() -> list[str]:
    found: list[str] = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found.append(Path("/proc", name, "cmdline").read_text())
            except OSError:
                continue
    return found


@walled
def test_it_is_shown_in_the_tree_with_its_walls_and_its_own_process() -> None:
    async def scene(runtime: Runtime) -> None:
        inside = Prisoner.options(name="inside", executor=WALLED).remote()
        await inside.pid()
        pid = pid_of(runtime)
        assert f"trusted, sandboxed, process {pid}" in runtime.tree()
        parents = {process.pid: process.parent for process in listed().values()}
        assert parents[parents[parents[parents[pid]]]] == os.getpid()
        assert "understudy: the walls of inside (Prisoner)" in runtime.tree(all=True)
        assert "understudy: inside (Prisoner)" in Path(f"/proc/{pid}/cmdline").read_text()  # noqa: ASYNC240

    rehearse(scene)


HOST = """
import os, sys, trio
from tests.cast_sandbox import Prisoner
from understudy import Process, open_runtime

async def main():
    async with open_runtime():
        inside = Prisoner.options(executor=Process(sandbox="required")).remote()
        print(os.getuid(), await inside.leave_behind(), (await inside.status())["Uid"].split()[0], flush=True)
        inside.spin.remote()
        await trio.sleep(float(sys.argv[1]))

trio.run(main)
"""


AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
NEEDS = "import subprocess, sys, trio, msgspec; subprocess.run([sys.executable, '-c', ''], check=True)"
VARIABLES = {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]), "PATH": os.environ["PATH"]}


# Two who may have twenty processes each, and one that has its share of its user's.
COUNTED = """
import trio
from tests.cast_limits import Glutton
from understudy import Limits, Process, Sandbox, TaskError, open_runtime

async def forked(sandbox):
    glutton = Glutton.options(executor=Process(sandbox=sandbox, limits=Limits(processes=20))).remote()
    try:
        await glutton.fork(100)
    except BlockingIOError:
        return await glutton.forked()

async def main():
    async with open_runtime():
        print(*[await forked(sandbox) for sandbox in ("required", "required", "off")])

trio.run(main)
"""


def host(python: str, *before: str, seconds: str = "0", script: str = HOST) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, python, "-c", script, seconds],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/", env=VARIABLES,
    )  # fmt: skip


def runs_as_nobody(python: str) -> bool:
    """Can a user without privileges run this interpreter, and what we need in it?"""
    done = subprocess.run(
        [*AS_NOBODY, python, "-c", NEEDS], env=VARIABLES, cwd="/", capture_output=True, check=False
    )
    return done.returncode == 0


@walled
@pytest.mark.slow
def test_nothing_of_it_outlives_a_host_that_was_killed() -> None:
    with host(sys.executable, seconds="60") as process:
        assert process.stdout is not None
        name = process.stdout.readline().split()[1]
        trio.run(until_seen, name, True)
        process.kill()
        trio.run(until_seen, name, False)


async def until_seen(name: str, wanted: bool) -> None:
    with trio.fail_after(5):
        await until(lambda: any(name in command for command in commands()) is wanted)


as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


def told_by_nobody(script: str) -> list[str]:
    """What a host prints that runs as a user without privileges."""
    python = next(filter(runs_as_nobody, (sys.executable, "/usr/bin/python3")), None)
    if python is None:
        pytest.skip("another user can run no interpreter here")
    with host(python, *AS_NOBODY, script=script) as process:
        told, error = process.communicate(timeout=50)
    assert told, error
    return told.split()


@walled
@as_root
@pytest.mark.slow
def test_a_user_without_privileges_has_sandboxes_too() -> None:
    outside, _, inside = told_by_nobody(HOST)
    assert outside == inside == "65534"


@walled
@as_root
@pytest.mark.slow
@pytest.mark.skipif(KERNEL < (5, 14), reason="older kernels count the processes of a user all together")
def test_its_processes_are_counted_apart_from_those_of_its_user() -> None:
    first, second, last = map(int, told_by_nobody(COUNTED))
    assert first == second == 18  # with itself, and the one that reaps what is left behind
    assert last < 20


# -- without walls ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not has("zygote"), reason="its parent is a zygote where there are any")
def test_one_without_walls_that_traces_its_parent_holds_up_starts_until_another_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper, "SILENT", 2)

    async def scene(runtime: Runtime) -> None:
        quiet = Process(stderr="keep")
        tracer, other = prisoner(quiet), prisoner(quiet)
        await other.pid()
        assert await tracer.trace(keeper_of(runtime).pid) in (0, errno.EPERM)
        assert await other.pid()  # calls do not pass it
        assert await prisoner(quiet).pid()

    rehearse(scene)


@walled
def test_a_standby_waits_behind_walls_too() -> None:
    process = Process(sandbox="required", standby=1, stderr="keep")

    async def scene(runtime: Runtime) -> None:
        inside = prisoner(process)
        first = await inside.pid()
        await until(lambda: any(reserve.pids for reserve in runtime.house.stage.reserves.values()))
        with pytest.raises(ActorUnavailableError):
            await inside.die(signal.SIGKILL)
        assert await inside.pid() == first  # each is the second process behind walls of its own
        assert set(await inside.environ()) <= {"LC_CTYPE"}
        assert "sandboxed" in runtime.tree()

    rehearse(scene)
