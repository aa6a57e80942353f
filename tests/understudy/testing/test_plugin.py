"""The pytest plugin: async tests get a runtime, in real or virtual time, and must leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import trio

from tests.pages import ROOT
from understudy import Actor, Local, Runtime, method


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

FAILING = """
import os, subprocess, threading
from multiprocessing.shared_memory import SharedMemory

import pytest
import trio


async def lazy():
    await trio.sleep_forever()

@pytest.fixture
def cleaner():
    tidy = []
    yield tidy
    for action in tidy:
        action()

@pytest.mark.understudy
async def test_descriptor(cleaner):
    left = os.open("/dev/null", 0)
    cleaner.append(lambda: os.close(left))

@pytest.mark.understudy
async def test_thread(cleaner):
    left = threading.Event()
    threading.Thread(target=left.wait, name="lazy").start()
    cleaner.append(left.set)

@pytest.mark.understudy
def test_process(cleaner):
    left = subprocess.Popen(["sleep", "60"])
    cleaner += [left.kill, left.wait]

@pytest.mark.understudy
async def test_segment(cleaner):
    left = SharedMemory(create=True, size=10)
    cleaner += [left.close, left.unlink]

async def test_task(virtual_runtime):
    trio.lowlevel.spawn_system_task(lazy)

@pytest.mark.understudy(leaks=True)
async def test_exempt(cleaner):
    left = os.open("/dev/null", 0)
    cleaner.append(lambda: os.close(left))

async def test_wrong(virtual_runtime):
    assert 1 + 1 == 3

@pytest.mark.understudy(seconds=5)
async def test_endless(virtual_runtime):
    await trio.sleep_forever()

def test_plain(runtime):
    runtime.tree()

async def test_both(runtime, virtual_runtime):
    pass

@pytest.mark.understudy(clock="mock")
async def test_marked():
    pass
"""

TOLD = {
    "descriptor": "  descriptor *: /dev/null",
    "thread": "  thread 'lazy'",
    "process": "  process *: sleep 60",
    "segment": "  shared memory*",
    "task": "*the test left tasks behind: *.lazy",
    "wrong": "*assert (1 + 1) == 3",
    "endless": "*TooSlowError*",
    "plain": "*is an open runtime in an async test, and in nothing else*",
    "both": "*wants both runtime and virtual_runtime; it can have one",
    "marked": "*does not take clock",
}

OTHERS = """
import os

import pytest

left = []

def test_leaky():
    left.append(os.open("/dev/null", 0))

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_of_another_runner(anyio_backend):
    pass

def test_last():
    os.close(left[0])
"""


def run_pytest(folder: Path, code: str, *options: str) -> str:
    """What pytest says of a test file, with our plugin and anyio's."""
    (folder / "test_it.py").write_text(code)
    plugins = ("-p", "understudy.testing.plugin", "-p", "anyio.pytest_plugin", "-p", "no:cacheprovider")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "--rootdir",
        str(folder),
        *plugins,
        *options,
        str(folder),
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=50)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run_pytest(tmp_path_factory.mktemp("failing"), FAILING)


@pytest.mark.slow
@pytest.mark.parametrize("name", TOLD)
def test_what_is_wrong_with_a_test_is_told(said: str, name: str) -> None:
    part = said.partition(f"__ test_{name} __")[2].partition("\n____")[0]

    assert f"FAILED test_it.py::test_{name}" in said
    assert [line for line in part.splitlines() if fnmatchcase(line, TOLD[name])] != [], said
    assert "ExceptionGroup" not in part


@pytest.mark.slow
def test_one_that_may_leave_things_behind_passes(said: str) -> None:
    assert "PASSED test_it.py::test_exempt" in said


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "failed"), [("ours", 0), ("all", 1), ("off", 0)])
def test_other_peoples_tests_are_looked_at_only_where_that_is_wanted(
    tmp_path: Path, mode: str, failed: int
) -> None:
    told = run_pytest(tmp_path, OTHERS, "-o", f"understudy_leaks={mode}")

    assert ("FAILED test_it.py::test_leaky" in told) == bool(failed), told
    assert f"{3 - failed} passed" in told, told


@pytest.mark.slow
def test_a_mode_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    told = run_pytest(tmp_path, OTHERS, "-o", "understudy_leaks=some")

    assert "understudy_leaks must be one of ours, all, off" in told


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
