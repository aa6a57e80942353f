"""Faults on order: a real signal to the process behind a handle, recorded so that no message is blamed for it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from ..actors.errors import UnderstudyError
from ..actors.process import ProcessIncarnation
from ..actors.verbs import life_of


class InjectionError(UnderstudyError):
    """The fault could not be injected: the actor has no process, never or not now."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault: `signal` went to this `incarnation` of `actor` (its path); `at` is in nanoseconds of trio's clock."""

    actor: str
    incarnation: int
    signal: signal.Signals
    at: int


class Injector:
    """Sends signals to actors' processes, and remembers what it sent in `injected`, oldest first."""

    def __init__(self) -> None:
        self.injected: list[Injection] = []

    def inject(self, handle: Any, fault: signal.Signals | int | str) -> Injection:
        """Send a real signal to the process behind a handle.

        Whatever ends this incarnation from now on counts as ordered: the message it runs is tried again and
        is not blamed, be it that the signal kills at once, or that it stops the process and the kill follows
        after `stopped_timeout`.

        Example:
            inject(counter, signal.SIGKILL)
            inject(counter, "SIGSTOP")

        Raises:
            InjectionError: if the actor does not run in a process, or has none at this moment.
            ValueError: for a signal that does not exist.
        """
        number = signal_of(fault)
        life = life_of(handle)
        incarnation: object = life.incarnation
        if incarnation is not None and not isinstance(incarnation, ProcessIncarnation):
            raise InjectionError(
                f"{life.path} runs in this very process; only Process() actors can be sent a signal"
            )
        if incarnation is None or incarnation.process is None or incarnation.process.ended:
            raise InjectionError(
                f"{life.path} has no process now, it is {life.state}; try again once it is ready"
            )
        # First the record: the death may be told before this function returns.
        incarnation.injected = True
        injection = Injection(life.path, life.number, number, int(life.house.stage.now() * 1e9))
        self.injected.append(injection)
        incarnation.process.signal(number)
        return injection

    def can_inject(self, handle: Any) -> bool:
        """Is there a process behind this handle that no fault was sent to yet?"""
        incarnation: object = life_of(handle).incarnation
        if not isinstance(incarnation, ProcessIncarnation) or incarnation.injected:
            return False
        return incarnation.process is not None and not incarnation.process.ended

    def __repr__(self) -> str:
        return f"<injector, {len(self.injected)} faults so far>"


def signal_of(fault: signal.Signals | int | str) -> signal.Signals:
    """A signal by its number or name, with or without SIG."""
    if isinstance(fault, int):
        return signal.Signals(fault)
    name = fault.upper()
    found = signal.Signals.__members__.get(name if name.startswith("SIG") else f"SIG{name}")
    if found is None:
        raise ValueError(f"{fault!r} is no signal here; write one such as 'SIGKILL' or signal.SIGKILL")
    return found


everyday = Injector()  # for tests that need no injector of their own
injected = everyday.injected


def inject(handle: Any, fault: signal.Signals | int | str) -> Injection:
    """`Injector.inject` with the injector that all share; its record is the list `injected`."""
    return everyday.inject(handle, fault)
