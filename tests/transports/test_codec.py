"""What the host's codec lets travel, in which form, and what it refuses with which words."""

import datetime as dt
import decimal
import enum
import functools
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.msgpack import Ext

from understudy.actors.executor import Bounds
from understudy.transports.codec import Codec, Pickled, Unencodable, reencode
from understudy.transports.guests import msgpack, pickles
from understudy.transports.guests import protocol as p
from understudy.transports.guests.msgpack import DataError
from understudy.transports.guests.values import Unfit, Values

TRUSTED, UNTRUSTED = Codec(True, Bounds()), Codec(False, Bounds())
PLAIN = [
    0,
    -1,
    2**63 - 1,
    -(2**63),
    2**64 - 1,
    1.5,
    float("inf"),
    True,
    False,
    None,
    "text",
    "é\U0001f600",
    b"bytes",
    "",
]
TYPED = [
    (1, 2),
    {1, 2},
    frozenset("ab"),
    [1, (2, 3)],
    {"a": (1,)},
    2**64,
    -(2**63) - 1,
    10**40,
    "\ud800",
    1 + 2j,
    bytearray(b"x"),
]


def parts_of(message: bytes) -> list[Any]:
    return TRUSTED.decode(b"\x91" + message)[0]  # type: ignore[no-any-return]


