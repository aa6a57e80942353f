"""Bytes as they come, cut into pieces: lines, and what has waited long enough for the end of its line."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 8192  # bytes of a piece; a longer line comes in several


@dataclass(slots=True)
class Lines:
    """Cuts a stream into lines, each with its end; `rest` is the beginning of the next."""

    rest: bytes = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that are complete now: whole lines, and of a very long one as much as is sure."""
        *lines, rest = (self.rest + data).split(b"\n")
        pieces = [line + b"\n" for line in lines]
        if max(map(len, pieces), default=0) > LONGEST:
            pieces = [part for piece in pieces for part in parts_of(piece)]
        while len(rest) > LONGEST:
            part = whole(rest[:LONGEST])
            pieces.append(part)
            rest = rest[len(part) :]
        self.rest = rest
        return pieces

    def partial(self) -> bytes:
        """Take what waits for the end of its line, as far as its characters are complete."""
        part = whole(self.rest)
        self.rest = self.rest[len(part) :]
        return part

    def end(self) -> bytes:
        """Take all that is left: no more will come."""
        rest, self.rest = self.rest, b""
        return rest


@dataclass(slots=True)
class Chunks(Lines):
    """The same without lines: pieces as they were read."""

    def feed(self, data: bytes) -> list[bytes]:
        data = self.rest + data
        part = whole(data)
        self.rest = data[len(part) :]
        return [part] if part else []


def parts_of(line: bytes) -> list[bytes]:
    """A line in pieces that are not too long."""
    if len(line) <= LONGEST:
        return [line]
    parts: list[bytes] = []
    while line:
        parts.append(whole(line[:LONGEST]))
        line = line[len(parts[-1]) :]
    return parts


def whole(data: bytes) -> bytes:
    """Without the beginning of a UTF-8 character at its end, whose other bytes may still come."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte < 0x80:
            return data
        if byte >= 0xC0:
            return data[:-back] if width_of(byte) > back else data
    return data


def width_of(first: int) -> int:
    """How many bytes a character has that begins with this one."""
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4 if first < 0xF8 else 1
