"""msgpack in pure Python: a codec for interpreters without msgspec, and the scan that bounds foreign data."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any

_PACK = {
    size: struct.Struct(f">{letter}").pack
    for size, letter in (("u1", "B"), ("u2", "H"), ("u4", "I"), ("u8", "Q"))
}
_SIGNED = {
    1: struct.Struct(">b").pack,
    2: struct.Struct(">h").pack,
    4: struct.Struct(">i").pack,
    8: struct.Struct(">q").pack,
}
_FLOAT = struct.Struct(">d")
_FLOAT32 = struct.Struct(">f")

# First byte to (what it begins, bytes that tell its length or value).
_SIZED = {
    0xC4: ("bin", 1), 0xC5: ("bin", 2), 0xC6: ("bin", 4),
    0xC7: ("ext", 1), 0xC8: ("ext", 2), 0xC9: ("ext", 4),
    0xD9: ("str", 1), 0xDA: ("str", 2), 0xDB: ("str", 4),
    0xDC: ("list", 2), 0xDD: ("list", 4), 0xDE: ("map", 2), 0xDF: ("map", 4),
}  # fmt: skip
_NUMBERS = {0xCC: (1, False), 0xCD: (2, False), 0xCE: (4, False), 0xCF: (8, False),
            0xD0: (1, True), 0xD1: (2, True), 0xD2: (4, True), 0xD3: (8, True)}  # fmt: skip
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_FIXED_EXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


# First byte to the length of the whole value, where that says all; 0 where more has to be read.
_LENGTHS: bytes = bytes(
    1
    if first < 0x80 or first >= 0xE0 or first in _CONSTANTS
    else 1 + (first & 0x1F)
    if 0xA0 <= first < 0xC0
    else 1 + _NUMBERS[first][0]
    if first in _NUMBERS
    else {0xCA: 5, 0xCB: 9}.get(first, 0)
    for first in range(256)
)


class DataError(ValueError):
    """The bytes are not msgpack, or more of it than was agreed."""


def read_head(data: Any, at: int) -> tuple[str, int, int]:
    """What starts at `at`: (kind, its size or value, where its content begins)."""
    if at >= len(data):
        raise DataError("the data ends in the middle of a value")
    first = data[at]
    if first < 0x80 or first >= 0xE0:
        return "int", first if first < 0x80 else first - 256, at + 1
    if first < 0xC0:
        return (
            ("map", first & 0x0F, at + 1)
            if first < 0x90
            else ("list", first & 0x0F, at + 1)
            if first < 0xA0
            else ("str", first & 0x1F, at + 1)
        )
    if first in _SIZED:
        kind, width = _SIZED[first]
        return kind, int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width
    if first in _NUMBERS:
        width, signed = _NUMBERS[first]
        return "int", int.from_bytes(data[at + 1 : at + 1 + width], "big", signed=signed), at + 1 + width
    if first in _CONSTANTS:
        return "constant", first, at + 1
    if first in _FIXED_EXT:
        return "ext", _FIXED_EXT[first], at + 1
    if first in (0xCA, 0xCB):
        return "float", 4 if first == 0xCA else 8, at + 1
    raise DataError(f"0x{first:02x} begins no value")


def scan(data: Any, depth: int, elements: int, extensions: bool = False) -> None:
    """Walk over one value without building it; raise DataError if it is malformed or exceeds the bounds.

    A decoder believes the lengths it reads; this does not, so foreign bytes pass here first.
    """
    if scan_from(data, 0, depth, elements, extensions) != len(data):
        raise DataError("bytes are left over after the value")


def scan_each(data: Any, depth: int, elements: int) -> None:
    """The same for each item of a list, with the bounds for each: a frame holds many messages."""
    kind, size, at = read_head(data, 0)
    if kind != "list":
        raise DataError("a frame is a list of messages")
    for _ in range(size):
        at = scan_from(data, at, depth, elements, False)
    if at != len(data):
        raise DataError("bytes are left over after the value")


def scan_from(data: Any, at: int, depth: int, elements: int, extensions: bool) -> int:
    """Walk over the value at `at`; returns where it ends."""
    lengths, end = _LENGTHS, len(data)
    # The levels around this one: what is left there, and whether it is a map.
    above: list[tuple[int, bool]] = []
    left, in_map, promised = 1, False, 1
    while True:
        while left:
            left -= 1
            if at >= end:
                raise DataError("the data ends in the middle of a value")
            first: int = data[at]
            if lengths[first]:  # nearly all values: this loop is what foreign data costs
                at += lengths[first]
                continue
            kind, size, at = read_head(data, at)
            if kind in ("list", "map"):
                size = size * 2 if kind == "map" else size
                # What has not come yet counts too: lists in lists must not multiply the bound.
                promised += size
                check_level(in_map and left % 2 == 1, len(above) + 1, depth, promised, elements)
                above.append((left, in_map))
                left, in_map = size, kind == "map"
            elif kind == "ext" and not extensions:
                raise DataError("it holds an extension, where only data may travel")
            else:
                at += size + 1 if kind == "ext" else size
        if at > end:
            raise DataError("the data ends in the middle of a value")
        if not above:
            return at
        left, in_map = above.pop()


def check_level(is_key: bool, level: int, depth: int, promised: int, elements: int) -> None:
    if is_key:
        # Decoders make tuples of them, whose hashes anyone can make collide: a small message could take minutes.
        raise DataError("a key of a map is a list or a map")
    if level > depth:
        raise DataError(f"it is nested more than {depth} levels deep")
    if promised > elements:
        raise DataError(f"it has more than {elements:,} elements")


def unpack(data: Any, ext_hook: Callable[[int, memoryview], Any]) -> Any:
    """Decode one value; raises DataError if it is not one."""
    try:
        value, at = _read(memoryview(data), 0, ext_hook)
    except (TypeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"the data is malformed: {error}") from error
    if at != len(data):
        raise DataError("bytes are left over after the value")
    return value


def _read(data: memoryview, at: int, ext_hook: Callable[[int, memoryview], Any]) -> tuple[Any, int]:
    kind, size, at = read_head(data, at)
    if kind == "int":
        return size, at
    if kind == "constant":
        return _CONSTANTS[size], at
    if kind == "list":
        items: list[Any] = []
        for _ in range(size):
            item, at = _read(data, at, ext_hook)
            items.append(item)
        return items, at
    if kind == "map":
        pairs: dict[Any, Any] = {}
        for _ in range(size):
            key, at = _read(data, at, ext_hook)
            pairs[key], at = _read(data, at, ext_hook)
        return pairs, at
    return _read_bytes(kind, data, at, size, ext_hook)


def _read_bytes(
    kind: str, data: memoryview, at: int, size: int, ext_hook: Callable[[int, memoryview], Any]
) -> tuple[Any, int]:
    start = at + 1 if kind == "ext" else at
    content = data[start : start + size]
    if len(content) != size or start > len(data):
        raise DataError("the data ends in the middle of a value")
    if kind == "str":
        return str(content, "utf-8"), start + size
    if kind == "bin":
        return bytes(content), start + size
    if kind == "ext":
        return ext_hook(data[at], content), start + size
    return (_FLOAT if size == 8 else _FLOAT32).unpack(content)[0], start + size


def pack(value: Any) -> bytes:
    """Encode plain data; raises TypeError for anything else and OverflowError beyond 64 bits."""
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


class Extension:
    """An extension value to be packed: a code and its bytes."""

    __slots__ = ("code", "data")

    def __init__(self, code: int, data: bytes) -> None:
        self.code = code
        self.data = data


def class_of(value: object) -> type:
    return type(value)


def _write(value: Any, put: Callable[[bytes], Any]) -> None:
    kind = class_of(value)
    writer = _WRITERS.get(kind)
    if writer is None:
        _write(_plainer(kind, value), put)
    else:
        writer(value, put)


def _plainer(kind: type, value: Any) -> Any:
    """The data that stands for a value, the same as msgspec would have; raises TypeError if there is none."""
    for base, make in _STANDS.items():
        if issubclass(kind, base):
            return make(value)
    text = _TEXTS.get((kind.__module__, kind.__name__))
    if text is not None and getattr(value, "tzinfo", None) is None:
        return text(value)
    enum, dataclasses = sys.modules.get("enum"), sys.modules.get("dataclasses")
    if enum is not None and issubclass(kind, enum.Enum):
        return value.value
    if dataclasses is not None and hasattr(kind, "__dataclass_fields__"):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{kind.__name__} is not plain data")


_STANDS: dict[type, Callable[[Any], Any]] = {
    list: list, tuple: list, set: list, frozenset: list, dict: dict,
}  # fmt: skip
_TEXTS: dict[tuple[str, str], Callable[[Any], str]] = {
    ("datetime", "date"): str,
    ("datetime", "time"): str,
    ("datetime", "datetime"): lambda value: value.isoformat(),
    ("decimal", "Decimal"): str,
    ("uuid", "UUID"): str,
}


def _write_int(value: int, put: Callable[[bytes], Any]) -> None:
    if -32 <= value < 128:
        put(_PACK["u1"](value & 0xFF))
    elif value >= 0:
        for first, size, bits in ((0xCC, "u1", 8), (0xCD, "u2", 16), (0xCE, "u4", 32), (0xCF, "u8", 64)):
            if value < 1 << bits:
                put(bytes([first]) + _PACK[size](value))
                return
        raise OverflowError("integers beyond 64 bits are not plain data")
    else:
        for first, width in ((0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)):
            if value >= -(1 << (8 * width - 1)):
                put(bytes([first]) + _SIGNED[width](value))
                return
        raise OverflowError("integers beyond 64 bits are not plain data")


def _sized(size: int, choices: tuple[tuple[int, str, int], ...]) -> bytes:
    for first, width, limit in choices:
        if size < limit:
            return bytes([first]) + _PACK[width](size)
    raise OverflowError("longer than 4 GiB")


def _write_str(value: str, put: Callable[[bytes], Any]) -> None:
    data = value.encode()
    short = bytes([0xA0 | len(data)]) if len(data) < 32 else None
    put(short or _sized(len(data), ((0xD9, "u1", 1 << 8), (0xDA, "u2", 1 << 16), (0xDB, "u4", 1 << 32))))
    put(data)


def _write_bytes(value: bytes, put: Callable[[bytes], Any]) -> None:
    put(_sized(len(value), ((0xC4, "u1", 1 << 8), (0xC5, "u2", 1 << 16), (0xC6, "u4", 1 << 32))))
    put(bytes(value))


def _write_extension(value: Extension, put: Callable[[bytes], Any]) -> None:
    put(_sized(len(value.data), ((0xC7, "u1", 1 << 8), (0xC8, "u2", 1 << 16), (0xC9, "u4", 1 << 32))))
    put(bytes([value.code]))
    put(value.data)


def _write_list(value: Any, put: Callable[[bytes], Any]) -> None:
    short = bytes([0x90 | len(value)]) if len(value) < 16 else None
    put(short or _sized(len(value), ((0xDC, "u2", 1 << 16), (0xDD, "u4", 1 << 32))))
    for item in value:
        _write(item, put)


def _write_map(value: dict[Any, Any], put: Callable[[bytes], Any]) -> None:
    short = bytes([0x80 | len(value)]) if len(value) < 16 else None
    put(short or _sized(len(value), ((0xDE, "u2", 1 << 16), (0xDF, "u4", 1 << 32))))
    for key, item in value.items():
        _write(key, put)
        _write(item, put)


_WRITERS: dict[type, Callable[[Any, Callable[[bytes], Any]], Any]] = {
    type(None): lambda _, put: put(b"\xc0"),
    bool: lambda value, put: put(b"\xc3" if value else b"\xc2"),
    int: _write_int,
    float: lambda value, put: put(b"\xcb" + _FLOAT.pack(value)),
    str: _write_str,
    bytes: _write_bytes,
    bytearray: _write_bytes,
    memoryview: _write_bytes,
    list: _write_list,
    tuple: _write_list,
    dict: _write_map,
    Extension: _write_extension,
}
