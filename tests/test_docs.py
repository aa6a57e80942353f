"""The documentation says what is so: its programs run, its lists are complete, the site builds without a warning."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import understudy
from tests.pages import ROOT, Block, blocks_of, links_of, printed_by

PAGES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
ROOMS = ("transports", "actors", "supervisors")


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page} line {block.line}")
def test_a_program_prints_what_is_shown_below_it(block: Block) -> None:
    printed = printed_by(block.page)

    assert printed.get(block.line, printed) == block.shown


def test_the_navigation_has_every_page_once() -> None:
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2].partition("\n\n")[0]

    assert sorted(f"docs/{name}" for name in re.findall(r": (\S+\.md)$", nav, re.MULTILINE)) == PAGES


def test_the_reference_has_every_name_of_the_front_door() -> None:
    page = (ROOT / "docs/reference.md").read_text()
    shown = set(re.findall(r"^::: understudy\.(\w+)$", page, re.MULTILINE))

    assert shown | {"Handle"} == set(dir(understudy))
    assert "`Handle[X]`" in page


def test_the_reference_names_nothing_that_is_not_there() -> None:
    paths = re.findall(r"^::: (\S+)$", (ROOT / "docs/reference.md").read_text(), re.MULTILINE)

    assert [path for path in paths if not exists(path)] == []


def exists(path: str) -> bool:
    room, _, name = path.rpartition(".")
    return hasattr(importlib.import_module(room), name)


@pytest.mark.parametrize("room", ROOMS)
def test_the_tour_shows_every_file_of_a_room(room: str) -> None:
    tour = (ROOT / "docs/design.md").read_text().partition(f"### `{room}/`")[2].partition("\n#")[0]
    shown = re.findall(r"^\| `([\w/]+\.py)` \|", tour, re.MULTILINE)
    there = [
        path.relative_to(ROOT / room).as_posix()
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py"
    ]

    assert sorted(shown) == sorted(there)


def test_the_glossary_is_in_order() -> None:
    words = re.findall(r"^- \*\*(.+?)\*\*:", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)

    assert words == sorted(words, key=str.casefold)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_a_page_links_to_is_there(page: str) -> None:
    assert [path for path in links_of(page) if not path.exists()] == []


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="`make docs` installs it")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=50, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
