"""The pure codec agrees with msgspec in both directions, and the scan bounds what foreign bytes can ask for."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.transports.guests.msgpack import DataError, Extension, pack, scan, unpack

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
DATA = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 2**64 - 1), inner),
    max_leaves=25,
)
MANY = 10**9

EDGES: list[Any] = [
    *(sign * (1 << bits) + off for bits in (4, 5, 7, 8, 15, 16, 31, 32, 62) for sign in (1, -1) for off in (-1, 0, 1)),
    2**64 - 1, 2**63, -(2**63), 0.0, -0.0, math.inf, 5e-324,
    *("x" * size for size in (0, 31, 32, 255, 256, 65535, 65536)),
    *(b"x" * size for size in (0, 1, 255, 256, 65535, 65536)),
    *([0] * size for size in (0, 15, 16, 65535, 65536)),
    *(dict.fromkeys(range(size)) for size in (0, 15, 16, 65535, 65536)),
]  # fmt: skip


def hook(code: int, data: memoryview) -> Any:
    return code, bytes(data)


def short(value: Any) -> str:
    return f"{type(value).__name__}-{value if isinstance(value, int | float) else len(value)}"


@given(DATA)
@settings(deadline=None, max_examples=60)
def test_what_is_packed_here_msgspec_reads_and_so_do_we(value: Any) -> None:
    data = pack(value)

    assert msgspec.msgpack.decode(data) == unpack(data, hook) == value


@given(DATA)
@settings(deadline=None, max_examples=60)
def test_what_msgspec_packs_is_read_here_and_takes_the_same_bytes(value: Any) -> None:
    data = msgspec.msgpack.encode(value)

    assert unpack(data, hook) == value
    assert pack(value) == data


@given(DATA)
@settings(deadline=None, max_examples=60)
def test_what_is_packed_passes_the_scan(value: Any) -> None:
    scan(pack(value), 100, MANY)


@pytest.mark.parametrize("value", EDGES, ids=short)
def test_every_size_of_header_is_written_as_msgspec_does_and_read_back(value: Any) -> None:
    data = pack(value)
    scan(data, 1, MANY)

    assert data == msgspec.msgpack.encode(value)
    assert (unpack(data, hook), type(unpack(data, hook))) == (value, type(value))


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=300)
def test_bytes_that_pass_the_scan_are_read_or_are_no_utf_8_or_have_keys_that_do_not_hash(data: bytes) -> None:
    try:
        scan(data, 50, 1000, extensions=True)
    except DataError:
        return
    try:
        unpack(data, hook)
    except ValueError:
        pass


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=300)
def test_reading_any_bytes_gives_a_value_or_a_value_error(data: bytes) -> None:
    try:
        unpack(data, hook)
    except ValueError:
        pass


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=300)
def test_what_msgspec_reads_of_foreign_bytes_had_passed_the_scan(data: bytes) -> None:
    try:
        msgspec.msgpack.decode(data, type=Any)
    except ValueError:
        return

    scan(data, 100, MANY, extensions=True)


EVERYTHING: list[Any] = [
    1, 300, 70_000, 2**40, -5, -300, -70_000, -(2**40), 1.5, None, True, "s", "s" * 40, "s" * 300, b"b", b"b" * 300,
    [1] * 20, dict.fromkeys(range(20)), {"k": [[]]}, Extension(5, b""), Extension(5, b"x"), Extension(5, b"x" * 300),
]  # fmt: skip


@pytest.mark.parametrize("value", [*EVERYTHING, EVERYTHING], ids=lambda value: type(value).__name__)
def test_a_value_cut_off_at_any_byte_is_refused_by_the_scan_and_by_the_reader(value: Any) -> None:
    data = pack(value)
    scan(data, 50, MANY, extensions=True)
    for end in range(len(data)):
        with pytest.raises(DataError):
            scan(data[:end], 50, MANY, extensions=True)
        with pytest.raises(DataError):
            unpack(data[:end], hook)


@pytest.mark.parametrize(
    "data", [b"\xca\x3f\xc0\x00\x00", b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"], ids=["32 bits", "64 bits"]
)
def test_both_widths_of_floats_are_read(data: bytes) -> None:
    scan(data, 1, 1)

    assert unpack(data, hook) == 1.5


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65536])
def test_extensions_of_every_size_are_read_as_msgspec_writes_them(size: int) -> None:
    content = b"x" * size
    data = msgspec.msgpack.encode(msgspec.msgpack.Ext(5, content))

    assert unpack(data, hook) == unpack(pack(Extension(5, content)), hook) == (5, content)


def test_extensions_are_refused_where_only_data_may_travel() -> None:
    data = pack([Extension(1, b".")])
    scan(data, 2, 10, extensions=True)
    with pytest.raises(DataError, match="only data may travel"):
        scan(data, 2, 10)


def nested(depth: int) -> bytes:
    return b"\x91" * depth + b"\x00"


def test_the_depth_bound_is_exact() -> None:
    scan(nested(5), 5, MANY)
    with pytest.raises(DataError, match="more than 5 levels"):
        scan(nested(6), 5, MANY)


def test_a_map_counts_as_a_level() -> None:
    with pytest.raises(DataError, match="more than 1 levels"):
        scan(pack({"a": {"b": 1}}), 1, MANY)


def test_the_element_bound_is_exact_and_counts_keys_and_values() -> None:
    scan(pack([0] * 9), 5, 10)
    scan(pack({1: 1, 2: 2}), 5, 5)
    with pytest.raises(DataError, match="more than 9 elements"):
        scan(pack([0] * 9), 5, 9)
    with pytest.raises(DataError, match="more than 4 elements"):
        scan(pack({1: 1, 2: 2}), 5, 4)


def count(value: Any) -> int:
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + sum(count(item) for item in inner)


@given(DATA)
@settings(deadline=None, max_examples=60)
def test_the_element_bound_counts_every_value_however_they_nest(value: Any) -> None:
    data, size = pack(value), count(value)
    scan(data, 100, size)
    if size > 1:
        with pytest.raises(DataError):
            scan(data, 100, size - 1)


def test_lists_first_in_lists_cannot_multiply_the_element_bound() -> None:
    inner: list[Any] = [0] * 60
    for _ in range(10):
        inner = [inner, *[0] * 60]
    with pytest.raises(DataError, match="more than 100 elements"):
        scan(pack(inner), 50, 100)


@pytest.mark.parametrize("head", [b"\xdd", b"\xdf"], ids=["list", "map"])
def test_a_lying_count_is_refused_before_anything_is_built(head: bytes) -> None:
    with pytest.raises(DataError, match="more than 1,000 elements"):
        scan(head + b"\xff\xff\xff\xff", 50, 1000)


@pytest.mark.parametrize("head", [b"\xdb", b"\xc6", b"\xc9"], ids=["text", "bytes", "extension"])
def test_a_lying_length_is_refused(head: bytes) -> None:
    data = head + b"\xff\xff\xff\xff" + b"x" * 10
    with pytest.raises(DataError, match="ends in the middle"):
        scan(data, 50, 1000, extensions=True)
    with pytest.raises(DataError, match="ends in the middle"):
        unpack(data, hook)


def test_bytes_after_the_value_are_refused() -> None:
    with pytest.raises(DataError, match="left over"):
        scan(b"\x01\x01", 5, 5)
    with pytest.raises(DataError, match="left over"):
        unpack(b"\x01\x01", hook)


def test_the_byte_that_begins_no_value_is_refused() -> None:
    with pytest.raises(DataError, match="0xc1 begins no value"):
        unpack(b"\xc1", hook)


@pytest.mark.parametrize(
    "value",
    [object(), range(3), 1j, iter([1]), type("Text", (str,), {})("a")],
    ids=lambda v: type(v).__name__,
)
def test_what_is_no_plain_data_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="is not plain data"):
        pack([value])


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_integers_beyond_64_bits_are_refused(value: int) -> None:
    with pytest.raises(OverflowError):
        pack(value)


def test_tuples_and_views_travel_as_lists_and_bytes() -> None:
    assert unpack(pack((1, bytearray(b"a"), memoryview(b"b"))), hook) == [1, b"a", b"b"]


@pytest.mark.parametrize(
    "data",
    [b"\x81\x80\xc0", b"\xa1\xff", b"\x91" * 100_000 + b"\xc0"],
    ids=["unhashable key", "no text", "deep"],
)
def test_a_malformed_value_is_a_data_error_and_nothing_else(data: bytes) -> None:
    with pytest.raises(DataError, match="malformed"):
        unpack(data, hook)
