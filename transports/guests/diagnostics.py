"""What helps to see into a guest: its stacks on a signal, `breakpoint()`, and coverage.

Loaded by every guest as it starts, so the debugger itself is imported only when something stops.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

# A signal that by default does nothing: it cannot end a guest that does not listen yet, or no longer.
DUMP = signal.SIGURG

OFF = "off"
WAYS = {"terminal": ".debugger", "debugpy": ".editor"}  # loaded when something stops


def prepare(settings: Mapping[str, Any]) -> None:
    """Answer the dump signal, take over `breakpoint()`, and measure coverage if the host does."""
    channel = settings["channel"]
    os.set_inheritable(channel, False)
    faulthandler.register(DUMP, channel, all_threads=True)
    sys.breakpointhook = Breakpoint(channel, settings["debug"], settings["label"])
    if settings["coverage"] is not None:
        from .measuring import measure

        measure(settings["coverage"])


class Breakpoint:
    """What `breakpoint()` calls: by the host's `debug` option a prompt at its terminal, debugpy, or nothing."""

    __slots__ = ("channel", "debug", "label")

    def __init__(self, channel: int, debug: str, label: str) -> None:
        self.channel = channel
        self.debug = debug
        self.label = label

    def __call__(self, *, header: str | None = None) -> None:
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        if self.debug == OFF:
            pass_by(self.label, frame, "the debugger is off for it")
            return
        import_module(WAYS[self.debug], __package__).stop(self, frame, header)


def ask(channel: int, text: str, given: socket.socket) -> None:
    """Tell the host that we have stopped."""
    import socket

    with socket.socket(fileno=os.dup(channel)) as speaker:
        socket.send_fds(speaker, [text.encode("utf-8", "replace")], [given.fileno()])


def pass_by(label: str, frame: Any, why: str) -> None:
    """Say on stderr where a breakpoint was that nobody can attend to."""
    print(
        f"understudy: breakpoint() in {label} (process {os.getpid()}) at {place_of(frame)}: {why}; going on",
        file=sys.stderr,
    )


def place_of(frame: Any) -> str:
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno} in {code.co_name}()"
