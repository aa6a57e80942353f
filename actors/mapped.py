"""How a map over one actor is done: by calls in chunks where it runs one at a time, else by one call for each item."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from ..transports.codec import Unencodable
from ..transports.guests.context import CARRIED, present
from ..transports.guests.protocol import CALL, MAP
from .call import Call
from .casting import NO_KEYWORDS
from .chunks import ChunkStream
from .errors import NEVER_SENT, Unsendable
from .held import is_ref
from .mapping import MapStream
from .ref import REF_TYPES
from .settings import several

if TYPE_CHECKING:
    from .mailbox import Encode, Mailbox
    from .method import ActorMethod


def mapped(
    mailbox: Mailbox,
    method: ActorMethod[Any],
    items: Iterable[Any],
    star: bool,
    window: int,
    ordered: bool,
    errors: Literal["raise", "return"],
) -> MapStream[Any] | ChunkStream[Any]:
    """Many calls of one method, so many at a time."""
    if mailbox.encode is not None and mailbox.chunks(method):
        return ChunkStream(Chunks(mailbox, method, mailbox.encode, star), items, window, errors)
    make = partial(make_one, mailbox, method, star)
    return MapStream(make, items, window=window, ordered=ordered, errors=errors)


def in_chunks(mailbox: Mailbox, method: ActorMethod[Any]) -> bool:
    """May calls of this method travel in chunks?  Not if one may need more than its arguments, or is watched."""
    if mailbox.house.watching:
        return False
    in_turns = getattr(getattr(mailbox.encode, "__self__", None), "in_turns", False) and not several(
        mailbox.options
    )
    return in_turns and method.plain and not method.retry_on and not CARRIED and present().call is None


def make_one(mailbox: Mailbox, method: ActorMethod[Any], star: bool, item: Any) -> Call:
    args = tuple(item) if star else (item,)
    return mailbox.made(CALL, method, args, NO_KEYWORDS, method.check(*args))


class Chunks:
    """Makes the calls of chunks."""

    def __init__(self, mailbox: Mailbox, method: ActorMethod[Any], encode: Encode, star: bool) -> None:
        self.mailbox = mailbox
        self.method = method
        self.encode = encode
        self.star = star

    def make(self, inputs: list[Any]) -> Call:
        """A call of a chunk; raises what making any of its calls raises."""
        mailbox, method = self.mailbox, self.method
        for item in inputs if self.star else inputs[:1]:
            method.check(*(item if self.star else (item,)))
        call = Call(mailbox, method, mailbox.house.stage.next_ids(), None, None, False, 0)
        call.payload, call.code = self.payload(inputs, call, 0)
        return call

    def alone(self, item: Any) -> Call:
        """The call of one item; raises what making it raises."""
        return make_one(self.mailbox, self.method, self.star, item)

    def has_refs(self, item: Any) -> bool:
        """Are there refs among the arguments that this item stands for?"""
        if not self.star:
            return is_ref(item)
        return item.__class__ in (tuple, list) and any(map(is_ref, item))

    def may_have_refs(self, inputs: list[Any]) -> bool:
        """A quick look; wrong items are no business of it."""
        try:
            values = chain.from_iterable(inputs) if self.star else inputs
            return not REF_TYPES.isdisjoint(map(type, values))
        except TypeError:
            return False

    def payload(self, inputs: list[Any], call: Call, first: int) -> tuple[Any, Any]:
        """The chunk as it travels, less those of its calls that have their results."""
        context = {"star": self.star, "first": first} if self.star or first else None
        name = self.method.name
        try:
            return self.encode(MAP, call.id, name, tuple(inputs), NO_KEYWORDS, context)
        except Unencodable as error:
            raise Unsendable(str(error), NEVER_SENT, call.id, name) from error.__cause__
