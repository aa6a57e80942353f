"""What kind of function a method is: whether it is awaited, and whether it gives one value or a stream."""

from __future__ import annotations

from enum import Enum

# As in `inspect`, which a guest should not have to load for three numbers.
CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200


class Kind(Enum):
    """`awaits`: it runs in tasks of an event loop; `streams`: it gives items one by one."""

    CALL = (False, False)
    STREAM = (False, True)
    ASYNC_CALL = (True, False)
    ASYNC_STREAM = (True, True)

    def __init__(self, awaits: bool, streams: bool) -> None:
        self.awaits = awaits
        self.streams = streams


FLAGS = (
    (CO_ASYNC_GENERATOR, Kind.ASYNC_STREAM),
    (CO_COROUTINE, Kind.ASYNC_CALL),
    (CO_GENERATOR, Kind.STREAM),
)


def kind_of(function: object) -> Kind:
    """The kind of a method, from its code."""
    function = getattr(function, "__func__", function)
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return next((kind for flag, kind in FLAGS if flags & flag), Kind.CALL)
