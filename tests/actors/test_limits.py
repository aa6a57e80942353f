"""Limits: what the system refuses a guest, what its death is told as, and what the host does when it has run out."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cast import QUIET
from tests.cast_limits import Glutton, Worn
from tests.rehearsal import held, rehearse
from understudy import (
    ActorStartError,
    ActorUnavailableError,
    ExitReason,
    Limits,
    Process,
    Runtime,
    TaskError,
    kill,
)
from understudy.actors.autopsy import examined
from understudy.actors.events import ActorEnded
from understudy.actors.reasons import ERROR, SHUTDOWN_EXIT, SIGNAL
from understudy.supervisors.events import EventReader

MIB = 1024 * 1024
LAUNCHES = ("zygote", "spawn")
ROOT = Path(__file__).parents[2]


def limited(launch: Any = "zygote", **limits: Any) -> Process:
    return Process(launch=launch, stderr="keep", limits=Limits(**limits))


def reasons(events: EventReader) -> list[ExitReason]:
    """How incarnations have ended."""
    return [event.reason for event in held(events, ActorEnded)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory", 0), ("memory", 1), ("memory", 16 * MIB - 1), ("memory", "1 GiB"), ("memory", 2e9), ("cpu_seconds", 0.5), ("open_files", -1),
        ("processes", True), ("niceness", 20), ("niceness", -21), ("soft_memory", 0), ("max_calls", 0),
        ("max_age", 0), ("max_age", "a day"),
    ],
)  # fmt: skip
def test_a_limit_that_cannot_be_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})


def test_the_least_memory_is_what_a_guest_begins_with() -> None:
    assert Limits(memory=16 * MIB).hard == {"memory": 16 * MIB}
    with pytest.raises(ValueError, match="16 MiB"):
        Limits(memory=1)


def test_what_is_no_limits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"limits must be Limits\(\.\.\.\)"):
        Process(limits={"memory": MIB})  # type: ignore[arg-type]


@pytest.mark.parametrize("launch", LAUNCHES)
def test_the_system_knows_the_limits_before_any_code_of_the_users_runs(launch: Any) -> None:
    process = limited(launch, memory=256 * MIB, cpu_seconds=30, open_files=50, niceness=3)

    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=process).remote()
        found = await glutton.limits()
        assert found["RLIMIT_DATA"] == (256 * MIB, 256 * MIB)
        assert found["RLIMIT_CPU"] == (30, 31)
        assert found["RLIMIT_NOFILE"] == (50, 50)
        assert await glutton.niceness() == 3

    rehearse(scene)


def test_a_guest_without_limits_has_those_of_its_host() -> None:
    async def scene(runtime: Runtime) -> None:
        found = await Glutton.options(executor=QUIET).remote().limits()
        assert found["RLIMIT_DATA"] == resource.getrlimit(resource.RLIMIT_DATA)
        assert found["RLIMIT_NOFILE"] == resource.getrlimit(resource.RLIMIT_NOFILE)

    rehearse(scene)


def test_limits_of_one_guest_are_not_those_of_its_siblings() -> None:
    async def scene(runtime: Runtime) -> None:
        first = Glutton.options(executor=limited(open_files=50)).remote()
        second = Glutton.options(executor=limited()).remote()
        assert (await first.limits())["RLIMIT_NOFILE"] == (50, 50)
        assert (await second.limits())["RLIMIT_NOFILE"] == resource.getrlimit(resource.RLIMIT_NOFILE)

    rehearse(scene)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_more_memory_than_the_limit_is_a_memory_error_of_that_call_and_the_actor_lives(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=limited(launch, memory=128 * MIB)).remote()
        with pytest.raises(MemoryError) as caught:
            await glutton.eat(256 * MIB)
        assert isinstance(caught.value, TaskError)
        assert await glutton.eat(MIB) == MIB

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("launch", LAUNCHES)
def test_eating_bit_by_bit_ends_at_the_limit_too(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=limited(launch, memory=128 * MIB)).remote()
        with pytest.raises(TaskError) as caught:
            await glutton.eat_all(MIB)
        assert isinstance(caught.value.cause, MemoryError)
        assert await glutton.eaten() < 128 * MIB

    rehearse(scene)


def test_a_start_that_runs_out_of_memory_says_so() -> None:
    async def scene(runtime: Runtime) -> None:
        process = limited(memory=128 * MIB)
        with pytest.raises(ActorStartError, match="out of memory") as caught:
            await Glutton.options(executor=process).start(256 * MIB)
        assert "its limit is 134,217,728 bytes" in str(caught.value)

    rehearse(scene)


def test_an_actor_that_does_not_survive_its_memory_error_says_that_it_was_out_of_memory() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        process = limited(memory=128 * MIB)
        glutton = Glutton.options(executor=process, crash_on=(MemoryError,)).remote()
        with pytest.raises(TaskError):
            await glutton.eat(256 * MIB)
        assert await glutton.eaten() == 0  # by the next incarnation
        (reason,) = reasons(events)
        assert "out of memory (its limit is 134,217,728 bytes)" in reason.text

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("launch", LAUNCHES)
def test_one_that_used_up_its_processor_time_is_told_as_such(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=limited(launch, cpu_seconds=1)).remote()
        with pytest.raises(ActorUnavailableError, match="it used up its 1 CPU seconds"):
            await glutton.burn()

    rehearse(scene)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_files_can_be_opened_up_to_the_limit(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=limited(launch, open_files=40)).remote()
        assert await glutton.open(10) == 10
        with pytest.raises(OSError, match="Too many open files"):
            await glutton.open(40)
        assert await glutton.eaten() == 0

    rehearse(scene)


def test_processes_can_be_forked_up_to_the_limit() -> None:
    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=limited(processes=16)).remote()
        with pytest.raises(BlockingIOError):
            await glutton.fork(10_000)
        assert await glutton.eaten() == 0

    rehearse(scene)


@pytest.mark.slow
def test_a_limit_that_the_host_itself_does_not_have_fails_the_start_and_says_which() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most == resource.RLIM_INFINITY or raises_limits():
        pytest.skip("there is no limit here that may not be raised")

    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match=rf"limit open_files={most + 1} cannot be set"):
            await Glutton.options(executor=limited(open_files=most + 1)).start()

    rehearse(scene)


def raises_limits() -> bool:
    """May we raise hard limits, as root mostly may?"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    script = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard + 1}))"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0


