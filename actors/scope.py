"""Who owns what is made here: a call, an `open_scope()` block, or nobody in particular, which is the runtime."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

import trio

from ..transports.guests.context import Running, present, role, running
from . import guest_verbs
from .here import check_trio, not_trio
from .leaving import call_off

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from .call import Call
    from .life import Life
    from .ref import ObjectRef

FEW = 64  # actors of a scope, before the dead among them are looked for


class Owner:
    """The calls whose refs and streams end with it, by id; `above` owns what is handed up."""

    __slots__ = ("above", "calls", "ended", "label")

    def __init__(self, label: str, above: Owner | None) -> None:
        self.label = label
        self.above = above
        self.calls: dict[int, Call] = {}
        self.ended = False

    def take(self, call: Call) -> None:
        self.calls[call.id] = call

    def release(self, call: Call) -> None:
        """It has ended, or has another owner."""
        self.calls.pop(call.id, None)

    def call_off(self) -> None:
        """Cancel what is pending, the last first: what waits is not to begin because what runs has ended."""
        for call in reversed(list(self.calls.values())):
            holder: Any = call.ref
            if hasattr(holder, "close"):  # a stream's
                holder.close(f"was closed: {self.label}, its owner, has ended")
            else:
                call_off(call, f": {self.label}, its owner, has ended")

    def end(self, result: Any = None) -> None:
        """Hand up the refs that are part of the result, and cancel all others that are pending."""
        self.ended = True
        above = self.above
        if self.calls and (above is None or not above.ended):
            for ref in refs_in(result):
                if ref.watcher.owner is self:
                    ref.watcher.move(ref.call, above)
        self.call_off()


# The block that is open here.
block: ContextVar[Scope | None] = ContextVar("understudy_scope", default=None)


def owner_here() -> Owner | None:
    """Who owns a ref that is made now; None is the runtime."""
    if running.call is not None:  # a method of a `Local` actor, which has no task of its own
        return owner_of(running)
    here, scope = role.get(), block.get()
    if here is None and scope is None:
        return None
    return owner_in(here, scope)


def owner_in(here: Running | None, scope: Scope | None) -> Owner | None:
    """The nearer of a call that runs in a task of its own, and an open block."""
    if here is not None and here.call is not None and (scope is None or scope.within is not here):
        return owner_of(here)
    return standing(scope)


def standing(owner: Owner | None) -> Owner | None:
    """The nearest that has not ended: a task may outlive the block it was started in."""
    while owner is not None and owner.ended:
        owner = owner.above
    return owner


def owner_of(here: Running) -> Owner:
    """The owner that a running call is; made when it first owns something."""
    if here.owner is None:
        assert here.call is not None
        id, name, record = here.call
        here.owner = Owner(f"call {id}, {name}()", owner_of_caller(record))
    owner: Owner = here.owner
    return owner


def owner_of_caller(call: Call | None) -> Owner | None:
    """Who owns a ref that the call returns; None is the runtime."""
    if call is None or call.task is None:
        return getattr(getattr(call, "ref", None), "owner", None)
    context = call.task.context
    return owner_in(context.get(role), context.get(block))


def end_call(here: Running, result: Any) -> None:
    """A call that owned something has ended, with this result."""
    owner, here.owner = here.owner, None
    owner.end(result)


def hand_up(here: Running) -> None:
    """What a step of a call made goes to the owner of who asked: the call is not over, or is nobody's."""
    owner, here.owner = here.owner, None
    for call in list(owner.calls.values()):
        watcher: Any = call.ref
        watcher.move(call, owner.above)


def refs_in(result: Any) -> Iterator[Any]:
    """A result that is a ref or a stream, or those directly in a list, tuple, set or dict."""
    if result.__class__ in (list, tuple, set):
        parts = list(result)
    else:
        parts = list(result.values()) if result.__class__ is dict else [result]
    return (part for part in parts if hasattr(part, "watcher"))


class Scope(Owner):
    """What `open_scope()` opens: it owns the refs and actors that are made inside."""

    __slots__ = ("limit", "lives", "token", "within")

    def __init__(self) -> None:
        super().__init__("the scope", None)
        self.lives: list[Life] = []
        self.limit = FEW
        self.within: Running | None = None
        self.token: Any = None

    async def __aenter__(self) -> Self:
        if self.token is not None or self.ended:
            raise RuntimeError("this scope was opened before; write open_scope() again")
        check_trio("open_scope()")
        self.above = owner_here()
        self.within = role.get()
        self.token = block.set(self)
        await trio.lowlevel.checkpoint()
        return self

    def __enter__(self) -> NoReturn:
        raise not_trio("open_scope()")

    def __exit__(self, *details: object) -> None: ...

    async def __aexit__(self, *details: object) -> None:
        block.reset(self.token)
        await self.leave()

    async def leave(self) -> None:
        """Cancel and end what it owns, and wait for that."""
        pending = list(self.calls.values())
        lives = [life for life in reversed(self.lives) if not life.is_dead]
        self.end()
        with trio.CancelScope(shield=True):
            for life in lives:
                life.overseer.terminate(life)
            for call in pending:
                if not call.ended:
                    await call.wait_ended()
            for life in lives:
                await life.wait_dead()

    def adopt(self, ref: ObjectRef[Any]) -> None:
        """Own a ref that was made elsewhere: it is cancelled with this scope, and no more with its old owner.

        Raises:
            RuntimeError: if the scope is closed.
        """
        if self.ended:
            raise RuntimeError("this scope is closed and owns nothing any more")
        if not ref.done:
            ref.watcher.move(ref.call, self)

    def keep(self, life: Life) -> None:
        """Own an actor."""
        if len(self.lives) >= self.limit:
            self.lives = [one for one in self.lives if not one.is_dead]
            self.limit = max(FEW, 2 * len(self.lives))
        self.lives.append(life)

    def cancel(self) -> None:
        """Cancel what is pending; the scope stays open."""
        self.call_off()

    def __repr__(self) -> str:
        state = "closed" if self.ended else "open"
        return f"<scope, {state}, {len(self.calls)} pending refs, {len(self.lives)} actors>"


def open_scope() -> Scope:
    """A block that owns the refs and actors made inside: leaving it cancels the refs that are pending.

    Actors made inside are ended politely, unless they have `lifetime="detached"`.  Scopes nest; tasks started
    inside make things for the same scope.  Leaving waits for the actors, and for calls with `cancel="wait"`,
    however it is left, and cannot be cancelled.

    Example:
        async with open_scope():
            first, second = left.ask.remote(), right.ask.remote()
            ended, _ = await wait([first, second])
            answer = await ended[0]
        # the slower one has been cancelled

    Raises:
        NoRuntimeError: in the methods of an actor in a process or a thread.
    """
    if present().asker is not None:
        guest_verbs.open_scope()
    return Scope()


def scope_here() -> Scope | None:
    """The open block that an actor made now belongs to."""
    found: Owner | None = block.get() if running.call is None else None
    while found is not None and (found.ended or not isinstance(found, Scope)):
        found = found.above
    return found
