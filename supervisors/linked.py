"""Linked actors: two that end together, unless they watch each other's ends themselves.

What is imported above is all that a guest needs, and it has no event loop to spare.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..actors.reasons import NORMAL, ExitReason
from ..transports.guests.context import present

if TYPE_CHECKING:
    from ..actors.actor import Handle
    from ..actors.down import Down
    from ..actors.life import Life
    from .monitors import Monitors, Watch


def link(handle: Handle[Any], /) -> None:
    """In an actor: end together with another; idempotent, and the same for both.

    When an incarnation of one ends with any reason but *normal*, the other is ended at once, with a reason that
    tells so.  One whose class has a hook `on_down` is told instead, of normal ends too, by a Down with
    `monitor` 0.  Either way the link is gone: the next incarnation makes its own.  A link with an actor that is
    dead acts at once.

    Raises:
        RuntimeError: outside an actor's methods, hooks and tasks.
        TypeError: for what is no handle of an actor, or that of a pool.
    """
    bind(handle, "link")


def unlink(handle: Handle[Any], /) -> None:
    """In an actor: undo `link`, from either side; an end that was not heard of yet will not be."""
    bind(handle, "unlink")


def bind(handle: Any, verb: str) -> None:
    from ..actors.sides import by_host

    if by_host(handle):
        from ..actors.guest_monitor import target_of
        from ..actors.guest_ref import asking, call_here, packed

        target = target_of(handle, f"{verb}() takes the handle of an actor")
        asking().order(call_here(), ["house", verb, packed(tuple(target))])
        return
    from ..actors.verbs import life_of

    if not is_life(present().actor):
        raise RuntimeError(
            f"{verb}() works inside an actor; from outside use monitor(handle), or a supervisor"
        )
    house: Any = present().actor.house
    getattr(house.links, verb)(present().actor, life_of(handle))


class Links:
    """All links of a runtime: each is two monitors, of which one end closes the other."""

    def __init__(self, monitors: Monitors) -> None:
        self.monitors = monitors
        self.watches: dict[Life, dict[Life, Watch]] = {}  # by whose it is, then by whom it watches

    def link(self, life: Life, other: Life | None, path: str = "") -> None:
        """Have two end together; an `other` that is None has ended."""
        if other is None or other.mailbox.closed is not None:
            self.watch(life, other, path)
        elif not is_life(other):
            raise TypeError("a pool cannot be linked, as its members come and go; monitor it")
        elif other is not life and other not in self.watches.get(life, ()):
            self.watches.setdefault(life, {})[other] = self.watch(life, other)
            self.watches.setdefault(other, {})[life] = self.watch(other, life)

    def watch(self, life: Life, other: Life | None, path: str = "") -> Watch:
        tell = None if traps(life) else partial(strike, life)
        return self.monitors.open(other, life, tell, -next(self.monitors.numbers), path)

    def unlink(self, life: Life, other: Life | None, path: str = "") -> None:
        if other is not None:
            for watch in (self.part(life, other), self.part(other, life)):
                if watch is not None:
                    self.monitors.close(watch)

    def part(self, life: Life, other: Life) -> Watch | None:
        """Forget one side of a link."""
        watches = self.watches.get(life, {})
        watch = watches.pop(other, None)
        if watch is not None and not watches:
            del self.watches[life]
        return watch

    def ended(self, life: Life) -> None:
        """Its links are gone; those who watched have been told."""
        for other in list(self.watches.get(life, ())):
            self.part(life, other)
            self.part(other, life)


def is_life(found: object) -> bool:
    """Is it one actor of this runtime?"""
    from ..actors.life import Life

    return isinstance(found, Life)


def traps(life: Life) -> bool:
    """Is it told, instead of ended?"""
    from ..actors.exported import hooks_of
    from ..transports.guests.protocol import DOWN

    return DOWN in hooks_of(life.spec.cls)


def strike(life: Life, down: Down) -> None:
    """End an actor as the one that it is linked with has ended."""
    if down.reason.kind != NORMAL:
        life.kill(reason_of(down))


def reason_of(down: Down) -> ExitReason:
    text = f"linked with {down.path}, which ended: {down.reason}"
    return replace(down.reason, text=text, status=None, stderr="", stdout="", ordered=True)
