"""Monitors: for each one `Down`, exactly once, when the incarnation that it watches has ended.

Who watches whom stands in two tables of the runtime, and nothing of it in the actors: who is not watched pays
nothing.  An actor's monitors end with its incarnation, and what they have told and it has not heard goes with it.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import trio

from ..actors import guest_verbs
from ..actors.down import Down
from ..actors.errors import Unsendable
from ..actors.exported import hooks_of
from ..actors.life import Life
from ..actors.method import ActorMethod
from ..actors.reasons import UNREACHABLE, ExitReason
from ..actors.sides import by_host
from ..actors.verbs import life_of
from ..transports.guests.context import present
from ..transports.guests.protocol import CAST

if TYPE_CHECKING:
    from ..actors.actor import Handle
    from ..actors.call import Call

T = TypeVar("T")

ON_DOWN = "on_down"
NEVER = ExitReason(UNREACHABLE, "there is no such actor", ordered=True)


class Watch:
    """One monitor: `tell` gets its Down, else the hook of `owner`; `call` is that Down on its way there."""

    __slots__ = ("call", "id", "life", "monitors", "owner", "tell")

    def __init__(
        self,
        monitors: Monitors,
        id: int,
        life: Life | None,
        owner: Life | None,
        tell: Callable[[Down], None] | None,
    ) -> None:
        self.monitors = monitors
        self.id = id
        self.life = life
        self.owner = owner
        self.tell = tell
        self.call: Call | None = None

    @property
    def number(self) -> int:
        """As its Down has it: 0 for one half of a link, which has a negative id."""
        return max(self.id, 0)

    def settled(self, call: Call) -> None:
        """The hook has run, or will not."""
        self.call = None
        self.monitors.forget(self)


class Monitors:
    """All monitors of a runtime, by whom they watch and by whose they are."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.watched: dict[Life, dict[Watch, None]] = {}
        self.owned: dict[Life, dict[int, Watch]] = {}  # by number, which is each guest's own

    def open(
        self,
        life: Life | None,
        owner: Life | None,
        tell: Callable[[Down], None] | None = None,
        id: int = 0,
        path: str = "",
    ) -> Watch:
        """Watch the incarnation that is, or is to come; without one the answer comes at once.

        Without `tell` the hook of the owner hears it.
        """
        watch = Watch(self, id or next(self.numbers), life, owner, tell)
        if owner is not None:
            self.owned.setdefault(owner, {})[watch.id] = watch
        if life is None:
            self.tell(watch, Down(path, 0, NEVER, True, watch.number))
        elif life.mailbox.closed is not None:
            self.tell(watch, Down(life.path, life.number, life.mailbox.closed, True, watch.number))
        else:
            self.watched.setdefault(life, {})[watch] = None
        return watch

    def close(self, watch: Watch) -> bool:
        """End it; what it has told and nobody has heard is taken back.  True if it had told nothing."""
        silent = watch.life is not None and drop(self.watched, watch.life, watch)
        call, watch.call = watch.call, None
        if call is not None:
            call.mailbox.retract(call)
        self.forget(watch)
        return silent

    def ended(self, life: Life, reason: ExitReason) -> None:
        """An incarnation has ended, or the one that was to come will not: who watches it is told."""
        for watch in list(self.owned.pop(life, {}).values()):
            self.close(watch)
        final = life.mailbox.closed is not None
        for watch in self.watched.pop(life, {}):
            self.tell(watch, Down(life.path, life.number, reason, final, watch.number))

    def tell(self, watch: Watch, down: Down) -> None:
        if watch.tell is None:
            cast_down(watch, down)
        else:
            watch.tell(down)
            self.forget(watch)

    def forget(self, watch: Watch) -> None:
        if watch.owner is not None:
            drop(self.owned, watch.owner, watch.id)


