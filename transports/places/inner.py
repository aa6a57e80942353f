"""The process behind a sandbox's walls, where a guest's code runs: found from outside, signalled, known to be dead."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

from ..system.proc import read
from ..system.processes import children_of

FIRST_SIGNAL = 128  # bubblewrap ends with this and the number of the signal that killed what it ran


class Inner:
    """A process two below the one that the keeper started: bubblewrap, its reaper inside, and then this one."""

    __slots__ = ("pid", "pidfd")

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.pidfd = pidfd

    @property
    def alive(self) -> bool:
        """Is it not dead yet?  The end of what stood around it does not prove that."""
        if self.pidfd < 0:
            return False
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return not poll.poll(0)

    def signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, number)

    def close(self) -> None:
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


def find_inner(outer: int, number: int) -> Inner | None:
    """The process below `outer` that knows itself as `number`; None if it is dead already.

    What it says of itself only chooses among those that are really there.
    """
    for reaper in children_of(outer):
        for pid in children_of(reaper):
            with contextlib.suppress(OSError):
                pidfd = os.pidfd_open(pid)
                if number_inside(pid) == number and pid in children_of(reaper):
                    return Inner(pid, pidfd)
                os.close(pidfd)
    return None


def number_inside(pid: int) -> int:
    """Its process id as it sees it itself."""
    for line in read(Path(f"/proc/{pid}/status")).splitlines():
        name, _, numbers = line.partition(":")
        if name == "NSpid":
            return int(numbers.split()[-1])
    return pid


def outcome(status: int | None) -> int | None:
    """How the process inside ended, from how bubblewrap did: negative for a signal."""
    if status is None or status <= FIRST_SIGNAL or status - FIRST_SIGNAL not in set(signal.Signals):
        return status
    return FIRST_SIGNAL - status
