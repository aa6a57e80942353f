"""A bell that any thread may ring, heard by the hub before any task of the tick runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .hub import Hub

ONE = (1).to_bytes(8, "little")


class Bell:
    """Rings any number of times before it is heard count as one; its descriptors go with the object."""

    __slots__ = ("on_ring", "reading", "writing")

    def __init__(self, on_ring: Callable[[], None]) -> None:
        self.on_ring = on_ring
        if hasattr(os, "eventfd"):
            self.reading = self.writing = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        else:
            self.reading, self.writing = (end.detach() for end in socket.socketpair())
            os.set_blocking(self.reading, False)
            os.set_blocking(self.writing, False)

    def hang(self, hub: Hub) -> None:
        hub.watch(self.reading, self.heard)

    def ring(self) -> None:
        """From any thread, or in a signal handler."""
        try:
            os.write(self.writing, ONE)
        except BlockingIOError:
            pass  # it has rung often enough

    def heard(self) -> None:
        try:
            os.read(self.reading, 4096)
        except BlockingIOError:
            pass
        self.on_ring()

    def __del__(self) -> None:
        for number in {self.reading, self.writing}:
            os.close(number)
