"""Which keeper starts a guest: what it has loaded, and whom it serves."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..system.means import portable


@dataclass(frozen=True, slots=True)
class Zygote:
    """A keeper with code loaded; guests of equal ones share one process.

    `ours` are modules of ours and what they stand on, `preload` those that the user asked for.  Guests that are not
    trusted share none with those that are, nor with guests of another `domain`.
    """

    python: str = ""
    flags: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()
    trusted: bool = True
    domain: str = ""
    scan: tuple[str, ...] = field(default=(), compare=False)  # folders that guests will look for modules in

    @property
    def loads(self) -> bool:
        """Do its guests find code loaded?  Else they are other programs."""
        return bool(self.ours)

    @property
    def kind(self) -> str:
        return "zygote" if self.loads else "keeper"

    @property
    def interpreter(self) -> str:
        return self.python or sys.executable

    @property
    def label(self) -> str:
        """What tells it from others, for a person."""
        return ", ".join([self.kind, *self.marks])

    @property
    def marks(self) -> list[str]:
        if not self.loads:
            return []
        marks = [self.python] if self.python else []
        marks += [" ".join(self.flags)] if self.flags else []
        marks.append("trusted" if self.trusted else "untrusted")
        marks += [f"domain {self.domain}"] if self.domain else []
        marks += [f"with {', '.join(self.preload)}"] if self.preload else []
        return marks

    def settings(self) -> dict[str, Any]:
        """What it is told when it starts."""
        return {
            "ours": list(self.ours),
            "preload": list(self.preload),
            "path": list(self.path),
            "given": dict(self.given),
            "scan": list(self.scan),
            "label": self.label,
        }

    def start(self) -> tuple[subprocess.Popen[bytes], socket.socket, int]:
        """Run the process; returns it, our end of its link, and where all it prints is read.

        It has hardly an environment, and no terminal to get a Ctrl-C from.  Raises OSError.
        """
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            stderr, their_stderr = os.pipe()
            undo.callback(os.close, stderr)
            try:
                process = subprocess.Popen(
                    self.command(theirs.fileno()),
                    env=ONE_THREAD,
                    stdin=subprocess.DEVNULL,
                    stdout=their_stderr,
                    stderr=their_stderr,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            finally:
                os.close(their_stderr)
            undo.pop_all()
        ours.setblocking(False)
        return process, ours, stderr

    def command(self, link: int) -> list[str]:
        arguments = [str(link), str(os.getpid()), str(int(portable())), PADDING]
        return [self.interpreter, "-I", "-S", "-E", *self.flags, BOOTSTRAP, "keeper", *arguments]


def await_end(pid: int) -> None:
    """Wait for the end of a keeper's process, and leave it to be reaped."""
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def put_down(process: subprocess.Popen[bytes]) -> int:
    """Kill a keeper, if it lives, and what it has started and not told of; returns its status."""
    if process.returncode is None:  # else its number may be another's
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a session; an interpreter may be a script
    return process.wait()


PLAIN = Zygote()
BOOTSTRAP = str(Path(__file__).parent.parent / "guests" / "bootstrap.py")
PADDING = "." * 240  # written over by what `ps` shows
# Libraries that compute would start threads when they are loaded, and those do not survive a fork.
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "VECLIB", "BLIS")
}
