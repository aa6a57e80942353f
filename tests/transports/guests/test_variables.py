"""Context variables in pickles: those of modules by name, others by a key, under which there is one of each."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import pytest

from tests.actors import test_carried
from tests.transports.guests.test_pickles import elsewhere
from understudy.transports.guests.context import CARRIED
from understudy.transports.guests.pickles import dumps, dumps_with_code, loads
from understudy.transports.guests.variables import KNOWN, variable_named


@pytest.fixture
def nobody_s() -> Any:
    """A variable that no module names."""
    variable: ContextVar[Any] = ContextVar("nobody_s", default=(1,))
    yield variable
    CARRIED.pop("nobody_s", None)


@pytest.mark.slow
def test_one_that_can_be_imported_travels_by_name() -> None:
    assert b"test_carried" in dumps(test_carried.tenant)
    assert elsewhere(
        test_carried.tenant,
        "value.name, value.get(), value is __import__('tests.actors.test_carried').actors.test_carried.tenant",
    ) == ("tests_tenant nobody True")


def test_another_travels_with_its_default_and_is_one_there(nobody_s: ContextVar[Any]) -> None:
    assert elsewhere([nobody_s, nobody_s], "value[0].name, value[0].get(), value[0] is value[1]") == (
        "nobody_s (1,) True"
    )
    assert elsewhere(ContextVar("bare"), "value.get('none')") == "none"


def test_it_comes_home_as_itself(nobody_s: ContextVar[Any]) -> None:
    data, _ = dumps_with_code(nobody_s)
    assert loads(data) is nobody_s
    assert dumps(nobody_s) == dumps(nobody_s)


def test_two_of_one_name_stay_two(nobody_s: ContextVar[Any]) -> None:
    twin: ContextVar[Any] = ContextVar("nobody_s", default=2)
    assert elsewhere((nobody_s, twin), "[one.get() for one in value]") == "[(1,), 2]"


def test_one_that_is_carried_is_carried_there_too(nobody_s: ContextVar[Any]) -> None:
    CARRIED["nobody_s"] = nobody_s
    there = "__import__('understudy.transports.guests.context', fromlist=['*']).CARRIED['nobody_s'] is value"
    assert elsewhere(nobody_s, there) == "True"


def test_one_key_gives_one_variable() -> None:
    key = ("made", 0, 0)
    try:
        assert variable_named(key, False, 3) is variable_named(key, False, 3)
        assert variable_named(key, False).get() == 3
    finally:
        del KNOWN[key]
