"""An exception becomes data whatever it does to prevent that."""

from typing import Any

import pytest

from understudy.transports.guests.faults import MAX_TEXT, describe, sendable
from understudy.transports.session import is_fault


def caught(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as raised:
        return raised


class Hateful(Exception):
    def __str__(self) -> str:
        raise SystemExit("nobody asks me")


class Wordy(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


@pytest.mark.parametrize(
    "error",
    [ValueError("no"), KeyError(), Hateful(), Wordy(), SystemExit(3), ExceptionGroup("g", [OSError(2, "x")])],
)
def test_every_exception_has_a_description_of_one_shape(error: BaseException) -> None:
    assert is_fault(describe(caught(error), lambda _: None))


def test_a_description_names_the_class_the_text_and_the_line() -> None:
    module, name, text, traceback, pickled = describe(
        caught(ValueError("no such thing")), lambda _: b"pickle"
    )

    assert (module, name, text, pickled) == ("builtins", "ValueError", "no such thing", b"pickle")
    assert "raise error" in traceback


def test_an_exception_that_cannot_say_its_text_is_told_of_all_the_same() -> None:
    assert (
        describe(caught(Hateful()), lambda _: None)[2]
        == "<its text cannot be told: __str__ raised SystemExit>"
    )
    assert "__str__ raised TypeError" in describe(caught(Wordy()), lambda _: None)[2]


def test_a_very_long_text_is_cut() -> None:
    fault = describe(caught(ValueError("x" * (3 * MAX_TEXT))), lambda _: None)

    assert [len(part) <= MAX_TEXT for part in fault[2:4]] == [True, True]


def test_a_lone_surrogate_does_not_cost_the_reply() -> None:
    text = describe(caught(ValueError("half \ud800")), lambda _: None)[2]

    assert text == sendable("half \ud800") == "half \\ud800"
    assert text.encode()


def test_what_caused_it_and_what_it_groups_is_in_the_traceback() -> None:
    def fail() -> None:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ExceptionGroup("outer", [ValueError("grouped")]) from inner

    with pytest.raises(ExceptionGroup) as raised:
        fail()
    trace = describe(raised.value, lambda _: None)[3]

    assert [word in trace for word in ("inner", "outer", "grouped")] == [True] * 3


def test_the_frames_of_the_house_are_left_out_at_the_top() -> None:
    scope: dict[str, Any] = {"__name__": "understudy_guest.main"}
    exec("def run(function):\n    function()", scope)

    def mine() -> None:
        raise ValueError

    with pytest.raises(ValueError) as raised:
        scope["run"](mine)
    raised.value.__traceback__ = raised.value.__traceback__.tb_next  # type: ignore[union-attr]

    assert "in mine" in describe(raised.value, lambda _: None)[3]
    assert "in run" not in describe(raised.value, lambda _: None)[3]
