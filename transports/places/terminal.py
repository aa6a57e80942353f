"""The host's terminal, lent to guests that stopped at a breakpoint: to one at a time, the others wait their turn.

It is opened a second time, so that not blocking on it changes nothing for the shell or for the host's own
streams.  While it is lent, Ctrl-C is a character of its own and goes to the guest: the host runs on.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import termios
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

from ..hub import Hub
from .diagnostics import hang_up, plain
from .screen import pass_on

CTRL_C, CTRL_D = b"\x03", b"\x04"
LOCAL_MODES, CHARACTERS = 3, 6  # places in what termios calls attributes
MOST = 1000  # guests that wait; more could only be one that makes them up
NO_TERMINAL = "the host has no terminal to ask at"


@dataclass(eq=False, slots=True)
class Stop:
    """A guest that stopped: the line to its debugger, who it is, and what to do when Ctrl-C is typed or it goes on."""

    sock: socket.socket
    title: str
    place: str
    interrupt: Callable[[], None]
    on_over: Callable[[], None]


class Turns:
    """A process has one terminal, however many runtimes it has, in whatever threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken = False
        self.waiting: deque[Callable[[], None]] = deque()

    def take(self, mine: Callable[[], None]) -> bool:
        """Take the turn; False if it is another's, and `mine` will be called, from any thread, when it is ours."""
        with self.lock:
            if self.taken:
                self.waiting.append(mine)
                return False
            self.taken = True
            return True

    def give(self) -> None:
        """Pass the turn on."""
        with self.lock:
            called = self.waiting.popleft() if self.waiting else None
            self.taken = called is not None
        if called is not None:
            called()

    def leave(self, mine: Callable[[], None]) -> None:
        with self.lock, contextlib.suppress(ValueError):
            self.waiting.remove(mine)


TURNS = Turns()


