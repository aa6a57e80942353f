"""What is built holds each room once, under `understudy`, and works where nothing else of the checkout is."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("transports", "actors", "supervisors")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Built:
    sdist: list[str]
    wheel: list[str]
    wheel_of_sdist: list[str]
    python: Path

    def run(self, code: str, path: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(self.python), "-c", code]
        environ = os.environ | {"PYTHONPATH": path}
        return subprocess.run(command, cwd=self.python.parent, env=environ, capture_output=True, text=True)


def build(target: str, source: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (path,) = into.iterdir()
    return path


def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def new_environment(path: Path, wheel: Path) -> Path:
    """A virtual environment with nothing in it but the wheel."""
    venv.create(path, with_pip=True)
    python = path / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return python


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    sdist = build("sdist", ROOT, folder / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
        names = [name.partition("/")[2] for name in archive.getnames()]
    (source,) = (folder / "source").iterdir()
    wheel, second = build("wheel", ROOT, folder / "wheel"), build("wheel", source, folder / "second")
    return Built(names, contents(wheel), contents(second), new_environment(folder / "environment", wheel))


@pytest.mark.parametrize("room", ROOMS)
def test_the_wheel_holds_each_room_once_inside_understudy(built: Built, room: str) -> None:
    found = [name for name in built.wheel if f"{room}/__init__.py" in name and name.count("/") <= 2]

    assert found == [f"understudy/{room}/__init__.py"]


def test_the_wheel_brings_nothing_to_the_top_but_understudy(built: Built) -> None:
    tops = {name.split("/")[0] for name in built.wheel if ".dist-info/" not in name}

    assert tops == {"understudy"}


def test_the_wheel_says_that_it_is_typed(built: Built) -> None:
    assert "understudy/py.typed" in built.wheel


@pytest.mark.parametrize("room", ROOMS)
def test_the_sdist_has_the_rooms_at_its_root_and_no_links_to_them(built: Built, room: str) -> None:
    assert f"{room}/__init__.py" in built.sdist
    assert [name for name in built.sdist if name.startswith(f"understudy/{room}")] == []


def test_the_wheel_built_from_the_sdist_is_the_same(built: Built) -> None:
    assert built.wheel_of_sdist == built.wheel


@pytest.mark.parametrize("room", ROOMS)
def test_an_installed_room_is_imported_from_understudy_and_only_there(built: Built, room: str) -> None:
    here = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))

    inside = built.run(f"import understudy.{room} as room; print(room.__file__)", here)
    bare = built.run(f"import {room}")

    assert inside.returncode == 0, inside.stderr
    assert str(built.python.parent.parent) in inside.stdout
    assert f"No module named '{room}'" in bare.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_in_a_checkout_the_bare_name_of_a_room_says_what_to_write(room: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {room}"], cwd=ROOT, capture_output=True, text=True)

    assert f"write `from understudy.{room} import …`" in done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_in_a_checkout_a_room_is_one_module_object(room: str) -> None:
    code = f"import sys, understudy.{room} as room; print([n for n, m in sys.modules.items() if m is room])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == f"['understudy.{room}']"
