"""The host's codec: calls to bytes, frames to messages, and the bounds on both.

A trusted guest gets and gives any value that pickles, with its type; plain values skip the pickle.  To and
from an untrusted guest only data travels, and foreign bytes are walked over before they are decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pickle import UnpicklingError
from typing import Any, Protocol

import msgspec
from msgspec import Raw
from msgspec.msgpack import Decoder, Encoder, Ext

from .guests import causes, msgpack, pickles
from .guests import protocol as p
from .guests.faults import text_of
from .guests.values import fill

Code = Mapping[Any, Any]  # by hash, functions and classes; by number, stored values
NO_CODE: Code = {}
MESSAGE_PARTS = 4  # elements of a message that are not the value in it
SMALL = 1024  # bytes; shorter messages need no closer look


class Unencodable(Exception):
    """A value that cannot or may not travel; the text says why and what to do."""


class Bounds(Protocol):
    """How much one message may hold; depth and elements bound untrusted data only."""

    @property
    def max_bytes(self) -> int: ...
    @property
    def max_depth(self) -> int: ...
    @property
    def max_elements(self) -> int: ...


class HostCodec(Protocol):
    """How a call is put on a link, and what comes back is read."""

    def call(
        self,
        kind: int,
        id: int,
        method: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        context: dict[str, Any] | None = None,
    ) -> tuple[Any, Code]: ...
    def message(self, *parts: Any) -> Any: ...
    def marked(self, message: Any, name: str, value: Any) -> Any: ...
    def packed(self, value: Any) -> tuple[Any, Code]: ...
    def packed_error(self, error: BaseException) -> Any: ...
    def value(self, value: Any) -> Any: ...
    def values_in(self, values: list[Any]) -> list[Any]: ...
    def error(self, pickled: Any) -> Exception | None: ...

    @property
    def passes_pickles(self) -> bool: ...
    def pickled(self, item: Any) -> Any: ...
    def kept(self, items: list[Any]) -> list[Any]: ...
    def check(self, message: Any, what: str) -> None: ...


class Pickled(bytes):
    """A value still pickled: it is unpickled where a failure harms only the call it belongs to."""


def hold(code: int, data: memoryview) -> Pickled:
    if code == p.END:
        return Pickled(END_PICKLE)  # only in what we have encoded ourselves
    if code != p.PICKLED:
        raise msgpack.DataError(f"extension {code} is unknown")
    return Pickled(data)


END_PICKLE = pickles.dumps("an end of a channel")


def end_of_channel(value: Any) -> Ext:
    """An end of a channel, as it travels where only data does: its ticket goes along."""
    ticket = getattr(value, "take_ticket", None)
    if ticket is None:
        raise TypeError(f"objects of type {type(value).__name__} are no data")
    direction, number = ticket()
    return Ext(p.END, bytes([direction]) + number.to_bytes(8, "big"))


UNFIT = (TypeError, OverflowError, UnicodeEncodeError, RecursionError, msgspec.MsgspecError)
_encode = Encoder().encode
_encode_ends = Encoder(enc_hook=end_of_channel).encode
_decode = Decoder(list[Any], ext_hook=hold).decode


class Codec:
    """Encodes for, and decodes from, guests of one kind of trust."""

    __slots__ = ("bounds", "for_code", "in_turns", "small", "trusted")

    def __init__(
        self, trusted: bool, bounds: Bounds, in_turns: bool = False, for_code: Iterable[str] = ()
    ) -> None:
        self.for_code = frozenset(for_code)  # methods to which anything goes, whoever has them
        self.in_turns = in_turns  # the guest runs one call at a time, so that many may travel as one
        self.trusted = trusted
        self.bounds = bounds
        self.small = min(SMALL, bounds.max_bytes) if trusted else 0

    @property
    def gives_objects(self) -> bool:
        """May values of any kind go there, whatever is believed of what comes back?"""
        return self.trusted or bool(self.for_code)

    def call(
        self,
        kind: int,
        id: int,
        method: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        context: dict[str, Any] | None = None,
    ) -> tuple[bytes, Code]:
        """Encode a CALL or its like; returns its bytes and the code it names.

        Raises:
            Unencodable: if an argument cannot or may not travel.
        """
        if not kwargs and context is None:
            for value in args:
                if type(value) not in p.PLAIN_TYPES:
                    break
            else:
                try:
                    message = _encode((kind, id, method, args))
                    if len(message) < self.small:
                        return message, NO_CODE
                    return self.bounded(message, method), NO_CODE
                except (OverflowError, UnicodeEncodeError):
                    pass  # wider than msgpack's integers, or not UTF-8: pickle carries it
        values, code = self.values(args, kwargs, method)
        if context is None:
            return self.bounded(self.message(kind, id, method, *values), method, bool(code)), code
        message = self.message(kind, id, method, *values, self.context(context))
        return self.bounded(message, method, bool(code)), code

    def context(self, context: dict[str, Any]) -> dict[str, Any]:
        """A context as it travels: what is carried along is pickled, if it is more than data."""
        carried = context.get("vars")
        if not carried or not self.trusted or all(type(value) in p.PLAIN_TYPES for value in carried.values()):
            return context
        try:
            return {**context, "vars": Ext(p.PICKLED, pickles.dumps(carried))}
        except Exception as error:
            raise Unencodable(f"a carried context variable cannot be pickled: {error}") from error

    def values(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], method: str
    ) -> tuple[tuple[Any, Any], Code]:
        """Arguments in the two places a message has for them, and the code they name."""
        for_code = method in self.for_code
        if not self.trusted and not for_code:
            return self.plain_values(args, kwargs)
        homeless = for_code and any(map(pickles.is_homeless, (*args, *values_in(kwargs))))
        data, code = self.pickle((args, dict(kwargs)), f"an argument of {method}()", homeless)
        return (Ext(p.PICKLED, data), None), code

    def plain_values(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, Any], Code]:
        """The same where only data travels, and ends of channels; raises Unencodable."""
        try:
            encoded = Raw(_encode_ends(args)), Raw(_encode_ends(dict(kwargs) or None))
        except UNFIT as error:
            raise Unencodable(f"only data travels to an actor with trusted=False: {error}") from error
        finally:
            code = pickles.with_luggage({}) if pickles.luggage else NO_CODE
        return encoded, code

    def pickle(self, value: Any, what: str, by_value: bool = False) -> tuple[bytes, Code]:
        try:
            return pickles.dumps_by_value(value) if by_value else pickles.dumps_with_code(value)
        except Exception as error:
            raise Unencodable(f"{what} cannot be pickled: {error}") from error

    def bounded(self, message: bytes, method: str, ends: bool = False) -> bytes:
        self.within(message, f"the arguments of {method}()")
        if not self.trusted and method not in self.for_code:
            self.scan(message, f"the arguments of {method}()", ends)
        return message

    def within(self, message: bytes, what: str) -> None:
        if len(message) > self.bounds.max_bytes:
            raise Unencodable(
                f"{what} take {len(message):,} bytes and the limit is {self.bounds.max_bytes:,}; "
                "raise it with Process(bounds=Bounds(max_bytes=...))"
            )

    def scan(self, data: Any, what: str, ends: bool = False) -> None:
        try:
            msgpack.scan(data, self.bounds.max_depth, self.bounds.max_elements, ends)
        except msgpack.DataError as excess:
            raise Unencodable(f"{what} cannot be sent to an untrusted actor: {excess}") from None

    def message(self, *parts: Any) -> bytes:
        """Encode a message of plain data."""
        try:
            return _encode(parts)
        except UNFIT as error:
            why = (
                "it cannot be encoded" if self.trusted else "only data travels to an actor with trusted=False"
            )
            raise Unencodable(f"{why}: {error}") from error

    def decode(self, frame: bytes) -> list[Any]:
        """The messages of a frame.

        Raises:
            ValueError: if it is not msgpack, or exceeds the bounds.
        """
        if not self.trusted:
            msgpack.scan_each(frame, self.bounds.max_depth + 1, self.bounds.max_elements + MESSAGE_PARTS)
        try:
            return _decode(frame)
        except (RecursionError, msgspec.MsgspecError) as error:
            raise msgpack.DataError(str(error)) from error

    def value(self, value: Any) -> Any:
        """A result as the caller gets it; raises what unpickling raises."""
        if type(value) is not Pickled:
            return value
        return unpickled(value)

    def values_in(self, values: list[Any]) -> list[Any]:
        """The items of a stream, as their reader gets them; raises what unpickling raises."""
        return [unpickled(value) if type(value) is Pickled else value for value in values]

    def arguments(self, message: bytes, code: Code) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What a call that we encoded was called with; for the dead letters."""
        parts: list[Any] = [*_decode(message), None, None]
        named = {digest: pickles.loads(blob) for digest, blob in code.items() if type(blob) is bytes}
        args, kwargs = pickles.loads(parts[3], named) if type(parts[3]) is Pickled else (parts[3], parts[4])
        context: dict[str, Any] = parts[5] or {}
        stored: list[Any] = context.get("stored", [])
        return fill(args, kwargs or {}, [(at, code[key].value) for at, key in stored if key in code])

    def packed(self, value: Any) -> tuple[Any, Code]:
        """A value as part of a message, and the code it names; raises Unencodable."""
        if is_plain(value):
            return value, NO_CODE
        if not self.trusted:
            return value, NO_CODE
        try:
            data, code = pickles.dumps_with_code(value)
        except Exception as error:
            raise Unencodable(f"it cannot be pickled: {error}") from error
        return Ext(p.PICKLED, data), code

    # -- items of channels ----------------------------------------------------------------------

    @property
    def passes_pickles(self) -> bool:
        return self.trusted

    def pickled(self, item: Pickled) -> Ext:
        """What one trusted guest has pickled, for another."""
        return Ext(p.PICKLED, bytes(item))

    def kept(self, items: list[Any]) -> list[Any]:
        """Items that a guest has put in: what is pickled stays so until somebody takes it."""
        return items

    def check(self, message: bytes, what: str) -> None:
        """Raise Unencodable if a message may not travel."""
        self.within(message, what)
        if not self.trusted:
            self.scan(message, what)

    def packed_error(self, error: BaseException) -> bytes | None:
        """An exception, if it can be pickled by reference."""
        try:
            return causes.dumps_error(error) if self.trusted and isinstance(error, Exception) else None
        except Exception:
            return None

    def marked(self, message: bytes, name: str, value: Any) -> bytes:
        """The same call, with one thing more in its context."""
        return reencode(message, name, value)

    def error(self, pickled: Any) -> Exception | None:
        """The exception of a fault, if it can be rebuilt here."""
        if not self.trusted or type(pickled) is not bytes:
            return None
        try:
            error = causes.loads_error(pickled)
        except BaseException:  # its class is the guest's own, and ends nothing here
            return None
        return error if isinstance(error, Exception) else None


