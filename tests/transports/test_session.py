"""The rulebook of a link, cell by cell: every state with every kind, every shape with good and malformed messages."""

import re
from pathlib import Path
from typing import Any

import pytest

from understudy.transports.guests import protocol as p
from understudy.transports.session import (
    CLOSED,
    LEAVING,
    NEW,
    READY,
    RULES,
    SHAPES,
    STARTING,
    ProtocolError,
    Session,
    is_fault,
)

FAULT = ["builtins", "ValueError", "no", "Traceback …", None]
GOOD: dict[int, list[list[Any]]] = {
    p.HELLO: [[p.HELLO, p.VERSION, [], 1], [p.HELLO, p.VERSION, ["calls", "page"], 4711]],
    p.READY: [[p.READY]],
    p.PREPARED: [[p.PREPARED]],
    p.FAILED: [[p.FAILED, FAULT], [p.FAILED, [*FAULT[:4], b"pickled"]], [p.FAILED, FAULT, "on_start"]],
    p.RESULT: [[p.RESULT, 1, None], [p.RESULT, 1 << 60, {"any": ["value"]}]],
    p.ERROR: [[p.ERROR, 1, FAULT]],
    p.SKIPPED: [[p.SKIPPED, 1]],
    p.INTERRUPTED: [[p.INTERRUPTED, 1]],
    p.CLOSED: [[p.CLOSED, 1]],
    p.ITEM: [[p.ITEM, 1, ["value"]], [p.ITEM, 1, [None, [1]]]],
    p.FLAW: [[p.FLAW, 1, FAULT]],
    p.ASK: [[p.ASK, 1, 2, ["request"]]],
    p.ENDING: [[p.ENDING, p.NORMAL, None, 0], [p.ENDING, p.CRASHED, FAULT, 7]],
    p.STATE: [[p.STATE, None], [p.STATE, {"any": ["value"]}]],
    p.WROTE: [[p.WROTE, 1, []], [p.WROTE, 2, [[0, 5], [7, 9]]]],
    p.ATTACH: [[p.ATTACH, 1, 2, 0], [p.ATTACH, 1, -2, -1]],
    p.PUT: [[p.PUT, 1, [2, "three"], 0], [p.PUT, 1, [], 4]],
    p.WANT: [[p.WANT, 1, 2, 3, 0]],
    p.RETURN: [[p.RETURN, 1, 0]],
    p.DETACH: [[p.DETACH, 1, 5]],
    p.MISHAP: [[p.MISHAP, name, FAULT] for name in (p.LOAD, p.SAVE, p.LAST, p.NURSERY)],
}
MALFORMED: dict[int, list[list[Any]]] = {
    p.HELLO: [
        [p.HELLO], [p.HELLO, p.VERSION, []], [p.HELLO, p.VERSION, [], 1, 1], [p.HELLO, "1", [], 1],
        [p.HELLO, True, [], 1], [p.HELLO, p.VERSION, {}, 1], [p.HELLO, p.VERSION, [], None],
    ],
    p.READY: [[p.READY, None]],
    p.PREPARED: [[p.PREPARED, None]],
    p.FAILED: [[p.FAILED], [p.FAILED, None], [p.FAILED, FAULT[:4]], [p.FAILED, FAULT, 1], [p.FAILED, FAULT, "on_start", 1], [p.FAILED, "no"]],
    p.RESULT: [[p.RESULT], [p.RESULT, 1], [p.RESULT, "1", None], [p.RESULT, 1, None, None], [p.RESULT, True, None]],
    p.ERROR: [[p.ERROR, 1], [p.ERROR, 1, None], [p.ERROR, None, FAULT], [p.ERROR, 1, [1, *FAULT[1:]]]],
    p.SKIPPED: [[p.SKIPPED], [p.SKIPPED, 1.0], [p.SKIPPED, 1, 1]],
    p.CLOSED: [[p.CLOSED], [p.CLOSED, b"1"], [p.CLOSED, 1, 1]],
    p.INTERRUPTED: [[p.INTERRUPTED], [p.INTERRUPTED, b"1"], [p.INTERRUPTED, 1, 1]],
    p.ITEM: [[p.ITEM, 1], [p.ITEM, [], [1]], [p.ITEM, 1, [1], 1], [p.ITEM, 1, 1], [p.ITEM, 1, []]],
    p.FLAW: [[p.FLAW, 1], [p.FLAW, "1", FAULT], [p.FLAW, 1, FAULT[:3]], [p.FLAW, 1, FAULT, 1]],
    p.ASK: [[p.ASK, 1, 2], [p.ASK, 1, 2, "request"], [p.ASK, 1, None, []], [p.ASK, None, 2, []], [p.ASK, 1, 2, [], 1]],
    p.ENDING: [
        [p.ENDING], [p.ENDING, p.NORMAL], [p.ENDING, p.NORMAL, None], [p.ENDING, None, None, 0],
        [p.ENDING, p.NORMAL, FAULT[:3], 0], [p.ENDING, p.NORMAL, None, "0"], [p.ENDING, p.NORMAL, None, 0, 0],
    ],
    p.STATE: [[p.STATE], [p.STATE, 1, 1]],
    p.WROTE: [
        [p.WROTE], [p.WROTE, 1], [p.WROTE, 0, []], [p.WROTE, "1", []], [p.WROTE, 1, [[1]]], [p.WROTE, 1, [[1, "2"]]],
        [p.WROTE, 1, [1, 2]], [p.WROTE, 1, [[1, True]]], [p.WROTE, 1, [], 1],
    ],
    p.ATTACH: [[p.ATTACH, 1, 2], [p.ATTACH, "1", 2, 0], [p.ATTACH, 1, 1 << 62, 0], [p.ATTACH, 1, True, 0]],
    p.PUT: [[p.PUT, 1, 2, 0], [p.PUT, 1, [2], -1], [p.PUT, 1, [2]], [p.PUT, -1, [], 0], [p.PUT, 1, [], 0, 0]],
    p.WANT: [[p.WANT, 1, 2, 3], [p.WANT, 1, -2, 3, 0], [p.WANT, 1, 2.0, 3, 0], [p.WANT, 1, 2, None, 0]],
    p.RETURN: [[p.RETURN, 1], [p.RETURN, 1, -1], [p.RETURN, 1, 1 << 62], [p.RETURN, 1, 1, 1]],
    p.DETACH: [[p.DETACH, 1], [p.DETACH, 1, -1], [p.DETACH, None, 1]],
    p.MISHAP: [
        [p.MISHAP], [p.MISHAP, p.SAVE], [p.MISHAP, p.SAVE, None], [p.MISHAP, "on_start", FAULT], [p.MISHAP, [], FAULT],
        [p.MISHAP, p.SAVE, FAULT, 1],
    ],
}  # fmt: skip
KINDS = sorted(p.NAMES)


