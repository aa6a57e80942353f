"""What `ps` shows a process as: written over the arguments it was started with, and as its short name."""

from __future__ import annotations

from .prctl import PR_SET_NAME, Prctl

PREFIX = "understudy: "
SPARE = "spare"  # a child that waits to be the next guest
SHORT = 15  # bytes of the short name


class Label:
    """The memory where a process was given its arguments; a forked child has it at the same place."""

    def __init__(self, prctl: Prctl | None) -> None:
        self.prctl = prctl
        self.start, end = argument_area() if prctl else (0, 0)
        self.size = end - self.start

    def show(self, text: str) -> None:
        """Be seen as this, as far as there is room."""
        if self.prctl is None:
            return
        self.prctl(PR_SET_NAME, cut(text, SHORT) + b"\0", 0, 0, 0)
        if self.size > len(PREFIX):
            import ctypes

            # The system takes all up to the first zero for the title if the last byte of the area is none.
            room = self.size - 1
            data = cut(PREFIX + text, room - 1).ljust(room, b"\0") + b"."
            ctypes.memmove(self.start, data, self.size)


def cut(text: str, size: int) -> bytes:
    """The text in so many bytes at most, and no half of a letter."""
    return text.encode()[:size].decode("utf-8", "ignore").encode()


def argument_area() -> tuple[int, int]:
    """Where the arguments lie, from the system's own notes; zeros if it does not tell."""
    try:
        with open("/proc/self/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return int(fields[45]), int(fields[46])
    except (OSError, IndexError, ValueError):
        return 0, 0
