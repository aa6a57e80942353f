"""What a guest process does once it has said hello: it maps its page, and serves until its host is gone."""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import Any, NoReturn

from . import diagnostics, printing
from . import protocol as p
from .context import PROCESS, set_base
from .guest import Guest, Leave
from .interrupts import DOORBELL, Doorbell
from .loading import prepare
from .values import Values
from .wire import HostGone, Wire


class ProcessGuest(Guest):
    """A guest with a process of its own: import path, codec and `__main__` are what START says."""

    wire: Wire
    doorbell: Doorbell
    values: Values

    def configure(self, settings: dict[str, Any]) -> None:
        prepare(settings)
        diagnostics.prepare(settings)
        self.values.use_msgspec()
        self.wire.decode = self.values.decode
        super().configure(settings)
        self.running.code = self.values.code

    def gone(self, why: BaseException) -> None:
        if isinstance(why, HostGone):
            os._exit(1)

    def forked(self) -> None:
        """In a forked child, which a method may return to: the link and all that would go over it are our parent's."""
        self.wire.cut()
        self.values = Orphan()  # type: ignore[assignment]

    def part(self, leave: Leave) -> None:
        self.doorbell.leaving = leave
        os.kill(os.getpid(), DOORBELL)  # the main thread may be deep in a read


class Orphan:
    """Stands for what a forked child would answer with."""

    def __getattr__(self, name: str) -> NoReturn:
        raise HostGone


def serve(descriptors: list[int]) -> None:
    """Serve until the end."""
    faulthandler.enable()
    values = Values()
    if "msgspec" in sys.modules:
        values.use_msgspec()
    wire = Wire(descriptors[0], values.decode)
    printing.prepare(wire, values)
    os.set_inheritable(descriptors[0], False)  # what user code starts must not hold the link open
    page = map_page(descriptors[1]) if len(descriptors) > 1 else None
    doorbell = Doorbell(page)
    doorbell.listen()
    guest = ProcessGuest(wire, values, page, doorbell)  # pyright: ignore[reportArgumentType]  (a slot is taken for a method)
    PROCESS["guest"] = guest
    set_base(guest.running)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=guest.forked)
    try:
        guest.serve()
    except HostGone:
        # Nobody is left to answer to, and nothing may outlive the host: no clean-up that could hang.
        os._exit(1)


def map_page(descriptor: int) -> memoryview:
    from mmap import mmap

    page = mmap(descriptor, p.PAGE_BYTES)
    os.close(descriptor)
    return memoryview(page).cast("Q")