def drop(table: dict[Life, dict[T, Any]], life: Life, key: T) -> bool:
    """Take an entry out of a table that has no empty ones; False if it is not there."""
    entries = table.get(life, {})
    if key not in entries:
        return False
    del entries[key]
    if not entries:
        del table[life]
    return True


def cast_down(watch: Watch, down: Down) -> None:
    """Have the hook called, as a message among the others."""
    assert watch.owner is not None
    mailbox = watch.owner.mailbox
    hook: ActorMethod[Any] = ActorMethod(
        mailbox, ON_DOWN, getattr(watch.owner.spec.cls, ON_DOWN), timeout=None, max_task_retries=0
    )
    try:
        call = mailbox.make(CAST, hook, (down,), {})
    except Unsendable:  # longer than a message may be
        reason = replace(down.reason, text=down.reason.text[:MOST_TEXT], exception=None, stderr="", stdout="")
        call = mailbox.make(CAST, hook, (replace(down, reason=reason),), {})
    watch.call, call.ref = call, watch
    mailbox.put(call)


MOST_TEXT = 1000


class Monitor:
    """Watches actors; made by `monitor(...)`.  Iterate over it for one `Down` for each, as they end."""

    def __init__(self) -> None:
        self.watches: dict[int, Watch] = {}
        self.told: deque[Down] = deque()
        self.wanted = trio.Event()
        self.id = 0  # of the actor that was given or added last: its Down has it as `monitor`

    def add(self, handle: Handle[Any], /) -> int:
        """Watch one more, or the next incarnation of one that has ended; returns the number its Down will have."""
        life = life_of(handle)
        house: Any = life.house
        here = present().actor
        hears = isinstance(here, Life) and ON_DOWN in hooks_of(here.spec.cls)
        watch: Watch = house.monitors.open(life, here if hears else None, None if hears else self.put)
        self.watches[watch.id] = watch
        self.id = watch.id
        return self.id

    def put(self, down: Down) -> None:
        self.told.append(down)
        self.wanted.set()

    def close(self) -> bool:
        """Watch nothing any more: what was told and not read is dropped.  Returns whether any had still to end."""
        watches, self.watches = self.watches, {}
        still = [watch.monitors.close(watch) for watch in watches.values()]
        self.told.clear()
        self.wanted.set()
        return any(still)

    def __aiter__(self) -> Self:
        if any(watch.owner is not None for watch in self.watches.values()):
            raise RuntimeError(
                "this actor has an on_down hook, which is told; there is nothing to iterate over"
            )
        return self

    async def __anext__(self) -> Down:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self.told:
            if not self.watches:
                raise StopAsyncIteration
            if self.wanted.is_set():
                self.wanted = trio.Event()
            await self.wanted.wait()
        down = self.told.popleft()
        self.watches.pop(down.monitor, None)
        return down

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()


def monitor(*handles: Handle[Any]) -> Monitor:
    """Watch actors: one `Down` for each, exactly once, when the incarnation that is there now has ended.

    In an actor whose class has a hook `on_down(self, down)` that hook hears it, in the actor's turn and in order
    with its messages; anywhere else iterate over the monitor.  An actor that is dead or stays down answers at once;
    one that is starting or restarting is watched from its next incarnation on.

    Example:
        async with monitor(worker) as downs:
            async for down in downs:
                print(down.path, down.reason)

    Leaving the block, or `.close()`, ends it, and what was told and not heard is taken back.  The monitors of an
    actor end with its incarnation.  If cancelled while waiting for a Down, none is lost.

    Raises:
        TypeError: for anything but handles of actors; in a guest, if its class has no on_down.
    """
    if not handles:
        raise TypeError("monitor() takes the handles of actors: monitor(worker)")
    if by_host(*handles):
        return cast("Monitor", guest_verbs.monitor(*handles))
    made = Monitor()
    try:
        for handle in handles:
            made.add(handle)
    except BaseException:
        made.close()
        raise
    return made
