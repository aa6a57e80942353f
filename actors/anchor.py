"""An anchor: whoever can still reach an actor holds it, and it tells when nobody does.

Handles hold it, and the methods they give, and so do calls that are pending and refs.  Only actors for which somebody
wants to know have one.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from .casting import ANCHOR as KEY
from .casting import cast_of

if TYPE_CHECKING:
    from .life import Life


class Anchor:
    __slots__ = ("__weakref__",)


class Anchors(dict[Any, "weakref.ref[Anchor] | None"]):
    """The actors that are to be told of, by their lives, each with its anchor, if it has had a handle."""

    def anchor_of(self, life: Life) -> Anchor:
        """The one that all who reach this actor hold; safe in any thread."""
        found = self[life]
        anchor = found() if found is not None else None
        if anchor is None:
            house = life.house
            anchor = Anchor()
            self[life] = weakref.ref(anchor, lambda gone: house.stage.soon(house.abandoned, life))
        return anchor

    def is_held(self, life: Life) -> bool:
        found = self.get(life)
        return found is not None and found() is not None


def hold(method: Any, anchor: Anchor) -> Any:
    """Have a method, or one that gives a stream, hold an anchor."""
    plain: Any = getattr(method, "method", method)
    plain.changes[KEY] = anchor
    plain.cast = cast_of(plain, plain.mailbox)
    return method
