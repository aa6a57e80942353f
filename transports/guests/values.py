"""A guest's codec: plain values as msgpack; anything else pickled if the host trusts us, refused if it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from . import msgpack
from .protocol import END, ITEM, PICKLED, PLAIN_TYPES, RESULT

ENDS = "understudy.actors.guest_channel"  # in guests, under its public name
SMALL = 1024  # bytes; shorter messages need no closer look


class Unfit(Exception):
    """A result that may not or cannot travel; the text says why."""


class UnfitArguments(Unfit):
    """Arguments that arrived and cannot be made sense of here, so that nothing was run."""


class Pickled(bytes):
    """A value still pickled: it is unpickled where a failure harms only the call it belongs to."""


class Codec(Protocol):
    """How what a guest says is put on its link, and what it hears is read."""

    code: dict[bytes, Any]
    stored: dict[int, Any]
    trusted: bool
    max_bytes: int

    def agree(self, trusted: bool, max_bytes: int, max_depth: int, max_elements: int) -> None: ...
    @property
    def encode(self) -> Callable[[Any], Any]: ...
    def result(self, id: int, value: Any) -> Any: ...
    def item(self, value: Any) -> Any: ...
    def items(self, id: int, values: list[Any]) -> Any: ...
    def weight(self, message: Any) -> int: ...
    def arguments(self, message: list[Any]) -> tuple[Any, Mapping[str, Any]]: ...
    def load(self, value: Any) -> Any: ...
    def learn(self, digest: bytes, blob: bytes) -> None: ...
    def pickled_error(self, error: BaseException) -> Any: ...


class Values:
    """Encodes results and decodes frames, within the agreed bounds."""

    __slots__ = (
        "code",
        "decode",
        "encode",
        "extension",
        "max_bytes",
        "max_depth",
        "max_elements",
        "small",
        "stored",
        "trusted",
    )

    encode: Callable[[Any], bytes]

    def __init__(self) -> None:
        self.agree(False, 1 << 26, 64, 1_000_000)
        self.code: dict[bytes, Any] = {}
        self.stored: dict[int, bytes] = {}  # values of refs, still encoded
        self.use_pure()

    def agree(self, trusted: bool, max_bytes: int, max_depth: int, max_elements: int) -> None:
        """Take over what the host says of trust and bounds."""
        self.trusted = trusted
        self.max_bytes, self.max_depth, self.max_elements = max_bytes, max_depth, max_elements
        self.small = min(SMALL, max_bytes) if trusted else 0

    def use_pure(self) -> None:
        self.encode = msgpack.pack
        self.extension: Callable[[int, bytes], Any] = msgpack.Extension
        self.decode: Callable[[bytes], list[Any]] = lambda data: msgpack.unpack(data, hold)

    def use_msgspec(self) -> None:
        """Change to the fast codec, if this interpreter has it."""
        try:
            self.encode, self.extension, self.decode = fast_codec()
        except ImportError:
            return

    def result(self, id: int, value: Any) -> bytes:
        """The RESULT message for `value`; raises Unfit."""
        if type(value) in PLAIN_TYPES or not self.trusted:
            try:
                message = self.encode((RESULT, id, value))
                return message if len(message) < self.small else self.bounded(message)
            except (TypeError, ValueError, OverflowError) as refusal:
                if not self.trusted:
                    raise Unfit(f"an untrusted actor answers in plain data only: {refusal}") from None
        return self.bounded(self.encode((RESULT, id, self.extension(PICKLED, self.pickle(value)))))

    def item(self, value: Any) -> Any:
        """An item of a stream, ready to travel with others; raises Unfit."""
        if self.trusted:
            packed = self.extension(PICKLED, self.pickle(value))
            self.bounded(packed.data)
            return packed
        self.result(0, value)  # looked at closely, and refused if it may not travel
        return value

    def items(self, id: int, values: list[Any]) -> bytes:
        """The message for items of a stream; raises Unfit."""
        try:
            return self.encode((ITEM, id, values))
        except (TypeError, ValueError, OverflowError):
            # One is wider than msgpack's integers, or not UTF-8: pickle carries it.
            fit = [value if type(value) not in PLAIN_TYPES else self.item(value) for value in values]
            return self.encode((ITEM, id, fit))

    def weight(self, message: bytes) -> int:
        """What the items in a message weigh."""
        return len(message)

    def pickle(self, value: Any) -> bytes:
        from .pickles import dumps

        try:
            return dumps(value)
        except Exception as error:
            raise Unfit(f"it cannot be pickled: {type(error).__name__}: {error}") from error

    def bounded(self, message: bytes) -> bytes:
        if len(message) > self.max_bytes:
            raise Unfit(f"it takes {len(message):,} bytes and the limit is {self.max_bytes:,}")
        if not self.trusted:
            try:
                msgpack.scan(message, self.max_depth, self.max_elements)
            except msgpack.DataError as excess:
                raise Unfit(str(excess)) from None
        return message

    def arguments(self, message: list[Any]) -> tuple[Any, Mapping[str, Any]]:
        """The arguments in a CALL, CAST or START message; raises UnfitArguments."""
        args: Any = message[3]
        kwargs: Mapping[str, Any] = message[4] if len(message) > 4 and message[4] else {}
        stored: list[Any] | None = message[5].get("stored") if len(message) > 5 and message[5] else None
        try:
            if type(args) is Pickled:
                args, kwargs = self.load(args)
            if stored:
                return fill(args, kwargs, [(at, self.copy_of(key)) for at, key in stored])
        except Exception as error:
            raise UnfitArguments(f"{type(error).__name__}: {error}") from error
        return args, kwargs

    def copy_of(self, key: int) -> Any:
        """A stored value; each call has its own copy, as of any argument."""
        value = self.stored[key]
        return self.load(value) if type(value) is Pickled else self.decode(value)[0]

    def load(self, value: Any) -> Any:
        if type(value) is not Pickled:
            return value
        from .pickles import loads

        return loads(value, self.code)

    def learn(self, digest: bytes, blob: bytes) -> None:
        """Keep a function or class that the host sent; if it cannot be loaded, what names it will say so."""
        from .pickles import LostCode, loads

        try:
            self.code[digest] = loads(blob, {})
        except LostCode as error:
            self.code[digest] = LostCode(str(error))
        except Exception as error:
            self.code[digest] = LostCode(f"code sent by the host could not be loaded here: {error!r}")

    def pickled_error(self, error: BaseException) -> bytes | None:
        """The exception itself, where it survives a round trip; else only its description travels."""
        if not self.trusted or not isinstance(error, Exception):
            return None
        from .causes import dumps_error, loads_error

        try:
            data = dumps_error(error)
            return data if type(loads_error(data)) is type(error) and len(data) <= self.max_bytes else None
        except Exception:
            return None


def fill(
    args: Sequence[Any], kwargs: Mapping[str, Any], values: Iterable[tuple[int | str, Any]]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put values in their places among arguments: by position or by name."""
    places, names = list(args), dict(kwargs)
    for at, value in values:
        if isinstance(at, int):
            places[at] = value
        else:
            names[at] = value
    return tuple(places), names


@cache
def fast_codec() -> tuple[Any, Any, Any]:
    """Made once: a zygote makes it for all its guests.  Raises ImportError where there is none."""
    from msgspec.msgpack import Decoder, Encoder, Ext

    return Encoder().encode, Ext, Decoder(list[Any], ext_hook=hold).decode


def hold(code: int, data: memoryview) -> Any:
    if code == END:
        return import_module(ENDS).end_in(bytes(data))
    if code != PICKLED:
        raise msgpack.DataError(f"extension {code} is unknown")
    return Pickled(data)
