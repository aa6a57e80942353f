"""One guest process as its host sees it: its id, how to signal it, and how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..guests.label import PREFIX
from .inner import Inner, find_inner, outcome
from .zygote import PLAIN, Zygote


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: `program`, else `argv[0]`, is a path; `environ` is the whole environment, `folder` the working directory."""

    argv: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict[str, str])
    folder: str | None = None
    limits: dict[str, int] = field(default_factory=dict[str, int])
    program: str = ""
    walled: bool = False  # does it run behind a sandbox's walls?
    label: str = ""  # what `ps` shows it as
    zygote: Zygote = PLAIN  # the keeper that starts it
    code: tuple[str, ...] = ()  # what a fork of a zygote runs: a module of ours, and arguments for it

    def with_descriptors(self, places: Sequence[int]) -> Command:
        """The same for a guest of ours, that is told where to find its link and its page."""
        told = ",".join(map(str, places))
        if self.code:
            return replace(self, code=(*self.code, told))
        return replace(self, argv=(*self.argv, told, *([f"{PREFIX}{self.label}"] if self.label else [])))

    def request(self) -> dict[str, Any]:
        """What the keeper is told."""
        return {
            "argv": self.argv,
            "code": self.code,
            "environ": self.environ,
            "folder": self.folder,
            "label": self.label,
            "limits": self.limits,
            "program": self.program,
        }

    def behind(self, walls: list[str]) -> Command:
        """The same, run by a program that puts walls around it, and takes it to its folder itself; never forked."""
        program, *options = walls
        argv = (f"{PREFIX}the walls of {self.label}", *options, *self.argv)
        return replace(self, argv=argv, program=program, folder=None, walled=True, zygote=PLAIN, code=())


class LaunchError(OSError):
    """The system refused a new process, a descriptor or memory for one."""

    def __str__(self) -> str:
        return str(self.strerror)


class GuestProcess:
    """A child of the keeper.  `on_end` is called once, with proof of death; `on_stop` when it is stopped."""

    __slots__ = (
        "cause",
        "ended",
        "inner",
        "on_end",
        "on_stop",
        "pid",
        "pidfd",
        "status",
        "stopped",
        "uprooted",
        "walled",
    )

    def __init__(self) -> None:
        self.pid = 0
        self.pidfd = -1
        self.status: int | None = None
        self.ended = False
        self.stopped = False
        self.walled = False
        self.inner: Inner | None = None  # where its code runs, behind walls
        self.cause = ""  # of its end, where that is its keeper's
        self.uprooted = False  # its keeper died, and it with it: no fault of its own
        self.on_end: Callable[[], None] = lambda: None
        self.on_stop: Callable[[int], None] = lambda number: None

    def launched(self, pid: int, pidfd: int) -> None:
        """It is there; without a descriptor of it, where those have run out or do not exist, its number must do."""
        self.pid = pid
        self.pidfd = pidfd

    def signal(self, number: int) -> None:
        """Send a signal, to this very process or to none; it is pending when this returns.

        Never by way of the keeper: a doorbell that is late would ring for the next call.
        """
        if self.ended or not self.pid:
            return
        if self.inner is not None:
            self.inner.signal(number)
        if self.walled and number != signal.SIGKILL:
            return  # else the walls fall too
        with contextlib.suppress(OSError):  # it has ended, or became another user's
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, number)
            else:
                os.kill(self.pid, number)

    def end(self, status: int | None) -> None:
        """It is dead: `status` is its exit code, negative for a signal, None if nobody knows."""
        if not self.ended:
            self.ended = True
            self.status = outcome(status) if self.walled else status
            self.close()
            self.on_end()

    def greeted(self, number: int) -> None:
        """It has said hello, and that this is its number: behind walls it is not the one we know."""
        if self.walled and not self.ended:
            self.inner = find_inner(self.pid, number)

    @property
    def lingers(self) -> bool:
        """Have its walls fallen while it is not dead yet?"""
        return self.inner is not None and self.inner.alive

    def close(self) -> None:
        if self.inner is not None:
            self.inner.close()
        close(self.pidfd)
        self.pidfd = -1


def close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)


def signal_name(number: int) -> str:
    """The name of a signal; real-time ones have none."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def describe_status(status: int | None) -> str:
    """An exit status in words."""
    if status is None:
        return "ended, nobody knows how"
    if status < 0:
        return f"killed by {signal_name(-status)}"
    return f"exited with status {status}"
