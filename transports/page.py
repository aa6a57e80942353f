"""The progress page: 4 KiB shared with one guest, on which each side tells the other where it is.

A store costs 0.02 µs, so a guest can tell of every call it begins; with a hundred calls in its socket nothing
else could say which of them had begun when it died.  The page is sealed: a guest cannot shrink it under us.
"""

from __future__ import annotations

import fcntl
import os
from mmap import mmap

from .guests import protocol as p
from .system.means import has

_ADD_SEALS = 1033
_SEAL_SHRINK_GROW_SEAL = 0x0001 | 0x0002 | 0x0004


class Page:
    """The host's view of one guest's page."""

    __slots__ = ("cancels", "descriptor", "memory", "words")

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("understudy-page", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.descriptor, p.PAGE_BYTES)
            fcntl.fcntl(self.descriptor, _ADD_SEALS, _SEAL_SHRINK_GROW_SEAL)
            self.memory = mmap(self.descriptor, p.PAGE_BYTES)
        except BaseException:
            os.close(self.descriptor)
            raise
        self.words = memoryview(self.memory).cast("Q")
        self.cancels = 0  # counted here: a guest that lies could have written over the word

    @property
    def begun(self) -> int:
        return self.words[p.BEGUN]

    @property
    def ended(self) -> int:
        return self.words[p.ENDED]

    @property
    def progress(self) -> int:
        """Calls begun so far."""
        return self.words[p.PROGRESS]

    def cancel(self, id: int) -> bool:
        """Ask that a call not be begun; True if it runs already, so that only an interrupt can end it."""
        self.words[p.CANCEL_RING + self.cancels % p.RING] = id
        self.cancels += 1
        self.words[p.CANCELS] = self.cancels
        return self.begun == id and self.ended != id

    def interrupt(self, id: int) -> None:
        """Name the call that the doorbell is for."""
        self.words[p.INTERRUPT] = id

    def close_descriptor(self) -> None:
        """The guest has its own; the mapping stays."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def close(self) -> None:
        self.close_descriptor()
        if not self.memory.closed:  # it holds a descriptor of its own; what the page said last is still asked
            last = memoryview(bytearray(self.words)).cast("Q")
            self.words.release()
            self.memory.close()
            self.words = last


def make_page() -> Page | None:
    """A page, where the system has what it takes."""
    return Page() if has("page") else None
