"""Which paths a sandboxed guest sees: links are made again, folders bound, and nobody's home is shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from understudy.transports.system.views import is_shared, mounts, of_interpreter, of_packages, steps


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a real path."""
    return tmp_path.resolve()


def test_a_folder_is_bound_under_its_own_name(place: Path) -> None:
    assert mounts([str(place)], []) == ["--ro-bind", str(place), str(place)]


def test_what_is_not_there_is_left_out(place: Path) -> None:
    assert mounts([f"{place}/none"], []) == []


def test_what_lies_in_a_folder_that_is_shown_needs_no_more(place: Path) -> None:
    (place / "in" / "deep").mkdir(parents=True)

    assert mounts([f"{place}/in/deep", str(place), f"{place}/in"], []) == [
        "--ro-bind",
        str(place),
        str(place),
    ]


def test_what_may_be_written_in_a_folder_that_is_read_comes_after_it(place: Path) -> None:
    (place / "out").mkdir()
    options = mounts([str(place)], [f"{place}/out"])

    assert options == ["--ro-bind", str(place), str(place), "--bind", f"{place}/out", f"{place}/out"]


def test_what_is_read_in_a_folder_that_may_be_written_stays_read_only(place: Path) -> None:
    (place / "fixed").mkdir()
    options = mounts([f"{place}/fixed"], [str(place)])

    assert options == ["--bind", str(place), str(place), "--ro-bind", f"{place}/fixed", f"{place}/fixed"]


def test_a_symbolic_link_is_made_again_and_where_it_leads_is_bound(place: Path) -> None:
    (place / "real").mkdir()
    (place / "link").symlink_to("real")

    assert mounts([f"{place}/link"], []) == [
        "--symlink", "real", f"{place}/link", "--ro-bind", f"{place}/real", f"{place}/real",
    ]  # fmt: skip


def test_a_link_in_a_folder_that_is_shown_is_there_already(place: Path) -> None:
    (place / "real").mkdir()
    (place / "link").symlink_to("real")

    assert mounts([str(place), f"{place}/link"], []) == ["--ro-bind", str(place), str(place)]


def test_every_link_on_the_way_is_followed(place: Path) -> None:
    (place / "a" / "b").mkdir(parents=True)
    (place / "a" / "b" / "file").touch()
    (place / "first").symlink_to(place / "a")
    (place / "a" / "second").symlink_to("b")

    assert list(steps(f"{place}/first/second/file")) == [
        (f"{place}/first", f"{place}/a"),
        (f"{place}/a/second", "b"),
        ("", f"{place}/a/b/file"),
    ]


def test_a_circle_of_links_ends(place: Path) -> None:
    (place / "one").symlink_to("two")
    (place / "two").symlink_to("one")

    assert len(list(steps(f"{place}/one"))) < 50
    mounts([f"{place}/one"], [])


@pytest.mark.parametrize(
    ("path", "shared"),
    [
        ("/", True), ("/home", True), ("/home/ann", True), ("/etc", True), ("/tmp", True),
        ("/home/ann/project", False), ("/home/bob/lib", False), ("/opt/lib", False), ("/usr/lib", False),
    ],
)  # fmt: skip
def test_a_folder_that_holds_what_is_nobodys_business_is_not_shown(path: str, shared: bool) -> None:
    assert is_shared(path, home="/home/ann") is shared


def test_an_interpreter_comes_with_the_folder_it_was_installed_to() -> None:
    found = list(of_interpreter(sys.executable))

    assert sys.executable in found
    assert os.path.realpath(sys.base_prefix) in map(os.path.realpath, found)


def test_a_virtual_environment_is_shown_without_its_packages(place: Path) -> None:
    for name in ("env/bin", "env/lib", "base/bin", "base/lib"):
        (place / name).mkdir(parents=True)
    (place / "base" / "bin" / "python").touch()
    (place / "env" / "bin" / "python").symlink_to(place / "base" / "bin" / "python")
    (place / "env" / "pyvenv.cfg").write_text(f"home = {place}/base/bin\nversion = 3.13\n")

    found = set(of_interpreter(f"{place}/env/bin/python"))

    assert {f"{place}/env/bin", f"{place}/env/pyvenv.cfg", f"{place}/base"} <= found
    assert not found & {f"{place}/env", f"{place}/env/lib"}


def test_single_packages_are_shown_without_what_lies_beside_them(place: Path) -> None:
    (place / "site" / "one").mkdir(parents=True)
    (place / "rooms").mkdir()
    (place / "site" / "one" / "room").symlink_to("../../rooms")

    assert list(of_packages({"one": f"{place}/site"})) == [f"{place}/site/one", f"{place}/site/one/room"]
