"""`breakpoint()` for an editor: debugpy, if it is there, listens in the guest."""

from __future__ import annotations

import os
import socket
import sys
from importlib import import_module
from types import FrameType
from typing import Any

from .diagnostics import Breakpoint, ask, place_of

MISSING = "breakpoint() with debug='debugpy' needs debugpy where this actor imports from: pip install debugpy"

listening: list[
    tuple[socket.socket, str]
] = []  # the socket is open as long as we are: our deadlines are held


def stop(hook: Breakpoint, frame: FrameType, header: str | None) -> None:
    """Listen once, wait until an editor is there, and stop where the caller is.

    Raises:
        ImportError: if debugpy is not installed.
    """
    if not listening:
        listen(hook, frame)
    debugpy: Any = import_module("debugpy")
    if header is not None:
        print(header, file=sys.stderr)
    if not debugpy.is_client_connected():
        where = f"{hook.label} (process {os.getpid()}) at {place_of(frame)}"
        print(
            f"understudy: {where} waits for an editor: attach to {listening[0][1]}",
            file=sys.stderr,
            flush=True,
        )
        debugpy.wait_for_client()
    sys.modules["pydevd"].settrace(
        suspend=True, trace_only_current_thread=True, patch_multiprocessing=False, stop_at_frame=frame
    )


def listen(hook: Breakpoint, frame: FrameType) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ask(hook.channel, place_of(frame), theirs)
    try:
        debugpy = import_module("debugpy")  # it takes its time, which no deadline counts any more
        host, port = debugpy.listen(("127.0.0.1", 0))
    except BaseException as error:
        ours.close()
        if isinstance(error, ImportError):
            raise ImportError(MISSING) from error
        raise
    listening.append((ours, f"{host}:{port}"))
