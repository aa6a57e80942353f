"""A pool's mailbox and its call records: calls wait here in the pool's own order until a member has room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trio.lowlevel import enable_ki_protection

from ..actors import lifecycle
from ..actors.call import Call
from ..actors.carried import context_of
from ..actors.errors import NEVER_SENT, CallError, Unsendable
from ..actors.held import with_their_values
from ..actors.leaving import cancelled
from ..actors.limited import refuse_beyond
from ..actors.mailbox import Encode, Mailbox
from ..actors.reasons import INTERRUPTED
from ..transports.codec import Unencodable
from ..transports.guests.context import CARRIED, Running, running
from ..transports.guests.protocol import CALL
from .pace import Pace

if TYPE_CHECKING:
    from ..actors.function import FunctionMethod
    from ..actors.method import ActorMethod
    from ..actors.options import Options
    from .house import RuntimeHouse
    from .pool import Key
    from .router import Router
    from .seat import Seat


Caller = tuple[int, str, Any]  # the call that makes another


class PooledCall(Call):
    """A call to a pool; `seat` is the member that has it in its hands, until that member is done with it.

    `pinned`: it is for that member and no other.  `clings`: it has ended for its caller, but its member may
    still be running it.  `recalled`: its member was asked to leave it to others.  `place` is the hash of its key.
    """

    seat: Seat | None = None
    pace: Pace | None = None
    cost: float = 0.0
    place: int = 0
    pinned: bool = False
    clings: bool = False
    recalled: bool = False

    def succeed(self, value: Any) -> None:
        if self.state is not lifecycle.ENDED:
            self.mailbox.count -= 1  # type: ignore[attr-defined]
            Call.succeed(self, value)
        self.let_go()

    def fail(self, error: BaseException) -> None:
        if self.state is not lifecycle.ENDED:
            self.mailbox.count -= 1  # type: ignore[attr-defined]
            Call.fail(self, error)
        if not self.clings:
            self.let_go()

    def where(self) -> tuple[str, int]:
        if self.seat is None:
            return super().where()
        return self.seat.life.path, self.seat.life.number

    def let_go(self) -> None:
        seat, self.seat = self.seat, None
        if seat is not None:
            seat.left(self)

    def skipped(self) -> bool:
        if self.recalled and self.seat is not None:
            self.seat.router.take_back([self], self.seat.place)
            return True
        return False


class StandIn(Call):
    """Holds the place of a call that was taken back from a member, until that member has skipped it."""

    seat: Seat | None = None

    def let_go(self) -> None:
        if self.seat is not None:
            self.seat.recalled.discard(self.id)
            self.seat.router.freed()


class PoolMailbox(Mailbox):
    """One mailbox for all members; what stands behind it is a router, and never an incarnation."""

    __slots__ = ("count", "key", "paces", "router")

    router: Router

    def __init__(
        self, label: str, options: Options, encode: Encode | None, house: RuntimeHouse, key: Key | None
    ) -> None:
        super().__init__(label, options, encode, house)
        self.takes_notes = False  # a member could not tell when it is done with a note
        self.key = key
        self.count = 0  # calls accepted and not ended
        self.paces: dict[str, Pace] = {}

    def make(
        self,
        kind: int,
        method: ActorMethod[Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        stored: list[Any] | None = None,
        by: Running = running,
    ) -> PooledCall:
        call = self.for_member(kind, method, args, kwargs, stored, by)
        if self.key is not None:
            call.place = place_of(self.key, f"{method.name}() to {self.label}", args, kwargs)
        return call

    def for_member(
        self,
        kind: int,
        method: ActorMethod[Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        stored: list[Any] | None = None,
        by: Running = running,
    ) -> PooledCall:
        """A call whose member somebody else chooses."""
        made = super().make(kind, method, args, kwargs, stored, by)
        pace = self.paces.get(method.name)
        if pace is None:
            pace = self.paces[method.name] = Pace()
        call = PooledCall(
            self, method, made.id, made.payload, made.code, made.is_cast, made.parent, pace=pace
        )
        call.deadline, call.context = made.deadline, made.context
        return call

    def task(
        self,
        method: FunctionMethod,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        made_by: Caller | None = None,
        stored: list[Any] | None = None,
    ) -> PooledCall:
        """The record of one call of a function, which may be made in any thread."""
        assert self.encode is not None
        id = self.next_id()
        context = context_of(method, made_by) if made_by is not None or CARRIED or not method.plain else None
        if stored is not None:
            given = len(method.given)
            places = [[at + given if isinstance(at, int) else at, key] for at, key in stored]
            context = {**(context or {}), "stored": places}
        try:
            payload, code = self.encode(CALL, id, method.wire, (*method.given, *args), kwargs, context)
        except Unencodable as error:
            text = str(error).replace(method.wire, method.name)
            raise Unsendable(text, NEVER_SENT, id, method.name) from error.__cause__
        if method.pace is None:
            method.pace = Pace()
        call = PooledCall(
            self, method, id, payload, {**method.code, **code}, False, made_by[0] if made_by else 0
        )
        call.pace, call.context = method.pace, context
        if method.timeout is not None:
            call.deadline = self.house.stage.now() + method.timeout
        return call

    def chunks(self, method: ActorMethod[Any]) -> bool:
        """A chunk would go to one member, while others have nothing to do."""
        return False

    def check_limit(self, method: ActorMethod[Any]) -> None:
        refuse_beyond(self, self.count, method)

    def put(self, call: Call) -> None:
        super().put(call)
        self.count += 1

    def pending(self) -> int:
        return self.count

    def withdraw(self, call: Call, error: CallError, why: str = INTERRUPTED) -> None:
        if not call.ended and isinstance(call, PooledCall) and call.seat is not None:
            call.clings = call.state is not lifecycle.QUEUED
            if call.clings:
                call.seat.clinging.add(call)
        super().withdraw(call, error, why)

    async def broadcast(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], refs: bool = False
    ) -> list[Any]:
        """Call every member; returns when all have answered, or raises the first error in their order."""
        if refs:
            args, kwargs = await with_their_values(method, args, kwargs)
        await self.router.staff.wait_ready()
        calls = self.call_each(method, args, kwargs)
        try:
            for call in calls:
                await done(call)
        finally:
            for call in calls:
                self.withdraw(call, cancelled(call))
        return [call.unwrap() for call in calls]

    @enable_ki_protection
    def call_each(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> list[PooledCall]:
        calls = [self.for_member(CALL, method, args, kwargs) for _ in self.router.seats]
        for seat, call in zip(self.router.seats, calls, strict=True):
            call.pinned = True
            self.count += 1
            if call.deadline < self.next_deadline:
                self.arm(call.deadline)
            seat.take(call)
        return calls


def place_of(key: Key, what: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """Where a call belongs: the hash of its key, which does not change while the runtime is open."""
    try:
        return hash(key(*args, **kwargs))
    except Exception as error:
        error.add_note(f"The pool's key= was asked for the key of {what}: it gets the call's arguments")
        raise


async def done(call: Call) -> None:
    """Wait for a call's end, whatever it is."""
    try:
        await call.wait_shared()
    except CallError:
        pass