class Terminal:
    """One runtime's way to the terminal."""

    __slots__ = ("hub", "queued", "rest", "saved", "stop", "token", "tty", "waiting")

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.token = trio.lowlevel.current_trio_token()
        self.tty = -1
        self.saved: Any = None
        self.stop: Stop | None = None  # the one that has it
        self.waiting: list[Stop] = []
        self.queued = False
        self.rest = b""

    # -- who has it -----------------------------------------------------------------------------

    def admit(self, stop: Stop) -> None:
        """A guest has stopped: it gets the terminal, or waits its turn, or is told that there is none."""
        if not is_there() or len(self.waiting) >= MOST:
            self.refuse(stop)
            return
        self.waiting.append(stop)
        # It says nothing before it is its turn: what is read now is its end.
        self.hub.watch(stop.sock.fileno(), lambda: self.leave(stop, f"{stop.title} is gone"))
        if self.stop is not None or self.queued or not TURNS.take(self.called):
            self.queued = self.stop is None
            self.say(f"{stop.title} has stopped too, at {stop.place}, and waits its turn at this terminal")
        else:
            self.lend()

    def called(self) -> None:
        """It is our turn; told from any thread."""
        try:
            self.token.run_sync_soon(self.lend)
        except trio.RunFinishedError:
            TURNS.give()

    def lend(self) -> None:
        """Give the terminal to who waits longest."""
        self.queued = False
        if not self.waiting:
            TURNS.give()
            return
        stop = self.waiting.pop(0)
        self.hub.forget(stop.sock.fileno())
        try:
            self.open()
        except OSError as error:
            self.refuse(stop, f"{NO_TERMINAL} ({error})")
            self.lend()
            return
        self.stop = stop
        self.hub.watch(stop.sock.fileno(), self.said)
        self.say(f"{stop.title} has stopped at {stop.place}")
        self.send(b"attached\n")

    def take_back(self, why: str) -> None:
        """Its guest went on, or ended; the next one's turn."""
        stop, self.stop = self.stop, None
        if stop is not None:
            self.hub.forget(stop.sock.fileno())
            stop.sock.close()
            self.say(why)
            self.close_tty()
            stop.on_over()
            if self.waiting:
                self.queued = not TURNS.take(self.called)
            TURNS.give()

    def leave(self, stop: Stop, why: str) -> None:
        """One who waited does so no longer."""
        self.waiting.remove(stop)
        self.hub.forget(stop.sock.fileno())
        stop.sock.close()
        self.say(why)
        stop.on_over()

    def tell(self, text: str) -> None:
        """Tell a person who is at a prompt of ours."""
        if self.stop is not None:
            self.say(text)

    def refuse(self, stop: Stop, why: str = NO_TERMINAL) -> None:
        hang_up(stop.sock, why)
        stop.on_over()

    def close(self) -> None:
        """Give everything back; whoever waits is told that nobody comes."""
        TURNS.leave(self.called)
        waiting, self.waiting = self.waiting, []
        for stop in waiting:
            self.hub.forget(stop.sock.fileno())
            self.refuse(stop)
        if self.stop is not None:
            self.take_back("the runtime has ended")

    # -- what passes through --------------------------------------------------------------------

    def typed(self) -> None:
        """A line from the keyboard, for the guest."""
        try:
            data = os.read(self.tty, 4096)
        except BlockingIOError:
            return
        except OSError:
            self.take_back("the terminal is gone")
            return
        self.send(data or CTRL_D + b"\n")
        if CTRL_C in data and self.stop is not None:
            self.write(b"\n")
            self.stop.interrupt()

    def send(self, data: bytes) -> None:
        if self.stop is not None:
            try:
                self.stop.sock.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self.say("it does not read what is typed; a line was lost")
            except OSError:
                pass  # it is gone; that is read from it soon

    def said(self) -> None:
        """The debugger's words, for the person."""
        stop = self.stop
        assert stop is not None
        try:
            data = stop.sock.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.take_back(f"{stop.title} has left the prompt")
            return
        self.write(plain(data).encode())

    def say(self, text: str) -> None:
        """A word of our own, on the terminal while we have it."""
        data = f"understudy: {text}\n".encode()
        if self.tty >= 0:
            self.write(data)
        else:
            with contextlib.suppress(OSError):
                pass_on(data)

    def write(self, data: bytes) -> None:
        """Write as much as it takes; while there is a rest, the guest is not read, so that it waits too."""
        if self.rest:
            self.rest += data
            return
        try:
            self.rest = data[os.write(self.tty, data) :]
        except BlockingIOError:
            self.rest = data
        except OSError:
            return  # it is gone; that is read from it soon
        if self.stop is None:
            self.rest = b""  # it is about to be given back
        elif self.rest:
            self.hub.forget(self.stop.sock.fileno())
            self.hub.when_writable(self.tty, self.write_rest)

    def write_rest(self) -> None:
        rest, self.rest = self.rest, b""
        self.write(rest)
        if not self.rest and self.stop is not None:
            self.hub.watch(self.stop.sock.fileno(), self.said)

    # -- the device -----------------------------------------------------------------------------

    def open(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        self.tty = os.open(os.ttyname(0), os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            self.saved = termios.tcgetattr(self.tty)
            termios.tcsetattr(self.tty, termios.TCSANOW, by_lines(self.saved))
        except termios.error as error:
            os.close(self.tty)
            self.tty = -1
            raise OSError(*error.args) from error
        self.hub.watch(self.tty, self.typed)

    def close_tty(self) -> None:
        self.rest = b""  # the terminal is stopped (Ctrl-S): nobody reads it
        self.hub.forget(self.tty)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self.tty, termios.TCSANOW, self.saved)
        os.close(self.tty)
        self.tty = -1


def is_there() -> bool:
    """Is there a terminal to ask at, and are we in its foreground?  From the background, asking would stop us."""
    try:
        if not os.isatty(0):
            return False
        os.ttyname(0)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return True  # nobody's controlling terminal: it stops nobody


def by_lines(attributes: Any) -> Any:
    """Line by line with echo; Ctrl-C ends a line, and is no signal."""
    changed = [*attributes]
    changed[LOCAL_MODES] |= termios.ICANON | termios.ECHO
    characters = changed[CHARACTERS] = [*attributes[CHARACTERS]]
    characters[termios.VINTR] = os.fpathconf(0, "PC_VDISABLE").to_bytes(1, "little")
    characters[termios.VEOL] = CTRL_C
    return changed
