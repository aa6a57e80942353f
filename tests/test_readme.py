"""The README says what is so: its programs run, its table is complete, its commands and files are there."""

import dataclasses
import re

import pytest

from tests.pages import ROOT, Block, blocks_of, links_of, printed_by
from understudy.actors.executor import Process
from understudy.actors.options import MethodOptions, Options
from understudy.transports.system.means import has

README = (ROOT / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks_of("README.md"), ids=lambda block: f"line {block.line}")
def test_a_program_prints_what_is_shown_below_it(block: Block) -> None:
    # Without a page nobody can tell whether a call that was sent had begun.
    shown = block.shown if has("page") else block.shown.replace("fate: begun", "fate: unknown")

    assert printed_by("README.md").get(block.line, printed_by("README.md")) == shown


def test_what_it_is_the_program_and_the_commands_fit_on_one_screen() -> None:
    screen = README[: README.index("## A tour")].splitlines()

    assert len(screen) <= 100
    assert all(len(line) <= 120 for line in screen)


def test_every_command_is_a_target_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE)) <= targets
    assert {"demo", "test"} <= set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))


def rows_under(title: str) -> dict[str, str]:
    """Option to default, from the table under a title."""
    part = README[README.index(title) :]
    rows = re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", part.split("\n\n", 3)[2], re.MULTILINE)
    return {name: default.replace('"', "'") for name, default in rows}


def test_the_table_of_options_has_every_option_and_its_default() -> None:
    there = {field.name: repr(getattr(Options(), field.name)) for field in dataclasses.fields(Options)}

    assert rows_under("### Options of an actor") == {**there, "executor": "Process()"}


def test_the_table_of_process_has_every_field_and_its_default() -> None:
    there = {field.name: repr(getattr(Process(), field.name)) for field in dataclasses.fields(Process)}
    shown = rows_under("### Options of `Process`")

    assert shown == {**there, "bounds": "Bounds()", "ladder": "Ladder()", "limits": "Limits()"}


def test_the_options_of_a_method_are_all_named() -> None:
    assert [name for name in MethodOptions.__annotations__ if f"`{name}" not in README] == []


def test_every_file_it_links_to_is_there() -> None:
    assert [path for path in links_of("README.md") if not path.exists()] == []
