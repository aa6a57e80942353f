"""A value that is passed to calls by reference: encoded once, and sent to each guest once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from msgspec.msgpack import Ext

from .guests import protocol as p

if TYPE_CHECKING:
    from .codec import Codec


class Holder(Protocol):
    """Who has been sent a value, and can be told to forget it."""

    def forget(self, key: int, /) -> None: ...


class Stored:
    """A value under its key; when nobody refers to it any more, every guest that has it is told."""

    __slots__ = ("code", "holders", "key", "messages", "soon", "value")

    def __init__(self, key: int, value: Any, soon: Callable[..., None]) -> None:
        self.key = key
        self.value = value
        self.soon = soon
        self.messages: dict[bool, bytes] = {}  # by trust: a pickle, or plain data
        self.code: Mapping[bytes, bytes] = {}
        self.holders: WeakSet[Any] = WeakSet()

    def encoded(self, codec: Codec) -> bytes:
        """The message that gives it to a guest.

        Raises:
            Unencodable: if it cannot travel there.
        """
        message = self.messages.get(codec.gives_objects)
        if message is None:
            message = self.messages[codec.gives_objects] = self.encode(codec)
        codec.within(message, "the values of refs")
        return message

    def encode(self, codec: Codec) -> bytes:
        if not codec.gives_objects:
            data = codec.message(self.value)
            codec.scan(data, "the value of a ref")
            return codec.message(p.VALUE, self.key, data)
        data, self.code = codec.pickle(self.value, "the value of a ref")
        return codec.message(p.VALUE, self.key, Ext(p.PICKLED, data))

    def __del__(self) -> None:
        # This may run in any thread, in the middle of anything.
        if self.holders:
            self.soon(forgotten, self.key, list(self.holders))


def forgotten(key: int, holders: list[Holder]) -> None:
    for holder in holders:
        holder.forget(key)
