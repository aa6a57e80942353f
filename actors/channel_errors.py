"""What can go wrong at the end of a channel."""

from __future__ import annotations

from .errors import UnderstudyError


class ClosedChannelError(UnderstudyError):
    """This end was closed; or nothing more comes: all sending ends are closed, and all that was sent is taken."""


class BrokenChannelError(UnderstudyError):
    """Nobody is left at the other side: no receiving end, or the actor that held the last sending end died."""


class ChannelEnded(ClosedChannelError):
    """Nothing more comes; ends an `async for`."""


ENDED, BROKEN, CLOSED, UNSENDABLE = "ended", "broken", "closed", "unsendable"  # as it is told to a guest

ALL_SENT = "nothing more comes through this channel: every sending end is closed, and what was sent is taken"
NO_RECEIVER = "nobody can receive this: every receiving end of the channel is closed"
CLOSED_HERE = "this end of the channel is closed; clone() it before you close it, if you still need it"


def lost_sender(actor: str, reason: str) -> str:
    return f"the last sending end of this channel was lost with {actor}, which ended: {reason}"


def error_for(kind: str, text: str) -> Exception:
    """What a guest is told, as an exception."""
    if kind == UNSENDABLE:
        from .errors import Unsendable

        return Unsendable(text)
    return KINDS[kind](text)


KINDS: dict[str, type[UnderstudyError]] = {
    ENDED: ChannelEnded,
    BROKEN: BrokenChannelError,
    CLOSED: ClosedChannelError,
}
