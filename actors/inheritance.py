"""What one incarnation in a guest leaves to the next: its saved state; and what went wrong with its hooks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Ext

from ..transports.codec import Pickled
from ..transports.guests import protocol as p
from ..transports.session import LEAVING, ProtocolError
from . import events
from .errors import foreign_error
from .exported import hooks_of
from .hooks import NOTHING, worse
from .reasons import SHUTDOWN_EXIT, ExitReason
from .verdicts import cause_of, reason_of, reason_of_fault

if TYPE_CHECKING:
    from .guest import GuestIncarnation

# What may go wrong after the guest has said why it ends, and how a person is told.
LATE = {p.LAST: "on_stop()", p.NURSERY: "a task of its nursery"}


class Inheritance:
    """What passes between an incarnation, the one before and the one after; a pickle stays a pickle on its way."""

    __slots__ = ("given", "incarnation", "mishaps", "said")

    def __init__(self, incarnation: GuestIncarnation) -> None:
        self.incarnation = incarnation
        self.given: Any = NOTHING  # by the incarnation before
        self.mishaps: set[str] = set()
        self.said: ExitReason | None = None  # why the guest ends, by its own account

    def give(self, settings: dict[str, Any]) -> None:
        """Add to the settings what the incarnation before has saved."""
        life = self.incarnation.life
        if p.LOAD in hooks_of(life.spec.cls):
            self.given = life.take_state(NOTHING)
        if self.given is not NOTHING:
            settings["state"] = Ext(p.PICKLED, self.given) if type(self.given) is Pickled else self.given

    def take_back(self) -> None:
        """The guest was gone before it could do anything with it."""
        if self.given is not NOTHING:
            self.incarnation.life.keep_state(self.given)

    def note(self, hook: str) -> None:
        """A hook has failed; raises ProtocolError for one that has before."""
        if hook in self.mishaps:
            raise ProtocolError(f"{hook} failed twice in one incarnation")
        self.mishaps.add(hook)

    def overdue(self, reason: ExitReason) -> None:
        """Its time is over: that is told of last hooks that take too long; what ends it otherwise is this reason."""
        incarnation = self.incarnation
        spec = incarnation.life.spec
        bows = incarnation.session.state is LEAVING and hooks_of(spec.cls) & {p.SAVE, p.LAST}
        if bows and self.said is not None and incarnation.why is self.said:
            text = f"{self.said.text}; its hooks did not end within {spec.options.grace:g} s"
            incarnation.why = replace(self.said, text=text.lstrip("; "))
        incarnation.condemn(reason)


# -- what a guest says of it -------------------------------------------------------------------------


def on_leaving(incarnation: GuestIncarnation, message: list[Any]) -> None:
    """The guest tells why it ends; its death is still to be proved."""
    if incarnation.why is None or incarnation.why is SHUTDOWN_EXIT:
        incarnation.why = incarnation.why or reason_of(message, incarnation.codec)
        incarnation.inheritance.said = incarnation.why
    if message[0] == p.ENDING:
        incarnation.parting = incarnation.sent.pop(message[3], incarnation.parting)
    incarnation.started.set()
    # It has said that it leaves; if it does not, it is helped.
    incarnation.climber.begin(0, incarnation.why.kind, delay=incarnation.life.spec.options.grace)


def on_state(incarnation: GuestIncarnation, message: list[Any]) -> None:
    """It leaves something to the next."""
    life = incarnation.life
    if p.SAVE not in hooks_of(life.spec.cls):
        raise ProtocolError("a state, and its class has no save_state")
    life.keep_state(message[1])


def on_mishap(incarnation: GuestIncarnation, message: list[Any]) -> None:
    """A hook has raised: the state is lost, or the end is an error."""
    _, hook, fault = message
    inheritance, codec = incarnation.inheritance, incarnation.codec
    inheritance.note(hook)
    if hook in LATE:
        if inheritance.said is not None and incarnation.why is inheritance.said:
            failed = reason_of_fault(fault, codec, f"{LATE[hook]} raised ")
            incarnation.why = inheritance.said = worse(incarnation.why, failed)
        return
    module, name, text, traceback, _ = fault
    error = cause_of(fault, codec) or foreign_error(
        f"{module}.{name}", text, 0, hook, incarnation.where, traceback
    )
    incarnation.life.emit(events.StateLost, hook, error)
