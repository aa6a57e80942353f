"""A person at a terminal: a program runs on a real pty, and what it shows is read and answered."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 20.0  # seconds, more than any slow machine needs


class Person:
    """Sees all that the program writes to its terminal, and types."""

    def __init__(self, script: str, environ: Mapping[str, str]) -> None:
        self.end, theirs = pty.openpty()
        self.seen = ""
        self.at = 0  # how far it was read
        self.program = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            preexec_fn=take_terminal,
        )
        os.close(theirs)

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def sees(self, text: str) -> str:
        """Wait for a text, after what was waited for before; returns what came before it."""
        until = time.monotonic() + PATIENCE
        while (found := self.seen.find(text, self.at)) < 0:
            if time.monotonic() > until or not self.look():
                raise AssertionError(f"{text!r} did not come; all that was seen:\n{self.seen}")
        before, self.at = self.seen[self.at : found], found + len(text)
        return before

    def look(self) -> bool:
        if not select.select([self.end], [], [], 1.0)[0]:
            return True
        try:
            data = os.read(self.end, 65536)
        except OSError:
            return False  # nobody has the terminal any more
        self.seen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def modes(self) -> list[object]:
        return termios.tcgetattr(self.end)

    def status(self) -> int:
        """Read to the end; returns the program's exit status."""
        while self.look() and self.program.poll() is None:
            pass
        while select.select([self.end], [], [], 0)[0] and self.look():
            pass
        return self.program.wait(PATIENCE)


def take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def person(script: str, **environ: str) -> Iterator[Person]:
    """Run a program at a terminal of its own."""
    someone = Person(script, environ)
    try:
        yield someone
    finally:
        someone.program.send_signal(signal.SIGKILL)
        someone.program.wait()
        os.close(someone.end)
