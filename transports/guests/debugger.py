"""pdb in a guest, at the prompt of the host's terminal.

The guest hands the host one end of a socket and the place where it stopped.  The host answers with one line:
that it is the guest's turn at the terminal, or why it never will be.
"""

from __future__ import annotations

import contextlib
import dis
import io
import signal
import socket
import sys
import threading
from collections.abc import Generator
from pdb import Pdb
from types import FrameType
from typing import Any

from .diagnostics import Breakpoint, ask, pass_by, place_of
from .interrupts import DOORBELL, invoke

ATTACHED = "attached"
CTRL_C, CTRL_D = b"\x03", b"\x04"
OURS = "understudy_guest"


class Refused(Exception):
    """The host has no terminal for us."""


class Line:
    """A line to the host's terminal, as pdb wants its streams; what the keyboard's control keys mean comes in it."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()

    def readline(self, limit: int = -1) -> str:
        """The next line; "" at Ctrl-D or when the host has hung up.  Raises KeyboardInterrupt at Ctrl-C."""
        while True:
            if self.take_interrupt():
                raise KeyboardInterrupt
            end = self.buffer.find(b"\n") + 1
            if end:
                line = bytes(self.buffer[:end])
                del self.buffer[:end]
                return "" if line.startswith(CTRL_D) else line.decode(self.encoding, self.errors)
            if not self.receive(0):
                return ""

    def receive(self, flags: int) -> bool:
        try:
            data = self.sock.recv(4096, flags)
        except OSError:
            return False
        self.buffer += data
        return bool(data)

    def take_interrupt(self) -> bool:
        """Was Ctrl-C typed?  What was typed before it is forgotten, as at any terminal."""
        at = self.buffer.rfind(CTRL_C)
        del self.buffer[: at + 1]
        return at >= 0

    def interrupted(self) -> bool:
        """Has Ctrl-C arrived meanwhile?"""
        self.receive(socket.MSG_DONTWAIT)
        return self.take_interrupt()

    def write(self, text: str) -> int:
        # Nobody may be there any more; the next reading tells.
        with contextlib.suppress(OSError):
            self.sock.sendall(text.encode(self.encoding, self.errors))
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return False


class Prompt(Pdb):
    """One thread's debugger.  It has the terminal from a stop until the code goes on, steps included."""

    def __init__(self, hook: Breakpoint) -> None:
        super().__init__(stdin=io.StringIO(), stdout=io.StringIO(), skip=[OURS, f"{OURS}.*"], nosigint=True)
        self.hook = hook
        self.line: Line | None = None
        self.header: str | None = None
        self.before: Any = None

    # -- the terminal ---------------------------------------------------------------------------

    def attach(self, frame: FrameType) -> None:
        """Wait for our turn at the host's terminal; raises Refused if there is none."""
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            with theirs:
                try:
                    ask(self.hook.channel, place_of(frame), theirs)
                except OSError as error:
                    raise Refused(f"the host cannot be asked ({error})") from None
            line = Line(ours)
            answer = line.readline().strip()
            if answer != ATTACHED:
                raise Refused(answer or "the host does not answer")
            undo.pop_all()
        self.line = line
        streams: Any = self
        streams.stdin = streams.stdout = line
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(DOORBELL, self.ring)

    def detach(self) -> None:
        """Give the terminal back."""
        if self.line is None:
            return
        if self.before is not None:
            signal.signal(DOORBELL, self.before)
            self.before = None
        self.line.sock.close()
        self.line = None

    def ring(self, number: int, frame: FrameType | None) -> None:
        """The doorbell while we have the terminal: Ctrl-C is for the code being stepped, the rest for the call."""
        if self.line is not None and below_invoke(frame) and self.line.interrupted():
            raise KeyboardInterrupt
        self.before(number, frame)

    # -- what pdb asks --------------------------------------------------------------------------

    def interaction(self, frame: FrameType | None, traceback: Any) -> None:
        if self.line is None and frame is not None:
            try:
                self.attach(frame)
            except Refused as refused:
                self.set_continue()
                pass_by(self.hook.label, frame, str(refused))
                return
        if self.header is not None:
            self.message(self.header)
            self.header = None
        with at_prompt(self.line):
            super().interaction(frame, traceback)
        if self.quitting or self.stoplineno == -1:
            self.detach()

    def get_stack(self, f: FrameType | None, t: Any) -> Any:
        """The user's part of the stack: how we came to call it is of no interest."""
        stack, at = super().get_stack(f, t)
        ours = max((i + 1 for i, (frame, _) in enumerate(stack[:at]) if is_ours(frame)), default=0)
        return stack[ours:], at - ours

    def dispatch_return(self, frame: FrameType, arg: Any) -> Any:
        """Stepping ends with the method: what called it is not the user's code."""
        try:
            return super().dispatch_return(frame, arg)
        finally:
            if self.line is not None and is_left(frame):
                self.detach()
                self.set_continue()


@contextlib.contextmanager
def at_prompt(line: Any) -> Generator[None]:
    """While a person types, `input()` and `print()` are for the terminal too."""
    stdin, sys.stdin = sys.stdin, line
    try:
        with contextlib.redirect_stdout(line):
            yield
    finally:
        sys.stdin = stdin


def is_left(frame: FrameType) -> bool:
    """Does control go back from here to our own code, for good?"""
    if frame.f_back is not None and not is_ours(frame.f_back):
        return False
    return not dis.opname[frame.f_code.co_code[frame.f_lasti]].startswith(("YIELD", "SEND"))


def is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == OURS


def below_invoke(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is invoke.__code__:
            return True
        frame = frame.f_back
    return False


prompts: dict[int, Prompt] = {}


def stop(hook: Breakpoint, frame: FrameType, header: str | None) -> None:
    """Stop at the caller's next line; a thread keeps its breakpoints from one stop to the next."""
    prompt = prompts.setdefault(threading.get_ident(), Prompt(hook))
    prompt.header = header
    prompt.set_trace(frame)
