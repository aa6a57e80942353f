"""What a guest has been given to keep: code by its hash, values of refs by their keys; each is sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..transports.guests import protocol as p
from ..transports.session import READY, ProtocolError
from ..transports.stored import Stored
from .channel_ticket import Ticket

if TYPE_CHECKING:
    from ..transports.codec import Code
    from .call import Call
    from .channel_lending import Lending
    from .guest import GuestIncarnation
    from .reasons import ExitReason


MOST_CODE = 64 * 1024 * 1024  # bytes of functions and classes that a guest keeps for calls


class Belongings:
    """Of one incarnation; `keys` tells how many bytes of code are under each, the longest unused first."""

    __slots__ = ("__weakref__", "bytes", "incarnation", "keys", "lending")

    def __init__(self, incarnation: GuestIncarnation) -> None:
        self.incarnation = incarnation
        self.keys: dict[bytes | int, int] = {}
        self.bytes = 0
        self.lending: Lending | None = None  # the ends of channels that it holds, or may come to hold

    def send(self, code: Code, call: Call | None = None) -> None:
        """Send what of this the guest does not have; what comes with a call may be for that call only."""
        for key, kept in code.items():
            if kept.__class__ is Ticket:
                self.lend(kept, call)
            elif key in self.keys:
                self.keys[key] = self.keys.pop(key)
            elif isinstance(kept, Stored):
                self.keys[key] = 0
                self.send_value(kept)
            else:
                self.send_code(key, kept)
        if self.bytes > MOST_CODE:
            self.make_room()

    def send_code(self, key: bytes, blob: bytes) -> None:
        # What the actor itself is made of comes before it is ready, and stays.
        self.keys[key] = size = len(blob) if self.incarnation.session.state is READY else 0
        self.incarnation.say(p.CODE, key, blob)
        self.bytes += size

    def make_room(self) -> None:
        """Have the guest forget code that no call in its hands names; if it is named again, it is sent again."""
        named = {key for call in self.incarnation.sent.values() for key in call.code or ()}
        for key, size in list(self.keys.items()):
            if self.bytes <= MOST_CODE:
                return
            if size and key not in named:
                self.forget(key)

    # -- ends of channels -----------------------------------------------------------------------

    @property
    def lends(self) -> bool:
        """Does the guest hold any?"""
        return bool(self.lending)

    def lend(self, ticket: Ticket, call: Call | None) -> None:
        if self.lending is None:
            from .channel_lending import Lending  # most guests hold none

            self.lending = Lending(self.incarnation)
        self.lending.send(ticket, call)

    def started(self) -> None:
        """The actor is made."""
        if self.lending is not None:
            self.lending.started()

    def close(self, reason: ExitReason | None) -> None:
        """The incarnation has ended; idempotent."""
        if self.lending is not None:
            self.lending.close(reason)

    # -- values of refs -------------------------------------------------------------------------

    def send_value(self, stored: Stored) -> None:
        incarnation = self.incarnation
        if incarnation.guest.link is not None:
            stored.holders.add(self)
            incarnation.guest.link.send(stored.encoded(incarnation.codec))

    def forget(self, key: bytes | int) -> None:
        """The guest need not keep it: no ref to a value is left, or it is code that was not used for long."""
        if key in self.keys and self.incarnation.session.state is READY:
            self.bytes -= self.keys.pop(key)
            self.incarnation.say(p.FREE, key)


def on_channel(incarnation: GuestIncarnation, message: list[Any]) -> None:
    """A guest says something of an end of a channel that it holds."""
    lending = incarnation.belongings.lending
    if lending is None:
        raise ProtocolError("an end of a channel, where it was given none")
    lending.hear(message)