def values_in(kwargs: Mapping[str, Any]) -> Iterator[Any]:
    """The values of arguments by name, and those of dicts among them."""
    for value in kwargs.values():
        yield value
        if isinstance(value, dict):
            yield from value.values()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def unpickled(data: bytes) -> Any:
    """What a guest has sent; whatever its loading raises is an Exception, as nothing it sends may end its host."""
    try:
        return pickles.loads(data)
    except Exception:
        raise
    except BaseException as error:
        raise UnpicklingError(f"its loading raised {type(error).__name__}: {text_of(error)}") from error


def is_plain(value: Any) -> bool:
    """Does msgpack carry it as it is, whatever it is?"""
    if value.__class__ is int:
        return bool(-(1 << 63) <= value < 1 << 64)
    return value.__class__ in p.PLAIN_TYPES and (value.__class__ is not str or value.isascii())


def reencode(message: bytes, name: str, value: Any) -> bytes:
    parts = _decode(message)
    place = Ext(p.PICKLED, parts[3]) if type(parts[3]) is Pickled else parts[3]
    context = dict(parts[5] or {}) if len(parts) > 5 else {}
    if type(context.get("vars")) is Pickled:
        context["vars"] = Ext(p.PICKLED, context["vars"])
    context[name] = value
    return _encode((*parts[:3], place, parts[4] if len(parts) > 4 else None, context))


def own(messages: list[bytes]) -> list[Any]:
    """Messages that we encoded ourselves, for the trace."""
    return [_decode(b"\x91" + message)[0] for message in messages]
