"""What the items of a stream weigh that were given and not taken; kept by both ends, who need not agree on more."""

from __future__ import annotations

from collections import deque
from typing import Any

ROOM = 4 * 1024 * 1024  # bytes that items may weigh before a generator waits; the last one may exceed it
MOST = 2 * ROOM  # bytes after which a guest that sends more has not waited

TEXTS = (bytes, str, bytearray)


class Weights:
    """In batches, as they travel: one counts until its last item was taken."""

    __slots__ = ("batches", "bytes", "given", "taken")

    def __init__(self) -> None:
        self.batches: deque[tuple[int, int]] = deque()  # the number of the last item, and the bytes
        self.bytes = 0
        self.given = 0
        self.taken = 0

    def give(self, items: int, size: int) -> None:
        self.given += items
        self.bytes += size
        self.batches.append((self.given, size))

    def take(self, items: int) -> None:
        self.taken += items
        batches = self.batches
        while batches and batches[0][0] <= self.taken:
            self.bytes -= batches.popleft()[1]


def weight_of(values: list[Any]) -> int:
    """What items weigh that pass as objects: their texts and bytes; of others that cannot be told."""
    return sum([len(value) for value in values if isinstance(value, TEXTS)])
