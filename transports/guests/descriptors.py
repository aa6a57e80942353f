"""Numbers of descriptors in a keeper and its children: low ones are for what guests find there."""

from __future__ import annotations

import os

LOW = 16  # numbers below this are kept free for guests
FIRST_SPARE = 64  # descriptors are moved above this before they are put in their places


def keep_low_numbers() -> None:
    """What we are sent, and what a module opens as it is loaded, shall not lie where a guest finds something else."""
    for number in range(3, LOW):
        os.dup2(0, number, inheritable=False)


def close_low_numbers(places: list[int]) -> None:
    """Close what was kept free for guests, and this one does not need."""
    first = 3
    for place in sorted(place for place in places if place >= first):
        os.closerange(first, place)
        first = place + 1
    os.closerange(first, LOW)


def move_aside(descriptor: int) -> int:
    """The same under a high number: guests find theirs under low ones."""
    import fcntl

    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_SPARE)
    os.close(descriptor)
    return moved
