"""The ledger knows whose bytes are as far as the guest has told, and finds its feet again where it was wrong."""

from __future__ import annotations

from understudy.transports.guests.protocol import NONE, UNKNOWN
from understudy.transports.ledger import MOST, Ledger


def test_bytes_are_their_calls_up_to_where_it_was_told() -> None:
    ledger = Ledger()
    ledger.mark([[7, 2], [8, 5]])
    assert ledger.due == 5
    assert ledger.split(b"aabbbcc", 9) == [(b"aa", 7), (b"bbb", 8), (b"cc", 9)]
    assert ledger.due == 0


def test_what_was_read_before_it_was_told_stays_as_it_is() -> None:
    ledger = Ledger()
    assert ledger.split(b"aaa", 1) == [(b"aaa", 1)]
    ledger.mark([[1, 3], [2, 5]])
    assert ledger.split(b"bbc", None) == [(b"bb", 2), (b"c", None)]


def test_a_call_may_be_none_or_any() -> None:
    ledger = Ledger()
    ledger.mark([[NONE, 1], [UNKNOWN, 2]])
    assert ledger.split(b"ab", 5) == [(b"a", None), (b"b", 5)]


def test_bytes_that_nobody_told_of_are_forgotten_once_all_is_read() -> None:
    ledger = Ledger()
    ledger.mark([[1, 2]])
    assert ledger.split(b"rawaa", 1) == [(b"ra", 1), (b"waa", 1)]
    ledger.settle()
    ledger.mark([[2, 4]])
    assert ledger.split(b"bb", None) == [(b"bb", 2)]


def test_bytes_that_never_came_are_forgotten_too() -> None:
    ledger = Ledger()
    ledger.mark([[1, 1000]])
    ledger.settle()
    assert ledger.due == 0
    ledger.mark([[2, 1001]])
    assert ledger.split(b"b", None) == [(b"b", 2)]


def test_a_guest_that_tells_nonsense_costs_no_memory() -> None:
    ledger = Ledger()
    ledger.mark([[1, 10], [2, 5], [3, -1], [4, 10]])
    assert list(ledger.ends) == [(10, 1)]
    ledger.mark([[n, 11 + n] for n in range(3 * MOST)])
    assert len(ledger.ends) == MOST
