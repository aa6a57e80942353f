"""A mailbox seen from another thread: messages are made and encoded here, and put into the real one over there."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal

from ..actors.call import Call
from ..actors.errors import NEVER_SENT
from ..actors.held import hold, make_held
from ..actors.mailbox import Mailbox
from ..actors.method import ActorMethod
from ..transports.guests.context import Running
from ..transports.guests.protocol import CALL, CAST
from .blocks import block_for, opened, own
from .crossing import Crossing, accept
from .ref import FarRef
from .stream import FarStream, Pump

if TYPE_CHECKING:
    from ..actors.ref import ObjectRef

NOBODY = Running()


class FarMailbox(Mailbox):
    """What the methods of a far handle send through."""

    __slots__ = ("crossing", "near")

    def __init__(self, near: Mailbox, crossing: Crossing) -> None:
        super().__init__(near.label, near.options, near.encode, near.house)
        self.takes_notes = False
        self.near = near
        self.crossing = crossing

    def make(
        self,
        kind: int,
        method: ActorMethod[Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        stored: list[Any] | None = None,
        by: Running = NOBODY,
    ) -> Call:
        # What runs in the runtime's thread just now has nothing to do with us.
        return self.near.make(kind, method, args, kwargs, stored, by)

    def asked(  # pyright: ignore[reportIncompatibleMethodOverride]  it is as awaitable
        self, call: Call
    ) -> Coroutine[Any, Any, Any]:
        crossing = self.crossing
        return self.near.asked(call) if get_ident() == crossing.thread else crossing.ask(call)

    def submit(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], refs: bool = False
    ) -> ObjectRef[Any]:
        ref: FarRef[Any]
        if refs:
            ref = self.crossing.do(self.submit_held, method, args, kwargs)
        else:
            call = self.make(CALL, method, args, kwargs)
            ref = FarRef(call, self.crossing)
            self.enter(call)
        if opened.get() is not None and (block := block_for(self.crossing)) is not None:
            self.crossing.post(own, (block.near, ref.call))
        return ref

    def submit_held(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> FarRef[Any]:
        """The same in the runtime's thread, for arguments with refs: the ends of their calls are told there."""
        near = self.near
        near.check_limit(method)
        held = make_held(near, CALL, method, args, kwargs)
        ref: FarRef[Any] = FarRef(held.call, self.crossing)
        ref.watcher.listen(held.let_go)
        hold(held.call)
        near.put(held.call)
        return ref

    async def ask_with_refs(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        return await self.crossing.perform(self.near.ask_with_refs, method, args, kwargs)

    def cast(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], refs: bool = False
    ) -> None:
        if refs:
            self.crossing.do(self.near.cast, method, args, kwargs, True)
        else:
            self.enter(self.make(CAST, method, args, kwargs))

    def enter(self, call: Call) -> None:
        """Send a message nobody waits for yet; raises at once what an open mailbox would."""
        near, crossing = self.near, self.crossing
        if near.closed is not None:
            raise near.died(call, NEVER_SENT)
        if near.options.max_pending_calls >= 0:
            crossing.do(self.admit, call)
        else:
            crossing.check()
            crossing.post(accept, call)

    def admit(self, call: Call) -> None:
        self.near.check_limit(call.method)
        self.near.put(call)

    async def broadcast(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], refs: bool = False
    ) -> list[Any]:
        return await self.crossing.perform(self.near.broadcast, method, args, kwargs, refs)

    def map(
        self,
        method: ActorMethod[Any],
        items: Iterable[Any],
        star: bool,
        window: int,
        ordered: bool,
        errors: Literal["raise", "return"],
    ) -> Any:
        """As the mailbox's own, whose window is kept in the runtime's thread; the items are taken there too."""
        near = self.near
        stream: FarStream[Any] = FarStream(
            Pump(self.crossing, lambda: near.map(method, items, star, window, ordered, errors))
        )
        return stream

    def check_limit(self, method: ActorMethod[Any]) -> None:
        if self.options.max_pending_calls >= 0:
            self.crossing.do(self.near.check_limit, method)
