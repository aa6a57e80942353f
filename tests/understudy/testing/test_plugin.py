"""The pytest plugin: async tests get a runtime, in real or virtual time, and must leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import trio

from tests.pages import ROOT
from understudy import Actor, Local, Runtime, method

pytest_plugins = ["pytester"]


class Sleepy(Actor, executor=Local()):
    @method
    async def work(self, seconds: float) -> float:
        await trio.sleep(seconds)
        return trio.current_time()


async def test_an_async_test_has_an_open_runtime(runtime: Runtime) -> None:
    assert await Sleepy.remote().work(0.0) > 0
    assert runtime.tree()


async def test_in_virtual_time_an_hour_takes_no_time(virtual_runtime: Runtime) -> None:
    began = trio.current_time()
    assert await Sleepy.remote().work(3600.0) - began == pytest.approx(3600.0)


@pytest.mark.parametrize("seconds", [1.0, 2.0])
async def test_other_fixtures_and_parameters_are_given_too(
    virtual_runtime: Runtime, seconds: float, tmp_path: object
) -> None:
    assert tmp_path is not None
    assert await Sleepy.remote().work(seconds) > 0


@pytest.mark.understudy(virtual=True)
async def test_a_marked_test_needs_no_runtime() -> None:
    began = trio.current_time()
    await trio.sleep(10.0)
    assert trio.current_time() - began == pytest.approx(10.0)


# -- tests that fail ---------------------------------------------------------------------------------


def outcome(pytester: pytest.Pytester, code: str, *options: str, **counts: int) -> str:
    """Run a test file with the plugin; returns what pytest said."""
    pytester.makepyfile(code)
    result = pytester.runpytest_inprocess(
        "-p", "understudy.testing.plugin", "-p", "no:cacheprovider", *options
    )
    result.assert_outcomes(**counts)
    return str(result.stdout)


LEAKS = {
    "descriptor": ("import os\nleft = os.open('/dev/null', 0)", "os.close(left)", "descriptor *: /dev/null"),
    "thread": (
        "import threading\nleft = threading.Event()\nthreading.Thread(target=left.wait, name='lazy').start()",
        "left.set()",
        "thread 'lazy'",
    ),
    "process": (
        "import subprocess\nleft = subprocess.Popen(['sleep', '60'])",
        "left.kill(); left.wait()",
        "process *: sleep 60",
    ),
    "segment": (
        "from multiprocessing.shared_memory import SharedMemory\nleft = SharedMemory(create=True, size=10)",
        "left.close(); left.unlink()",
        "shared memory*",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_what_a_test_leaves_behind_is_told(pytester: pytest.Pytester, leak: tuple[str, str, str]) -> None:
    make, clean, told = leak
    lines = make.replace("\n", "\n    ")
    code = f"""
import os, pytest

left = None

@pytest.fixture(autouse=True)
def cleaner():
    yield
    {clean}

@pytest.mark.understudy
async def test_leaky():
    global left
    {lines}

@pytest.mark.understudy(leaks=True)
async def test_allowed():
    await test_leaky()
"""
    said = outcome(pytester, code, failed=1, passed=1)

    assert "the test left behind:" in said
    assert any(pytest_match(line, told) for line in said.splitlines())


def pytest_match(line: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(line.strip(), f"*{pattern}*")


def test_a_task_of_the_run_that_is_left_behind_is_told(pytester: pytest.Pytester) -> None:
    code = """
import trio

async def lazy():
    await trio.sleep_forever()

async def test_leaky(virtual_runtime):
    trio.lowlevel.spawn_system_task(lazy)
"""
    said = outcome(pytester, code, failed=1)

    assert "the test left tasks behind: " in said
    assert ".lazy" in said


def test_a_failure_of_the_test_is_told_as_it_is(pytester: pytest.Pytester) -> None:
    code = """
async def test_wrong(virtual_runtime):
    assert 1 + 1 == 3
"""
    said = outcome(pytester, code, failed=1)

    assert "assert (1 + 1) == 3" in said
    assert "ExceptionGroup" not in said


def test_a_test_that_takes_too_long_is_ended(pytester: pytest.Pytester) -> None:
    code = """
import pytest, trio

@pytest.mark.understudy(seconds=5)
async def test_endless(virtual_runtime):
    await trio.sleep_forever()
"""
    assert "TooSlowError" in outcome(pytester, code, failed=1)


def test_the_runtime_is_for_async_tests_alone(pytester: pytest.Pytester) -> None:
    code = """
def test_plain(runtime):
    runtime.tree()
"""
    assert "is an open runtime in an async test, and in nothing else" in outcome(pytester, code, failed=1)


def test_both_runtimes_at_once_are_refused(pytester: pytest.Pytester) -> None:
    code = """
async def test_both(runtime, virtual_runtime):
    pass
"""
    assert "it can have one" in outcome(pytester, code, failed=1)


def test_a_marker_with_a_word_it_does_not_know_is_refused(pytester: pytest.Pytester) -> None:
    code = """
import pytest

@pytest.mark.understudy(clock="mock")
async def test_marked():
    pass
"""
    assert "does not take clock" in outcome(pytester, code, failed=1)


def test_other_peoples_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    code = """
import os, pytest

left = []

def test_leaky():
    left.append(os.open('/dev/null', 0))

@pytest.mark.anyio
async def test_of_another_runner():
    pass

def test_last():
    os.close(left[0])
"""
    outcome(pytester, code, "-p", "anyio", passed=4)


def test_all_tests_are_checked_where_that_is_wanted(pytester: pytest.Pytester) -> None:
    code = """
import os

left = []

def test_leaky():
    left.append(os.open('/dev/null', 0))

def test_last():
    os.close(left[0])
"""
    outcome(pytester, code, "-o", "understudy_leaks=all", failed=1, passed=1)
    outcome(pytester, code, "-o", "understudy_leaks=off", passed=2)


@pytest.mark.slow
def test_the_plugin_loads_no_event_loop() -> None:
    code = "import sys, understudy.testing.plugin; print({'trio', 'msgspec', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=50)

    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.slow
def test_one_that_is_installed_and_named_as_well_is_one_plugin(tmp_path: Path) -> None:
    info = tmp_path / "understudy_elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: understudy-elsewhere\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINT)
    (tmp_path / "test_it.py").write_text(
        "async def test_it(virtual_runtime): assert virtual_runtime.tree()\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    for options in ([], ["-p", "understudy.testing.plugin"]):
        command = [sys.executable, "-m", "pytest", "-q", *options, "--rootdir", str(tmp_path), str(tmp_path)]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=50)

        assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_entry_point_is_what_pyproject_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["pytest11"].items()

    assert f"[pytest11]\n{name} = {value}\n" == ENTRY_POINT


ENTRY_POINT = "[pytest11]\nunderstudy.testing.plugin = understudy.testing.plugin\n"
