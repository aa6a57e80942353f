"""What a guest has been given to keep: code by its hash, values of refs by their keys; each is sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..transports.guests import protocol as p
from ..transports.session import READY
from ..transports.stored import Stored
from .channel_ticket import Ticket

if TYPE_CHECKING:
    from ..transports.codec import Code
    from .call import Call
    from .guest import GuestIncarnation


class Belongings:
    """Of one incarnation."""

    __slots__ = ("__weakref__", "incarnation", "keys")

    def __init__(self, incarnation: GuestIncarnation) -> None:
        self.incarnation = incarnation
        self.keys: set[bytes | int] = set()

    def send(self, code: Code, call: Call | None = None) -> None:
        """Send what of this the guest does not have; what comes with a call may be for that call only."""
        for key, kept in code.items():
            if kept.__class__ is Ticket:
                self.incarnation.lends().send(kept, call)
            elif key not in self.keys:
                self.keys.add(key)
                if isinstance(kept, Stored):
                    self.send_value(kept)
                else:
                    self.incarnation.say(p.CODE, key, kept)

    def send_value(self, stored: Stored) -> None:
        incarnation = self.incarnation
        if incarnation.guest.link is not None:
            stored.holders.add(self)
            incarnation.guest.link.send(stored.encoded(incarnation.codec))

    def forget(self, key: int) -> None:
        """No ref to a value is left: the guest need not keep it."""
        if key in self.keys and self.incarnation.session.state is READY:
            self.keys.discard(key)
            self.incarnation.say(p.FREE, key)
