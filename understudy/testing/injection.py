"""Faults on order: real ones, to the actor behind a handle, recorded so that no message is blamed for them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from ..actors import suspension
from ..actors.errors import UnderstudyError
from ..actors.events import ActorEnded, Event
from ..actors.life import Life
from ..actors.process import ProcessIncarnation
from ..actors.verbs import life_of
from .fake import FakeIncarnation, end_by
from .faults import Crash, Fault, Hang, Leave, Slow, Stall


class InjectionError(UnderstudyError):
    """The fault could not be injected: not into an actor of this kind, or not now."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault that struck this `incarnation` of `actor` (its path); `at` is in nanoseconds of trio's clock.

    `signal` is what was sent to its process, None if nothing was.
    """

    actor: str
    incarnation: int
    signal: signal.Signals | None
    at: int
    fault: Fault | None = None

    @property
    def name(self) -> str:
        """The signal's name, or the fault's."""
        return self.signal.name if self.signal is not None else type(self.fault).__name__


class Injector:
    """Strikes actors with faults, and remembers in `injected` what it did, oldest first."""

    def __init__(self) -> None:
        self.injected: list[Injection] = []

    def inject(self, handle: Any, fault: Fault | signal.Signals | int | str) -> Injection:
        """Have a fault happen now: `Crash()`, `Hang()`, `Stall(seconds)`, `Leave()`, or any signal to a process.

        A process is killed (SIGKILL) or stopped (SIGSTOP, which its supervisor ends after `stopped_timeout`).
        In a thread or in this process a crash ends the actor as it can be ended there, and one that hangs
        takes nothing out of its mailbox until its incarnation ends.  `Slow(seconds)` is for a FakeExecutor, which
        does all of this to the letter.  Whatever ends this incarnation from now on counts as ordered: the message it
        runs is tried again and is not blamed.

        Example:
            inject(counter, Crash())
            inject(counter, "SIGSTOP")

        Raises:
            InjectionError: if such a fault cannot strike this actor, never or not at this moment.
            ValueError: for a signal that does not exist, or a fault with a moment of its own.
        """
        what = planless(fault) if isinstance(fault, Fault) else signal_of(fault)
        life = one_of(handle)
        incarnation = present_of(life)
        strike, sent = strike_of(life, incarnation, what)
        if isinstance(incarnation, ProcessIncarnation):
            incarnation.injected = (
                True  # first the record: the death may be told before this function returns
            )
        at = int(life.house.stage.now() * 1e9)
        injection = Injection(life.path, life.number, sent, at, what if isinstance(what, Fault) else None)
        self.injected.append(injection)
        strike()
        return injection

    def can_inject(self, handle: Any) -> bool:
        """Is there a process behind this handle that no fault was sent to yet?"""
        incarnation: object = life_of(handle).incarnation
        if not isinstance(incarnation, ProcessIncarnation) or incarnation.injected:
            return False
        return incarnation.process is not None and not incarnation.process.ended

    def __repr__(self) -> str:
        return f"<injector, {len(self.injected)} faults so far>"


# -- what can strike whom ----------------------------------------------------------------------------


def strike_of(
    life: Life, incarnation: Any, what: Fault | signal.Signals
) -> tuple[Callable[[], None], signal.Signals | None]:
    """What makes the fault happen, and the signal it sends; raises InjectionError if nothing does."""
    if isinstance(incarnation, ProcessIncarnation):
        return at_process(life, incarnation, what)
    if isinstance(what, signal.Signals):
        raise InjectionError(
            f"{life.path} runs in this very process; only Process() actors can be sent a signal, "
            "others are struck by Crash(), Hang(), Stall(seconds), Leave()"
        )
    if isinstance(incarnation, FakeIncarnation) and isinstance(what, Crash | Hang | Stall | Leave | Slow):
        return partial(incarnation.strike, what, ordered=True), None
    found = HERE.get(type(what))
    if found is None:
        raise InjectionError(REFUSALS.get(type(what), f"{what!r} is for the plan of a FakeExecutor"))
    return partial(found, life, incarnation, what), None


def at_process(
    life: Life, incarnation: ProcessIncarnation, what: Fault | signal.Signals
) -> tuple[Callable[[], None], signal.Signals | None]:
    number = what if isinstance(what, signal.Signals) else SIGNALS.get(type(what))
    if isinstance(what, Crash) and what.error is not None:
        raise InjectionError(f"{life.path} runs in a process, which no exception can reach; write Crash()")
    if isinstance(what, Leave):
        return partial(leave, life, incarnation, what), None
    if number is None:
        raise InjectionError(REFUSALS.get(type(what), f"{what!r} is for the plan of a FakeExecutor"))
    return partial(send, life, incarnation, number, getattr(what, "seconds", None)), number


def send(life: Life, incarnation: ProcessIncarnation, number: signal.Signals, seconds: float | None) -> None:
    """A signal, and if it is to stand still only for some seconds, another after that."""
    process = incarnation.process
    assert process is not None
    process.signal(number)
    if seconds is None and number in (signal.SIGKILL, signal.SIGSTOP):
        doomed.append(incarnation)
    elif number == signal.SIGCONT and incarnation in doomed:
        doomed.remove(incarnation)
    if seconds is not None:
        life.house.stage.timers.after(seconds, partial(process.signal, signal.SIGCONT))


def is_doomed(incarnation: object) -> bool:
    """Was it sent what will end it, and that has not been heard of yet?"""
    doomed[:] = [each for each in doomed if each.process is not None and not each.process.ended]
    return incarnation in doomed


def crash(_: Life, incarnation: Any, fault: Crash) -> None:
    incarnation.kill(end_by(fault, ordered=True))


def leave(life: Life, incarnation: Any, _: Fault) -> None:
    incarnation.stop(life.spec.options.grace)


def stand_still(life: Life, _: Any, fault: Fault) -> None:
    """Nothing leaves the mailbox until the time is over, or the incarnation is."""
    house: Any = life.house
    listeners: list[Any] = house.stream.listeners

    def hear(event: Event) -> None:
        if isinstance(event, ActorEnded) and event.actor == life.path:
            go_on()

    def go_on() -> None:
        if hear in listeners:
            listeners.remove(hear)
        suspension.resume(life.mailbox, hear)

    listeners.append(hear)
    suspension.suspend(life.mailbox, hear)
    if isinstance(fault, Stall):
        life.house.stage.timers.after(fault.seconds, go_on)


SIGNALS: Mapping[type, signal.Signals] = {
    Crash: signal.SIGKILL,
    Hang: signal.SIGSTOP,
    Stall: signal.SIGSTOP,
}
HERE: Mapping[type, Callable[[Life, Any, Any], None]] = {
    Crash: crash,
    Leave: leave,
    Hang: stand_still,
    Stall: stand_still,
}
REFUSALS: Mapping[type, str] = {
    Slow: "only an actor with a FakeExecutor can be made slow; Stall(seconds) has others stand still for a while",
}

doomed: list[ProcessIncarnation] = []

# -- who is struck -----------------------------------------------------------------------------------


def one_of(handle: Any) -> Life:
    """The one actor behind a handle."""
    life: Any = life_of(handle)
    if not is_life(life):
        path = getattr(life, "path", "")
        raise InjectionError(f"{path} is a pool; strike one of its members: get_actor('{path}/0')")
    return cast("Life", life)


def is_life(value: object) -> bool:
    return isinstance(value, Life)


def present_of(life: Life) -> Any:
    """What runs now."""
    incarnation: Any = life.incarnation
    gone = isinstance(incarnation, ProcessIncarnation) and (
        incarnation.process is None or incarnation.process.ended
    )
    if incarnation is None or gone:
        raise InjectionError(f"{life.path} does not run now, it is {life.state}; try again once it is ready")
    return incarnation


def planless(fault: Fault) -> Fault:
    for name in ("call", "after", "incarnation"):
        if getattr(fault, name, None) is not None:
            raise ValueError(f"inject() strikes now; {name}= is for the plan of a FakeExecutor")
    return fault


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


def inject(handle: Any, fault: Fault | signal.Signals | int | str) -> Injection:
    """`Injector.inject` with the injector that all share; its record is the list `injected`."""
    return everyday.inject(handle, fault)
