"""What stands still while a person debugs an actor in a guest: none of its deadlines falls due."""

from __future__ import annotations

import math
import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..transports.places.diagnostics import hang_up
from ..transports.places.terminal import Stop

if TYPE_CHECKING:
    from .executor import Process
    from .mailbox import Mailbox
    from .process import ProcessIncarnation

TERMINAL, DEBUGPY, OFF = "terminal", "debugpy", "off"
VARIABLE = "UNDERSTUDY_DEBUG"


def debug_of(executor: Process) -> str:
    """What `breakpoint()` does in a guest: as its executor says, else as UNDERSTUDY_DEBUG or PYTHONBREAKPOINT=0 does.

    By default an untrusted guest gets no terminal: it could ask for anything in our name.
    """
    if executor.debug is not None:
        return executor.debug
    if not executor.trusted or os.environ.get("PYTHONBREAKPOINT") == "0":
        return OFF
    return os.environ.get(VARIABLE) or TERMINAL


def check_environment() -> None:
    """Raise ValueError if UNDERSTUDY_DEBUG says what cannot be."""
    if os.environ.get(VARIABLE) not in (None, "", TERMINAL, DEBUGPY, OFF):
        raise ValueError(f"{VARIABLE} must be {TERMINAL}, {DEBUGPY} or {OFF}, not {os.environ[VARIABLE]!r}")


class Debugging:
    """Lets one incarnation's guest stop at breakpoints."""

    __slots__ = ("deadlines", "debug", "guest", "life", "since")

    def __init__(self, incarnation: ProcessIncarnation) -> None:
        self.life = incarnation.life
        self.guest = incarnation.guest
        self.deadlines = incarnation.climber.deadlines
        self.debug = debug_of(incarnation.executor)
        self.since = 0.0

    def attend(self) -> None:
        """Be told of every stop of this guest."""
        if self.guest.diagnostics is not None:
            self.guest.diagnostics.on_stop = self.stopped

    def stopped(self, sock: socket.socket, place: str) -> None:
        """The guest has stopped; its deadlines are held until it goes on."""
        if self.debug == OFF:
            hang_up(sock, "the debugger is off for it")
            return
        goes_on = self.hold()
        if self.debug == DEBUGPY:
            self.wait(sock, goes_on)
        else:
            title = f"{self.life.path} (process {self.guest.pid})"
            self.life.house.stage.terminal.admit(Stop(sock, title, place, self.interrupt, goes_on))

    def interrupt(self) -> None:
        # Without a page the doorbell could not tell this from an order to end the call.
        if self.guest.page is not None:
            self.guest.signal(signal.SIGINT)

    def wait(self, sock: socket.socket, goes_on: Callable[[], None]) -> None:
        """An editor may stop it again at any time: it is held until its end."""
        hub = self.life.house.stage.hub

        def over() -> None:
            hub.forget(sock.fileno())
            sock.close()
            goes_on()

        hub.watch(sock.fileno(), over)

    def hold(self) -> Callable[[], None]:
        """Hold all deadlines; returns what lets them go on, to be called once."""
        mailbox, now = self.life.mailbox, self.life.house.stage.now
        if not self.deadlines.held:
            self.since = now()
            disarm(mailbox)
        self.deadlines.hold()

        def release() -> None:
            self.deadlines.release()
            if not self.deadlines.held:
                put_off(mailbox, self.since, now())

        return release


def disarm(mailbox: Mailbox) -> None:
    """No call of this actor is late now, nor one that comes."""
    if mailbox.timer is not None:
        mailbox.timer.cancel()
    mailbox.timer, mailbox.next_deadline = None, -math.inf


def put_off(mailbox: Mailbox, since: float, now: float) -> None:
    """Calls have lost no time: their deadlines move by what they waited for the person."""
    if mailbox.closed is not None:
        return
    calls = [call for call in mailbox.unfinished() if not call.ended and call.deadline < math.inf]
    for call in calls:
        made = call.deadline - (call.method.timeout or 0.0)
        call.deadline += now - max(since, made)
    mailbox.next_deadline = math.inf
    if calls:
        mailbox.arm(min(call.deadline for call in calls))
