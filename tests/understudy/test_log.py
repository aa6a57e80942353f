"""`UNDERSTUDY_LOG`: levels, never handlers."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from understudy.log import TRACE, apply

LOGGERS = ("understudy", "understudy.transports", "understudy.actors", "understudy.supervisors")


@pytest.fixture(autouse=True)
def _levels_are_put_back() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_a_level_alone_is_for_the_whole_house() -> None:
    apply("debug")

    assert logging.getLogger("understudy").level == logging.DEBUG


def test_rooms_may_have_levels_of_their_own() -> None:
    apply("warning, transports=trace ,supervisors=ERROR")

    assert logging.getLogger("understudy").level == logging.WARNING
    assert logging.getLogger("understudy.transports").level == TRACE
    assert logging.getLogger("understudy.supervisors").level == logging.ERROR
    assert logging.getLevelName(TRACE) == "TRACE"


def test_nothing_asked_changes_nothing() -> None:
    before = [logging.getLogger(name).level for name in LOGGERS]
    apply("")

    assert [logging.getLogger(name).level for name in LOGGERS] == before


@pytest.mark.parametrize("wish", ["loud", "transports=loud", "transports="])
def test_a_level_that_does_not_exist_is_refused(wish: str) -> None:
    with pytest.raises(
        ValueError, match="is no level; there are trace, debug, info, warning, error, critical"
    ):
        apply(wish)


def test_no_handler_is_installed() -> None:
    before = [[*logging.getLogger(name).handlers] for name in LOGGERS]

    apply("debug")

    assert [logging.getLogger(name).handlers for name in LOGGERS] == before


def test_the_environment_is_read_when_the_library_is_imported() -> None:
    code = "import logging, understudy; print(logging.getLogger('understudy.actors').level)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "UNDERSTUDY_LOG": "info,actors=debug"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "10"