def session_in(state: str) -> Session:
    session = Session()
    session.state = state
    return session


def outcome(session: Session, message: Any) -> str:
    """The state that follows, or "refused"."""
    try:
        session.receive(message)
    except ProtocolError:
        return "refused"
    return session.state


@pytest.mark.parametrize("state", RULES)
@pytest.mark.parametrize("kind", KINDS, ids=p.NAMES.get)
def test_each_kind_is_taken_in_the_states_of_the_table_and_refused_in_all_others(
    state: str, kind: int
) -> None:
    message = GOOD.get(kind, [[kind]])[0]
    session = session_in(state)

    assert outcome(session, message) == RULES[state].get(kind, "refused")
    assert session.state == RULES[state].get(kind, state)


def test_the_table_is_what_the_design_says() -> None:
    running = {p.RESULT, p.ERROR, p.SKIPPED, p.INTERRUPTED, p.CLOSED, p.ITEM, p.FLAW, p.ASK, p.WROTE}
    channels = (p.ATTACH, p.PUT, p.WANT, p.RETURN, p.DETACH)

    assert RULES[NEW] == {p.HELLO: STARTING}
    assert RULES[STARTING] == {
        p.READY: READY,
        p.FAILED: CLOSED,
        p.ASK: STARTING,
        p.MISHAP: STARTING,
        p.WROTE: STARTING,
        p.PREPARED: STARTING,
        **dict.fromkeys(channels, STARTING),
    }
    assert RULES[READY] == {**dict.fromkeys((*running, *channels), READY), p.ENDING: LEAVING}
    assert RULES[LEAVING] == dict.fromkeys((p.ASK, p.STATE, p.MISHAP, p.WROTE, *channels), LEAVING)
    assert RULES[CLOSED] == {}


