"""Bytes as they come are cut into lines, and no byte and no character is lost over it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.transports.lines import LONGEST, Chunks, Lines, whole


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[start:end] for start, end in pairwise(places)]


TEXTS = st.text(alphabet="aé€😀\n", max_size=200)


def test_a_line_is_complete_with_its_end() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntwo\nthr") == [b"one\n", b"two\n"]
    assert lines.rest == b"thr"
    assert lines.feed(b"ee\n") == [b"three\n"]
    assert (lines.partial(), lines.end()) == (b"", b"")


def test_what_waits_is_taken_as_far_as_its_characters_are_complete() -> None:
    lines = Lines()
    lines.feed("ab€".encode()[:-1])
    assert lines.partial() == b"ab"
    assert lines.feed("€".encode()[-1:]) == []
    assert lines.partial() == "€".encode()


def test_a_long_line_comes_in_pieces() -> None:
    lines = Lines()
    pieces = [*lines.feed(b"x" * 20_000), *lines.feed(b"y\nshort\n")]
    assert b"".join(pieces) == b"x" * 20_000 + b"y\nshort\n"
    assert max(map(len, pieces)) == LONGEST
    assert pieces[-1] == b"short\n"


@settings(deadline=None)
@given(TEXTS, st.lists(st.integers(min_value=0), max_size=20))
def test_nothing_is_lost_however_it_comes(text: str, at: list[int]) -> None:
    lines = Lines()
    pieces = [piece for data in cut(text.encode(), at) for piece in lines.feed(data)]
    assert "".join(piece.decode() for piece in pieces) + lines.end().decode() == text
    assert [piece.decode() for piece in pieces] == text.splitlines(keepends=True)[: text.count("\n")]


@settings(deadline=None)
@given(TEXTS, st.lists(st.integers(min_value=0), max_size=20))
def test_chunks_never_tear_a_character(text: str, at: list[int]) -> None:
    chunks = Chunks()
    pieces = [piece for data in cut(text.encode(), at) for piece in chunks.feed(data)]
    assert "".join(piece.decode() for piece in pieces) == text
    assert chunks.end() == b""


@settings(deadline=None)
@given(st.binary(max_size=20))
def test_bytes_that_are_no_text_pass_as_well(data: bytes) -> None:
    lines = Lines()
    assert b"".join([*lines.feed(data), lines.partial(), lines.end()]) == data
    assert len(data) - len(whole(data)) <= 3