# -- what a death is told as --------------------------------------------------------------------------

LIMITS = Limits(memory=16 * MIB, cpu_seconds=2)
FREE = Limits()


def died(status: int | None = None, error: BaseException | None = None, stderr: str = "") -> ExitReason:
    return ExitReason(SIGNAL if error is None else ERROR, "it ended", error, status, stderr)


@pytest.mark.parametrize(
    ("reason", "limits", "oom", "told"),
    [
        (died(error=MemoryError()), LIMITS, False, "out of memory (its limit is 16,777,216 bytes): it ended"),
        (died(error=MemoryError()), FREE, False, "out of memory: it ended"),
        (died(error=ValueError()), LIMITS, False, "it ended"),
        (died(error=ValueError(), stderr="MemoryError"), LIMITS, False, "it ended"),
        (died(-signal.SIGXCPU), LIMITS, False, "it used up its 2 CPU seconds: it ended"),
        (died(-signal.SIGXCPU), FREE, False, "it ended"),
        (died(-signal.SIGKILL), FREE, True, "probably out of memory, killed by the kernel: it ended"),
        (died(-signal.SIGKILL), FREE, False, "it ended"),
        (died(-signal.SIGKILL), LIMITS, False, "perhaps it used up its 2 CPU seconds: it ended"),
        (died(-signal.SIGTERM), FREE, True, "it ended"),
        (died(-signal.SIGABRT, stderr="std::bad_alloc"), FREE, False, "probably out of memory: it ended"),
        (died(1, stderr="MemoryError"), FREE, False, "probably out of memory: it ended"),
        (died(1, stderr="MemoryError\n" + "later\n" * 30), FREE, False, "it ended"),
        (died(-signal.SIGSEGV), LIMITS, False, "perhaps out of memory (its limit is 16,777,216 bytes): it ended"),
        (died(-signal.SIGSEGV), FREE, False, "it ended"),
    ],
    ids=str,
)  # fmt: skip
def test_the_cause_is_told_as_surely_as_it_is_known(
    reason: ExitReason, limits: Limits, oom: bool, told: str
) -> None:
    assert examined(reason, limits, lambda: oom).text == told


def test_a_death_that_was_ordered_is_not_looked_into() -> None:
    ordered = ExitReason(SIGNAL, "killed", MemoryError(), -9, ordered=True)

    assert examined(ordered, LIMITS, lambda: True) is ordered
    assert examined(SHUTDOWN_EXIT, LIMITS, lambda: True) is SHUTDOWN_EXIT


def test_a_program_in_c_that_was_refused_memory_is_told_as_probable() -> None:
    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=limited(memory=256 * MIB)).remote()
        with pytest.raises(ActorUnavailableError, match="probably out of memory"):
            await glutton.starve_in_c()

    rehearse(scene)


GROUPS = Path("/sys/fs/cgroup/memory")


@pytest.mark.slow
def test_a_guest_that_the_kernel_kills_for_memory_is_told_as_such() -> None:
    group = GROUPS / f"understudy-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(64 * MIB))
    except OSError as error:
        pytest.skip(f"no group of processes can be given a limit here: {error}")

    async def scene(runtime: Runtime) -> None:
        glutton = Glutton.options(executor=QUIET).remote()
        (group / "cgroup.procs").write_text(str(await glutton.pid()))
        with pytest.raises(ActorUnavailableError, match="probably out of memory, killed by the kernel"):
            await glutton.touch(256 * MIB)

    try:
        rehearse(scene)
    finally:
        group.rmdir()


# -- a host that has run out --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("launch", LAUNCHES)
def test_without_descriptors_a_start_fails_the_runtime_lives_and_later_starts_work(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        first = Worn.options(executor=limited(launch)).remote()
        await first.number()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with ExitStack() as spent:
            spent.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
            while True:
                try:
                    spent.callback(os.close, os.open(os.devnull, os.O_RDONLY))
                except OSError:
                    break
            with pytest.raises(ActorStartError, match="Too many open files"):
                await Worn.options(executor=limited(launch)).start()
            assert await first.number() == 1
        assert await (await Worn.options(executor=limited(launch)).start()).number() == 1
        await kill(first)

    rehearse(scene)
