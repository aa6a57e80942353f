"""What the system keeps of a process and its forks inherit; code that a zygote loads may have changed it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

TIMERS = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")


class ProcessAttributes:
    """Of this process, as they are when this is made: single-threaded, since the umask is read by setting it."""

    def __init__(self) -> None:
        self.folder = -1
        with suppress(OSError):
            self.folder = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
        os.umask(umask := os.umask(0))
        self.umask = umask
        self.handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self.niceness = os.getpriority(os.PRIO_PROCESS, 0)
        self.limits = limits()

    def close(self) -> None:
        if self.folder >= 0:
            os.close(self.folder)

    def restore(self) -> str:
        """Be as we were then, with no signal blocked and no timer set; returns what cannot be undone, "" if all was."""
        if self.folder >= 0:
            os.fchdir(self.folder)
        os.umask(self.umask)
        for name in TIMERS:
            signal.setitimer(getattr(signal, name), 0)
        for number, handler in self.handlers.items():
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        return self.restore_niceness() or self.restore_limits()

    def restore_niceness(self) -> str:
        now = os.getpriority(os.PRIO_PROCESS, 0)
        if now != self.niceness:
            try:
                os.setpriority(os.PRIO_PROCESS, 0, self.niceness)
            except OSError:
                return f"sets the niceness to {now}, which its guests would keep"
        return ""

    def restore_limits(self) -> str:
        import resource

        for name, now in limits().items():
            if now != self.limits[name]:
                try:
                    resource.setrlimit(getattr(resource, name), self.limits[name])
                except (OSError, ValueError):
                    return f"sets the limit {name} to {now[0]}, which its guests would keep"
        return ""


def limits() -> dict[str, tuple[int, int]]:
    """Soft and hard, by name."""
    import resource

    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}
