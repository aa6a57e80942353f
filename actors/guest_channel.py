"""How ends of channels come to a guest: with pickles, with plain data, or, in a thread, as what stands for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..transports.guests.context import PROCESS, present
from .guest_end import HOME, GuestEnd
from .guest_receive import AsyncReceive, BlockingReceive, ThreadedReceive
from .guest_send import AsyncSend, BlockingSend

if TYPE_CHECKING:
    from ..transports.guests.channels import Office

KINDS: tuple[type[GuestEnd], ...] = (AsyncReceive, AsyncSend, BlockingReceive, BlockingSend, ThreadedReceive)


class EndMark(NamedTuple):
    """Stands for an end on its way to a guest of the same process."""

    direction: int
    ticket: int


def made(direction: int, ticket: int, office: Office) -> GuestEnd:
    """An end as this guest's loop uses it."""
    if office.loop is not None:
        return (AsyncReceive if direction else AsyncSend)(ticket, office)
    if direction:
        return (ThreadedReceive if office.threads else BlockingReceive)(ticket, office)
    return BlockingSend(ticket, office)


def end_at(direction: int, ticket: int) -> Any:
    """The end of a channel that came along with a message, by its ticket."""
    guest = PROCESS.get("guest")
    if guest is None:
        return HOME["end"](direction, ticket)
    return made(direction, ticket, guest.office)


def end_in(data: bytes) -> Any:
    """The same, where only data travels: a direction and the number of a ticket."""
    return end_at(data[0], int.from_bytes(data[1:], "big"))


def end_there(mark: EndMark) -> GuestEnd:
    """In a guest of the process of its channel: the end that a mark stands for."""
    return made(mark.direction, mark.ticket, present().asker.asking.guest.office)
