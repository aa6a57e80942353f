"""`put(value)`: a value that many calls are given is encoded once, and sent to each guest once."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar, cast

import trio

from ..transports.codec import Codec, Unencodable
from ..transports.guests.context import present
from ..transports.stored import Stored
from . import guest_verbs
from .errors import NEVER_SENT, Unsendable
from .executor import Bounds
from .ref import ObjectRef
from .spawner import open_spawner

T = TypeVar("T")

PICKLING = Codec(True, Bounds(max_bytes=1 << 62))  # each guest's own bounds count when it is sent


class PutValue:
    """What a ref to a value shows in place of a call record: one that has ended."""

    __slots__ = ("id", "ref", "value")

    ended = True
    error = None

    def __init__(self, id: int, value: Any) -> None:
        self.id = id
        self.value = value
        self.ref: Any = None

    async def wait_shared(self) -> Any:
        await self.wait_ended()
        return self.value

    async def wait_ended(self) -> None:
        try:
            await trio.lowlevel.checkpoint()
        except RuntimeError:
            await asyncio.sleep(0)  # in a loop of another kind

    def unwrap(self) -> Any:
        return self.value

    def __repr__(self) -> str:
        return f"<value {self.id}: {type(self.value).__name__}>"


def put(value: T) -> ObjectRef[T]:
    """A ref to a value, to be given to many calls.

    It is pickled now, once, and sent once to each process that needs it; every call there has its own copy.
    Actors in this process, and `await ref`, get the value itself.  It is forgotten everywhere when the last
    ref to it is.

    Example:
        words = put(load_dictionary())
        refs = [checker.check.remote(words, page) for page in pages]

    Raises:
        Unsendable: if the value cannot be pickled.
        NoRuntimeError: if no runtime is open.
    """
    if present().asker is not None:
        return guest_verbs.put(value)  # type: ignore[return-value]
    house = open_spawner().house
    record = PutValue(house.stage.next_id(), value)
    ref: ObjectRef[T] = ObjectRef(cast("Any", record), house)
    try:
        stored_of(ref).encoded(PICKLING)
    except Unencodable as error:
        text = f"put() takes what can travel, and {type(value).__name__} cannot: {error}"
        raise Unsendable(text, NEVER_SENT, record.id, "put") from error.__cause__
    return ref


def stored_of(ref: ObjectRef[Any]) -> Stored:
    """The value of a ref as guests get it; the same for every call it is given to."""
    watcher = ref.watcher
    if watcher.stored is None:
        stage = ref.house.stage
        watcher.stored = Stored(stage.next_id(), None, stage.soon)
    if ref.done:
        watcher.stored.value = ref.call.value
    return watcher.stored
