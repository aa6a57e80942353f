"""Handles within values that pass between threads: found in containers, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.actors.nearby import MOST, changed


class Here:
    """Stands for a handle."""


class There:
    """Stands for what is given in its place."""


CHANGES: dict[type, Any] = {Here: lambda _: There()}


def test_what_holds_no_handle_is_the_very_same() -> None:
    value: dict[str, Any] = {"a": [1, (2, {3})], "b": object()}

    assert changed(value, CHANGES) is value


@pytest.mark.parametrize(
    ("value", "find"),
    [
        (Here(), lambda found: found),
        ([Here(), 1], lambda found: found[0]),
        ((1, Here()), lambda found: found[1]),
        ({"a": Here()}, lambda found: found["a"]),
        ({Here()}, lambda found: next(iter(found))),
        (frozenset({Here()}), lambda found: next(iter(found))),
        ([{"a": (1, [Here()])}], lambda found: found[0]["a"][1][0]),
    ],
    ids=["alone", "list", "tuple", "dict", "set", "frozenset", "deep"],
)
def test_a_handle_is_changed_wherever_it_is(value: Any, find: Any) -> None:
    before = repr(value)
    found = changed(value, CHANGES)

    assert isinstance(find(found), There)
    assert type(found) is There or type(found) is type(value)
    assert repr(value) == before


def test_what_is_shared_stays_shared() -> None:
    part = [Here()]
    first, second = changed([part, part], CHANGES)

    assert first is second
    assert isinstance(first[0], There)


def test_a_value_that_contains_itself_is_no_endless_task() -> None:
    value: list[Any] = [1]
    value.append(value)
    assert changed(value, CHANGES) is value

    value.append(Here())
    assert isinstance(changed(value, CHANGES)[2], There)


def test_a_container_of_very_many_parts_is_not_looked_through() -> None:
    value = [Here()] * (MOST + 1)

    assert changed(value, CHANGES) is value
    assert changed([value, Here()], CHANGES)[0] is value


def test_handles_within_other_objects_are_not_looked_for() -> None:
    class Box(list[Any]):
        pass

    box = Box([Here()])

    assert changed([box], CHANGES)[0] is box