def round_trip(codec: Codec, *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return codec.arguments(*codec.call(p.CALL, 7, "m", args, kwargs))


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_travel_without_a_pickle(value: Any) -> None:
    message, code = TRUSTED.call(p.CALL, 7, "m", (value,), {})

    assert (parts_of(message), code) == ([p.CALL, 7, "m", [value]], {})


@pytest.mark.parametrize("value", TYPED, ids=repr)
def test_other_values_travel_pickled_and_keep_their_types(value: Any) -> None:
    message, _ = TRUSTED.call(p.CALL, 7, "m", (value,), {})
    (got,), kwargs = round_trip(TRUSTED, value)

    assert type(parts_of(message)[3]) is Pickled
    assert (type(got), got, kwargs) == (type(value), value, {})


def test_a_subclass_of_a_plain_type_keeps_its_class() -> None:
    from http import HTTPStatus

    (got,), _ = round_trip(TRUSTED, HTTPStatus.OK)

    assert got is HTTPStatus.OK


def test_keyword_arguments_travel() -> None:
    assert round_trip(TRUSTED, 1, key=(2, 3)) == ((1,), {"key": (2, 3)})
    assert round_trip(UNTRUSTED, 1, key=[2, 3]) == ((1,), {"key": [2, 3]})


def test_no_arguments_at_all_travel() -> None:
    assert round_trip(TRUSTED) == round_trip(UNTRUSTED) == ((), {})


def test_one_identity_in_two_arguments_stays_one() -> None:
    shared: list[int] = []
    (one, two), _ = round_trip(TRUSTED, shared, shared)

    assert one is two


def test_a_closure_travels_as_code_named_in_the_message() -> None:
    offset = 40
    message, code = TRUSTED.call(p.CALL, 7, "m", (lambda x: x + offset,), {})
    (function,), _ = TRUSTED.arguments(message, code)

    assert (len(code), function(2)) == (1, 42)


def test_an_argument_that_cannot_be_pickled_is_refused_by_the_methods_name() -> None:
    with pytest.raises(Unencodable, match=r"an argument of m\(\) cannot be pickled: .*generator") as refusal:
        TRUSTED.call(p.CALL, 7, "m", (iter_of_nothing(),), {})

    assert isinstance(refusal.value.__cause__, TypeError)


def iter_of_nothing() -> Iterator[None]:
    yield from ()


class Stubborn:
    def __reduce__(self) -> str:
        raise RuntimeError("not me")


def test_an_argument_whose_pickling_raises_is_refused_with_its_words() -> None:
    with pytest.raises(Unencodable, match="not me"):
        TRUSTED.call(p.CALL, 7, "m", (Stubborn(),), {})


@pytest.mark.parametrize(
    "codec",
    [Codec(True, Bounds(max_bytes=2000)), Codec(False, Bounds(max_bytes=2000))],
    ids=["trusted", "untrusted"],
)
@pytest.mark.parametrize("value", [b"x" * 2000, ["x" * 2000]], ids=["plain", "nested"])
def test_too_large_arguments_are_refused_with_the_limit_and_what_raises_it(codec: Codec, value: Any) -> None:
    with pytest.raises(
        Unencodable, match=r"m\(\) take 2,0\d\d bytes and the limit is 2,000; raise it with Process\(bounds="
    ):
        codec.call(p.CALL, 7, "m", (value,), {})


class Thing:
    pass


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 0


def circular() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "object": (Thing, "only data travels"),
    "function": (lambda: len, "only data travels"),
    "partial": (lambda: functools.partial(int), "only data travels"),
    "complex": (lambda: 1j, "only data travels"),
    "wide integer": (lambda: 2**64, "only data travels"),
    "surrogate": (lambda: "\ud800", "only data travels"),
    "circle": (circular, "only data travels"),
    "extension": (lambda: Ext(p.PICKLED, b"."), "holds an extension"),
    "deep": (lambda: nested(70), "more than 64 levels deep"),
    "elements": (lambda: [0] * 1_000_001, "more than 1,000,000 elements"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_untrusted_guest_is_sent_data_only(what: str) -> None:
    make, words = REFUSED[what]
    with pytest.raises(Unencodable, match=words):
        UNTRUSTED.call(p.CALL, 7, "m", (make(),), {})
    with pytest.raises(Unencodable, match=words):
        UNTRUSTED.call(p.CALL, 7, "m", (), {"key": make()})


def test_data_that_holds_data_travels_to_an_untrusted_guest() -> None:
    value = {"a": [1, 2.5, None, {"b": b"c"}], "d": True}

    assert round_trip(UNTRUSTED, value) == ((value,), {})


# -- frames from guests ---------------------------------------------------------------------------

DEEP = b"\x91" * 100_000 + b"\xc0"
BROKEN = {
    "empty": b"",
    "no list": b"\x01",
    "truncated": b"\x92\x01",
    "left over": b"\x91\x01\x01",
    "no value": b"\x91\xc1",
    "no text": b"\x91\xa1\xff",
    "lying list": b"\xdd\xff\xff\xff\xff",
    "lying bytes": b"\x91\xc6\xff\xff\xff\xff",
    "lying map": b"\x91\xdf\xff\xff\xff\xff",
    "extension": b"\x91\xd4\x05\x00",
    "timestamp": b"\x91\xd4\xff\x00",
    "unhashable key": b"\x91\x81\x80\xc0",
    "deep": DEEP,
}


@pytest.mark.parametrize("codec", [TRUSTED, UNTRUSTED], ids=["trusted", "untrusted"])
@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_frame_is_a_value_error_and_nothing_else(codec: Codec, what: str) -> None:
    with pytest.raises(ValueError):
        codec.decode(BROKEN[what])


def test_no_frame_is_deep_enough_to_exhaust_the_stack_whatever_the_bounds_say() -> None:
    with pytest.raises(ValueError):
        Codec(False, Bounds(max_depth=10**6)).decode(DEEP)


def test_an_untrusted_guest_cannot_send_a_pickle() -> None:
    frame = b"\x91" + msgpack.pack((p.RESULT, 1, msgpack.Extension(p.PICKLED, pickles.dumps(1))))

    assert TRUSTED.value(TRUSTED.decode(frame)[0][2]) == 1
    with pytest.raises(DataError, match="extension"):
        UNTRUSTED.decode(frame)


def test_an_untrusted_frame_may_use_the_whole_depth_for_the_value_itself() -> None:
    codec = Codec(False, Bounds(max_depth=3))
    value: Any = [[[0]]]
    frame = b"\x91" + msgpack.pack((p.RESULT, 1, value))

    assert codec.decode(frame) == [[p.RESULT, 1, value]]
    with pytest.raises(DataError, match="deep"):
        codec.decode(b"\x91" + msgpack.pack((p.RESULT, 1, [value])))


def test_a_result_that_is_plain_comes_as_it_is() -> None:
    assert [TRUSTED.value(value) for value in (1, "a", None)] == [1, "a", None]


class Raises:
    """Its loading raises."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        return throw, (self.error,)


def throw(error: type[BaseException]) -> None:
    raise error("stop")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_result_whose_loading_would_end_the_host_is_only_unreadable(error: type[BaseException]) -> None:
    value = Pickled(pickles.dumps(Raises(error)))

    for read in (lambda: TRUSTED.value(value), lambda: TRUSTED.values_in([1, value])):
        with pytest.raises(UnpicklingError, match=f"{error.__name__}: stop") as caught:
            read()
        assert isinstance(caught.value.__cause__, error)
    assert TRUSTED.error(bytes(value)) is None


def test_an_exception_is_rebuilt_from_a_trusted_guest_only() -> None:
    pickled = pickles.dumps(KeyError("gone"))

    assert repr(TRUSTED.error(pickled)) == "KeyError('gone')"
    assert UNTRUSTED.error(pickled) is None


@pytest.mark.parametrize(
    "pickled", [None, 1, "text", b"", b"garbage", pickles.dumps(42), pickles.dumps(SystemExit)]
)
def test_what_is_no_pickled_exception_is_none(pickled: Any) -> None:
    assert TRUSTED.error(pickled) is None


# -- the same message again -----------------------------------------------------------------------


@pytest.mark.parametrize("codec", [TRUSTED, UNTRUSTED], ids=["trusted", "untrusted"])
@pytest.mark.parametrize(("args", "kwargs"), [((1, "a"), {}), (([1, 2],), {"k": 3}), ((), {})])
def test_a_retried_call_is_the_same_but_for_its_attempt(
    codec: Codec, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    message, code = codec.call(p.CAST, 7, "m", args, kwargs)
    again = reencode(message, "attempt", 3)

    assert parts_of(again)[5] == {"attempt": 3}
    assert (parts_of(again)[:3], codec.arguments(again, code)) == ([p.CAST, 7, "m"], (args, kwargs))


def test_a_call_retried_twice_tells_its_last_attempt() -> None:
    message, _ = TRUSTED.call(p.CALL, 7, "m", ((1, 2),), {})

    assert reencode(reencode(message, "attempt", 2), "attempt", 3) == reencode(message, "attempt", 3)


def test_a_message_of_an_untrusted_codec_is_readable_by_the_pure_codec_of_a_guest() -> None:
    message, _ = UNTRUSTED.call(p.CALL, 7, "m", ({"a": [1]},), {"k": b"v"})
    refuse: Callable[[int, memoryview], Any] = lambda code, data: None  # noqa: E731

    assert msgpack.unpack(message, refuse) == [p.CALL, 7, "m", [{"a": [1]}], {"k": b"v"}]
    assert msgspec.msgpack.decode(message) == msgpack.unpack(message, refuse)


# -- two codecs, one rule ------------------------------------------------------------------------------


class Shade(enum.Enum):
    DARK = "dark"
    TWO = 2


class Level(enum.IntEnum):
    LOW = 1


@dataclass(slots=True)
class Plot:
    name: str
    _tags: set[str]


class Place(NamedTuple):
    row: int


class OwnText(str):
    __slots__ = ()


STANDS = {
    "sets": ([{1}, frozenset({2})], [[1], [2]]),
    "a named tuple": (Place(1), [1]),
    "subclasses of dict": ([Counter("a"), OrderedDict(b=2)], [{"a": 1}, {"b": 2}]),
    "a dataclass": (Plot("p", {"t"}), {"name": "p", "_tags": ["t"]}),
    "enums": ([Shade.DARK, Shade.TWO, Level.LOW], ["dark", 2, 1]),
    "dates": (
        [dt.date(2026, 1, 2), dt.time(3, 4), dt.datetime(2026, 1, 2, 3, 4, 5, 6)],
        ["2026-01-02", "03:04:00", "2026-01-02T03:04:05.000006"],
    ),
    "exact numbers": (decimal.Decimal("1.50"), "1.50"),
    "uuids": (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    "keys": ({Shade.DARK: 1, dt.date(2026, 1, 2): 2}, {"dark": 1, "2026-01-02": 2}),
}
NO_DATA: list[Any] = [
    deque([1]), 1j, range(3), Path("/"), ValueError("x"), OwnText("x"), object(), Plot,
    dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
]  # fmt: skip


def untrusted(fast: bool) -> Values:
    values = Values()
    if fast:
        values.use_msgspec()
    return values


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("value", "comes"), STANDS.values(), ids=STANDS)
def test_what_is_nearly_data_comes_as_the_same_data_by_both_codecs_of_guests(
    value: Any, comes: Any, fast: bool
) -> None:
    values = untrusted(fast)

    assert values.decode(b"\x91" + values.result(1, value)) == [[p.RESULT, 1, comes]]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("value", NO_DATA, ids=repr)
def test_what_is_no_data_is_refused_by_both_codecs_of_guests(value: Any, fast: bool) -> None:
    with pytest.raises(Unfit):
        untrusted(fast).result(1, value)


def test_a_view_with_gaps_is_refused_as_what_is_no_data() -> None:
    with pytest.raises(Unfit, match="contiguous"):
        untrusted(True).result(1, memoryview(b"abcd")[::2])
