"""The mailbox of an actor with `max_pending_calls`: it counts what is pending, so that nobody has to look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..transports.guests.context import Running, running
from . import lifecycle
from .call import Call
from .errors import NEVER_SENT, PendingCallsLimitExceeded
from .mailbox import Encode, Mailbox

if TYPE_CHECKING:
    from .method import ActorMethod
    from .options import Options
    from .spawner import House


class CountedCall(Call, eq=False):
    """A call whose end is counted; only actors with a limit pay for that."""

    def succeed(self, value: Any) -> None:
        if self.state is not lifecycle.ENDED:
            uncount(self)
            super().succeed(value)

    def fail(self, error: BaseException) -> None:
        if self.state is not lifecycle.ENDED:
            uncount(self)
            super().fail(error)


class LimitedMailbox(Mailbox):
    """Refuses what nobody waits for, once too much is pending."""

    __slots__ = ("accepted",)

    def __init__(self, label: str, options: Options, encode: Encode | None, house: House) -> None:
        super().__init__(label, options, encode, house)
        self.accepted: set[int] = set()  # the ids of calls accepted and not ended

    def make(
        self,
        kind: int,
        method: ActorMethod[Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        stored: list[Any] | None = None,
        by: Running = running,
    ) -> Call:
        call = super().make(kind, method, args, kwargs, stored, by)
        call.__class__ = CountedCall
        return call

    def chunks(self, method: ActorMethod[Any]) -> bool:
        """Each call is counted, and so travels by itself."""
        return False

    def put(self, call: Call) -> None:
        super().put(call)
        if not call.ended:
            self.accepted.add(call.id)

    def check_limit(self, method: ActorMethod[Any]) -> None:
        refuse_beyond(self, len(self.accepted), method)


def refuse_beyond(mailbox: Mailbox, pending: int, method: ActorMethod[Any]) -> None:
    """Raise PendingCallsLimitExceeded if there is a limit, and so many pending calls reach it."""
    limit = mailbox.options.max_pending_calls
    if 0 <= limit <= pending:
        raise PendingCallsLimitExceeded(
            f"{mailbox.label} has {limit} pending calls, its max_pending_calls; await a call, which waits its turn",
            NEVER_SENT,
            0,
            method.name,
        )


def uncount(call: CountedCall) -> None:
    mailbox = call.mailbox
    if isinstance(mailbox, LimitedMailbox):
        mailbox.accepted.discard(call.id)