def test_every_kind_that_a_guest_may_say_has_a_shape() -> None:
    assert set(SHAPES) == {kind for row in RULES.values() for kind in row} == set(GOOD) == set(MALFORMED)


def test_what_ends_a_call_is_taken_only_while_the_guest_is_ready() -> None:
    assert {state for state, row in RULES.items() if p.REPLIES & set(row)} == {READY}


@pytest.mark.parametrize("kind", GOOD, ids=p.NAMES.get)
def test_a_good_message_passes(kind: int) -> None:
    state = next(state for state, row in RULES.items() if kind in row)

    assert [session_in(state).receive(message) for message in GOOD[kind]] == [kind] * len(GOOD[kind])


@pytest.mark.parametrize("kind", MALFORMED, ids=p.NAMES.get)
def test_a_malformed_message_is_refused_and_moves_nothing(kind: int) -> None:
    state = next(state for state, row in RULES.items() if kind in row)
    for message in MALFORMED[kind]:
        session = session_in(state)

        assert (outcome(session, message), session.state) == ("refused", state), message


@pytest.mark.parametrize(
    "thing", [None, 16, "hello", b"", {}, [], [None], ["16"], [True], [16.0], [[16]], [-1], [99], [1 << 63]]
)
def test_what_is_no_message_is_refused_in_every_state(thing: Any) -> None:
    assert [outcome(session_in(state), thing) for state in RULES] == ["refused"] * len(RULES)


def test_a_guest_of_another_version_is_refused() -> None:
    with pytest.raises(ProtocolError, match=f"speaks version {p.VERSION + 1} and we speak {p.VERSION}"):
        Session().receive([p.HELLO, p.VERSION + 1, [], 1])


def test_with_a_page_a_window_of_calls_is_in_the_guests_hands_and_without_one_a_single_call() -> None:
    with_page, without = Session(), Session()
    with_page.receive([p.HELLO, p.VERSION, [*p.CAPABILITIES, p.PAGE_CAPABILITY], 1])
    without.receive([p.HELLO, p.VERSION, [*p.CAPABILITIES], 1])

    assert (with_page.window, without.window) == (p.WINDOW, 1)


def test_capabilities_that_are_no_names_are_passed_over() -> None:
    session = Session()
    session.receive([p.HELLO, p.VERSION, ["calls", 7, None, ["page"], {}], 1])

    assert session.capabilities == {"calls"}


@pytest.mark.parametrize(
    "value", [None, [], FAULT[:4], [*FAULT, 1], tuple(FAULT), "fault", [b"m", "q", "t", "tb", None]]
)
def test_a_fault_is_four_texts_and_perhaps_the_exception_itself(value: Any) -> None:
    assert is_fault(FAULT)
    assert not is_fault(value)


def test_no_two_kinds_of_message_have_one_number() -> None:
    kinds = re.findall(r"^([A-Z]+) = \(?\s*(\d+)\s+# \[\1", Path(p.__file__).read_text(), re.MULTILINE)

    assert len({number for _, number in kinds}) == len(kinds) > 20
