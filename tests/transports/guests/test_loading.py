"""Where a guest looks for modules: as its host does, but for the standard library, of which it has its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest

from tests.cast import Player
from tests.cast_zygote import Looker
from tests.rehearsal import rehearse
from understudy import Process, Runtime, Unsendable, Worker, statistics
from understudy.actors.settings import import_path
from understudy.transports.guests import loading, pickles
from understudy.transports.guests.loading import OWN_LIBRARY, find_by


def another_python() -> str:
    """An interpreter of another version, if there is one that runs."""
    for minor in (12, 13, 14):
        python = shutil.which(f"python3.{minor}") if sys.version_info[1] != minor else None
        if python and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip("there is no other Python here")


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    monkeypatch.setattr(loading, "LIBRARY", ("/own", "/own/dynload"))
    before, finders = list(sys.path), list(sys.meta_path)
    yield sys.path
    sys.path[:], sys.meta_path[:] = before, finders


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], ["/own", "/own/dynload"]),
        (["/a"], ["/a", "/own", "/own/dynload"]),
        (["/a", OWN_LIBRARY, "/b"], ["/a", "/own", "/own/dynload", "/b"]),
        ([OWN_LIBRARY, "/own/dynload"], ["/own", "/own/dynload"]),
    ],
)
def test_the_library_comes_where_the_hosts_was(given: list[str], found: list[str], path: list[str]) -> None:
    find_by(given, {})
    find_by(given, {})

    assert path == found


def test_the_hosts_own_library_is_not_sent_along() -> None:
    sent = import_path()

    assert sent.count(OWN_LIBRARY) == 1
    assert os.path.dirname(json.__path__[0]) not in sent


def test_a_guest_finds_the_same_library_as_its_host() -> None:
    async def scene(runtime: Runtime) -> None:
        assert await (await Looker.start()).attribute("json", "__file__") == json.__file__
        assert await (await Player.start()).echo(1) == 1

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("launch", ["zygote", "spawn"])
def test_a_guest_with_another_interpreter_has_the_library_of_that(launch: Literal["zygote", "spawn"]) -> None:
    python = another_python()

    async def scene(runtime: Runtime) -> None:
        guest = await Looker.options(executor=Process(python=python, stderr="keep", launch=launch)).start()
        assert os.path.basename(python) in await guest.attribute("json", "__file__")

    rehearse(scene)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_guest_refuses_code_of_another_python_and_lives_on(
    trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=Process(trusted=trusted, stderr="keep"), name="worker").start()
        with monkeypatch.context() as other:
            other.setattr(pickles, "BYTECODE", "cpython-310")
            with pytest.raises(Unsendable, match="code of cpython-310, but it came to cpython-3"):
                await worker.call(lambda x: x + 1, 1)
            assert await worker.eval("1 + 1") == 2
        assert statistics(worker).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("launch", ["zygote", "spawn"])
def test_between_two_versions_names_and_text_travel_and_code_does_not(
    launch: Literal["zygote", "spawn"],
) -> None:
    executor = Process(python=another_python(), stderr="keep", launch=launch)

    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=executor, name="worker").start()
        with pytest.raises(Unsendable, match=f"this is code of {pickles.BYTECODE}"):
            await worker.call(lambda x: x + 1, 1)
        with pytest.raises(Unsendable, match=f"it came to {pickles.BYTECODE}"):
            await worker.eval("lambda: 1")
        assert await worker.eval("1 + 1") == await worker.call(max, 1, 2) == 2
        assert statistics(worker).incarnation == 1

    rehearse(scene)
