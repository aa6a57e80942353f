"""Coverage reaches guests: what runs there counts, for `coverage run` and for COVERAGE_PROCESS_START."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.person import ROOT

pytest.importorskip("coverage", reason="the extra `dev` brings it")
pytestmark = pytest.mark.slow

WORK = """\
import sys
from understudy import Actor, Process, method


class Work(Actor, executor=Process(stderr="keep")):
    @method
    def choose(self, left):
        if left:
            return "left"
        return "right"

    @method
    def spin(self):
        while True:
            pass

    @method
    def leave(self):
        sys.exit(0)
"""
CHOOSE_LEFT, CHOOSE_RIGHT, SPIN, LEAVE = 9, 10, 14, 19  # lines of it

PLAY = """\
import trio
from work import Work
from understudy import ActorDiedError, Ladder, Process, kill, open_runtime

async def main():
    async with open_runtime():
        work = await Work.options(shutdown=0.1, {options}).start()
        {scene}

if __name__ == "__main__":
    trio.run(main)
"""
LEFT = "await work.choose(True)"
CONFIG = "[run]\nparallel = true\nsource = .\n"


def lines_measured(
    folder: Path,
    scene: str,
    options: str = "",
    run: tuple[str, ...] = ("-m", "coverage", "run", "--source=."),
    **environ: str,
) -> set[int]:
    """Play a scene under coverage and combine the data; returns the lines of WORK that ran."""
    (folder / "work.py").write_text(WORK)
    (folder / "play.py").write_text(PLAY.format(scene=scene, options=options))

    def python(*arguments: str, **more: str) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "COVERAGE_FILE": str(folder / ".coverage"), **more}
        for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
            if name not in more:
                environ.pop(name, None)
        subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environ, check=True, timeout=50, capture_output=True
        )

    python(*run, "play.py", **environ)
    python("-m", "coverage", "combine", "--append")
    python("-m", "coverage", "json", "--quiet", "-o", "report.json")
    report = json.loads((folder / "report.json").read_text())
    return set(report["files"]["work.py"]["executed_lines"])


def test_what_runs_in_a_guest_counts(tmp_path: Path) -> None:
    lines = lines_measured(tmp_path, LEFT)

    assert CHOOSE_LEFT in lines
    assert CHOOSE_RIGHT not in lines


def test_a_guest_without_the_hosts_packages_is_measured_too(tmp_path: Path) -> None:
    """Its class comes by value, so the data name the file it was written in."""
    lines = lines_measured(tmp_path, LEFT, options="executor=Process(packages='none', stderr='keep')")

    assert CHOOSE_LEFT in lines


def test_an_actor_that_leaves_writes_what_it_measured(tmp_path: Path) -> None:
    scene = "try:\n            await work.leave()\n        except ActorDiedError:\n            pass"

    assert LEAVE in lines_measured(tmp_path, scene)


def test_so_does_one_that_has_to_be_terminated(tmp_path: Path) -> None:
    patient = "executor=Process(stderr='keep', ladder=Ladder(terminate=20))"

    assert SPIN in lines_measured(tmp_path, "work.spin.cast(); await trio.sleep(0.2)", options=patient)


def test_a_killed_one_loses_it(tmp_path: Path) -> None:
    scene = "await work.choose(True); await kill(work); await (await Work.start()).choose(False)"
    lines = lines_measured(tmp_path, scene)

    assert CHOOSE_LEFT not in lines
    assert CHOOSE_RIGHT in lines


def test_an_untrusted_guest_is_not_measured(tmp_path: Path) -> None:
    """Its data would be a file that the host reads because an untrusted guest says so."""
    scene = "await work.choose(True); await (await Work.start()).choose(False)"
    lines = lines_measured(tmp_path, scene, options="executor=Process(trusted=False, stderr='keep')")

    assert CHOOSE_LEFT not in lines
    assert CHOOSE_RIGHT in lines


def test_the_environment_variable_of_coverage_is_enough(tmp_path: Path) -> None:
    (tmp_path / "rc").write_text(CONFIG)
    lines = lines_measured(tmp_path, LEFT, run=(), COVERAGE_PROCESS_START=str(tmp_path / "rc"))

    assert CHOOSE_LEFT in lines
