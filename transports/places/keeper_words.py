"""What a keeper prints, or rather what it loads: taken into the log, line by line."""

from __future__ import annotations

import logging

from .output import OutputPipe

log = logging.getLogger("understudy.transports.keeper")


class KeeperWords:
    """Reads the pipe of its standard output and error."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.pipe: OutputPipe | None = None
        self.rest = b""

    def come(self) -> None:
        """Log the lines that are whole."""
        if self.pipe is not None:
            *lines, self.rest = (self.rest + self.pipe.take()).split(b"\n")
            self.tell(lines)
            if not self.pipe.open:
                self.end()

    def end(self) -> None:
        """It is dead: log what is left."""
        if self.pipe is not None:
            lines = (self.rest + b"".join(self.pipe.drain())).split(b"\n")
            self.rest = b""
            self.tell(lines)

    def tell(self, lines: list[bytes]) -> None:
        for line in lines:
            if line.strip():
                log.warning("%s prints: %s", self.label, line.decode("utf-8", "replace").rstrip())
