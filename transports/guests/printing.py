"""What a guest prints: on its way before the reply of the call that printed it, and told to whom it belongs.

Each line leaves at once.  What is left of the last one leaves with the next frame, ahead of which the host is told
how far each call's bytes go; a call that prints nothing pays nothing for that.
"""

from __future__ import annotations

import contextlib
import io
import sys
from threading import get_ident, main_thread
from typing import Any

from . import protocol as p
from .context import role, running
from .values import Values
from .wire import SharedWire, Wire

STREAMS = {1: ("stdout", "surrogateescape"), 2: ("stderr", "backslashreplace")}


class ToldWire(Wire):
    """The wire of a guest that has printed since it last wrote a frame."""

    __slots__ = ()

    def flush(self) -> None:
        turn(self, Wire)  # first: what is printed from now on is told by the next frame
        report(self)
        Wire.flush(self)


class ToldSharedWire(SharedWire):
    """The same for a wire that several threads write to."""

    __slots__ = ()

    def flush(self) -> None:
        turn(self, SharedWire)
        report(self)
        SharedWire.flush(self)


TOLD: dict[type[Wire], type[Wire]] = {Wire: ToldWire, SharedWire: ToldSharedWire}
ToldWire.shared = ToldSharedWire


class Printed(io.BufferedWriter):
    """One stream's buffer; `spans` are ends of what calls have written, `[call, end]`, not told yet."""

    def __init__(self, number: int, wire: Wire) -> None:
        raw: Any = io.FileIO(number, "wb", closefd=False)
        raw.name = f"<{STREAMS[number][0]}>"
        super().__init__(raw)
        self.wire = wire
        self.spans: list[list[int]] = []
        self.total = 0

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        spans, id = self.spans, call_here()
        self.total = total = self.total + count
        if spans and spans[-1][0] == id:
            spans[-1][1] = total
        else:
            spans.append([id, total])
        if self.wire.__class__ in TOLD:
            turn(self.wire, TOLD[self.wire.__class__])
        return count


def turn(wire: Any, kind: type[Wire]) -> None:
    """Make a wire one of the other kind; both have one layout."""
    wire.__class__ = kind


def call_here() -> int:
    """The call that runs here: NONE, or UNKNOWN in a thread that runs none itself."""
    here = role.get()
    if here is None:
        if get_ident() != MAIN:
            return p.UNKNOWN
        here = running
    return here.call[0] if here.call is not None else p.NONE


MAIN = main_thread().ident
buffers: dict[int, Printed] = {}
codecs: list[Values] = []


def prepare(wire: Wire, codec: Values) -> None:
    """Put our buffers behind `sys.stdout` and `sys.stderr`."""
    codecs.append(codec)
    for number, (name, errors) in STREAMS.items():
        buffer = buffers[number] = Printed(number, wire)
        text: Any = io.TextIOWrapper(buffer, "utf-8", errors, line_buffering=True, write_through=True)
        text.mode = "w"
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


def report(wire: Wire) -> None:
    """Write what is left of lines, and tell the host ahead of all else what has been written."""
    for number, buffer in buffers.items():
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it any more
            buffer.flush()
        if buffer.spans:
            spans, buffer.spans = buffer.spans, []
            wire.out.insert(0, codecs[0].encode([p.WROTE, number, spans]))
