"""Whose the bytes of a stream are, as far as the guest has told."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from .guests.protocol import UNKNOWN

MOST = (
    10_000  # ends of calls that are remembered; a guest that tells of more, and writes nothing, makes them up
)


class Ledger:
    """Counts the bytes that were read, and knows which call each belongs to, up to where the guest has told."""

    __slots__ = ("ends", "marked", "read")

    def __init__(self) -> None:
        self.ends: deque[tuple[int, int]] = deque(maxlen=MOST)
        self.marked = 0
        self.read = 0

    @property
    def due(self) -> int:
        """Bytes whose call is known, and that were not read yet."""
        return max(0, self.marked - self.read)

    def mark(self, spans: Sequence[Sequence[int]]) -> None:
        """The guest tells how far the bytes of each call go; one that goes back tells nothing."""
        for call_id, end in spans:
            if end > self.marked:
                self.ends.append((end, call_id))
                self.marked = end

    def split(self, data: bytes, other: int | None) -> list[tuple[bytes, int | None]]:
        """Bytes that were read, by call; those of which nothing is known are some `other`'s."""
        parts: list[tuple[bytes, int | None]] = []
        while data and self.ends:
            end, call_id = self.ends[0]
            count = end - self.read
            if count > 0:
                parts.append((data[:count], other if call_id == UNKNOWN else call_id or None))
                data = data[count:]
                self.read += len(parts[-1][0])
            if end <= self.read:
                self.ends.popleft()
        if data:
            parts.append((data, other))
            self.read += len(data)
        return parts

    def settle(self) -> None:
        """All that was told of has been read: what was counted otherwise did not come by way of Python."""
        self.ends.clear()
        self.read = self.marked
