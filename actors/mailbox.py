"""The mailbox: it takes calls for one actor, keeps their order, and outlives every incarnation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal, Protocol

from trio.lowlevel import (
    cancel_shielded_checkpoint,
    checkpoint_if_cancelled,
    current_task,
    enable_ki_protection,
)

from ..transports.codec import Unencodable
from ..transports.guests.context import CARRIED, Running, role, running
from ..transports.guests.protocol import CALL, CAST, STREAM
from ..transports.ticks import sleep
from . import lifecycle
from .call import Call
from .carried import Context, context_of
from .casting import NO_KEYWORDS, Note
from .chain import claim, comes_back_to
from .errors import (
    NEVER_SENT,
    ActorDiedError,
    CallError,
    Unsendable,
)
from .glance import TURNS, Glance
from .held import hold, make_held, with_their_values
from .here import check_here, elsewhere
from .leaving import cancelled, late
from .mapped import in_chunks, mapped
from .queues import plain_queue
from .reasons import INTERRUPTED, TIMEOUT, ExitReason
from .ref import ObjectRef
from .scope import owner_here

if TYPE_CHECKING:
    from ..transports.timers import Timer
    from .chunks import ChunkStream
    from .mapping import MapStream
    from .method import ActorMethod
    from .options import Options
    from .spawner import House

Payload = tuple[Any, Any]
Encode = Callable[[int, int, str, tuple[Any, ...], Mapping[str, Any], Context | None], Payload]


class Receiver(Protocol):
    """The incarnation behind a mailbox, as the mailbox sees it; `awake`: it will look at the queue unasked."""

    awake: bool

    @property
    def glance(self) -> Glance | None: ...
    @property
    def held(self) -> bool: ...
    def exchange(self, call: Call, /) -> bool: ...
    def pump(self) -> None: ...
    def withdraw(self, call: Call, why: str) -> None: ...
    def recall(self, call: Call, stand_in: Call) -> bool: ...
    def let_back(self, calls: list[Call]) -> None: ...
    def credit(self, call: Call, items: int) -> None: ...
    def fate(self, call: Call) -> str: ...
    def in_flight(self) -> Iterable[Call]: ...


class Mailbox:
    """Calls wait here, in order, until the incarnation behind it takes them."""

    __slots__ = (
        "closed",
        "encode",
        "house",
        "label",
        "next_deadline",
        "next_id",
        "options",
        "queue",
        "receiver",
        "takes_notes",
        "thread",
        "timer",
    )

    def __init__(self, label: str, options: Options, encode: Encode | None, house: House) -> None:
        self.label = label
        self.options = options
        self.encode = encode
        self.house = house
        self.next_id = house.stage.next_id
        self.thread = house.stage.thread
        # Casts that need no encoding and no limit come as notes.
        self.takes_notes = encode is None and options.max_pending_calls < 0
        self.queue: deque[Any] | None = None  # of Call or Note; made with the first: empty it is 0.7 kB
        self.receiver: Receiver | None = None
        self.closed: ExitReason | None = None
        self.timer: Timer | None = None
        self.next_deadline = math.inf

    # -- the three shapes of a message ----------------------------------------------------------

    @enable_ki_protection
    async def asked(self, call: Call) -> Any:
        """A call to be awaited; nothing is sent before that."""
        if call.parent:
            claim(call)
        if get_ident() != self.thread:
            raise elsewhere(self.label)
        receiver = self.receiver
        if receiver is not None and receiver.glance is not None and receiver.glance.ready and not self.queue:
            await checkpoint_if_cancelled()
            self.put(call)
            if receiver.exchange(call):
                if receiver.glance.hits % TURNS == 0:
                    await cancel_shielded_checkpoint()
                return call.unwrap()
        else:
            self.put(call)
        call.task = current_task()
        return await sleep(call)

    def ask_with_refs(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """As `asked`, for a call with refs among its arguments."""
        return make_held(self, CALL, method, args, kwargs).asked()

    @enable_ki_protection
    def submit(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], refs: bool = False
    ) -> ObjectRef[Any]:
        """A call whose outcome is awaited later, or never; `refs`: there are some among the arguments."""
        check_here(self.house.stage, self.label)
        self.check_limit(method)
        held = make_held(self, CALL, method, args, kwargs) if refs else None
        call = self.make(CALL, method, args, kwargs) if held is None else held.call
        ref: ObjectRef[Any] = ObjectRef(call, self.house)
        owner = owner_here()
        if owner is not None and not call.ended:
            ref.watcher.move(call, owner)
        if held is not None:
            ref.watcher.listen(held.let_go)
            hold(call)
        self.put(call)
        return ref

    async def broadcast(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], refs: bool = False
    ) -> list[Any]:
        """Call everyone who stands behind this mailbox; here that is one actor."""
        if refs:
            args, kwargs = await with_their_values(method, args, kwargs)
        return [await self.asked(self.make(CALL, method, args, kwargs))]

    @enable_ki_protection
    def cast(
        self, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], refs: bool = False
    ) -> None:
        """A message without a reply."""
        check_here(self.house.stage, self.label)
        self.check_limit(method)
        if refs:
            call = make_held(self, CAST, method, args, kwargs).call
            hold(call)
        else:
            call = self.make(CAST, method, args, kwargs)
        self.put(call)

    def made(
        self,
        kind: int,
        method: ActorMethod[Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        refs: bool,
    ) -> Call:
        if refs:
            return make_held(self, kind, method, args, kwargs).call
        return self.make(kind, method, args, kwargs)

    def map(
        self,
        method: ActorMethod[Any],
        items: Iterable[Any],
        star: bool,
        window: int,
        ordered: bool,
        errors: Literal["raise", "return"],
    ) -> MapStream[Any] | ChunkStream[Any]:
        """Many calls, so many at a time."""
        return mapped(self, method, items, star, window, ordered, errors)

    def chunks(self, method: ActorMethod[Any]) -> bool:
        """May a map send many calls of this method in one message?"""
        return in_chunks(self, method)

    def make(
        self,
        kind: int,
        method: ActorMethod[Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        stored: list[Any] | None = None,
        by: Running = running,
    ) -> Call:
        """A call record; `stored` tells which arguments are values that the executor gets otherwise.

        `by` is who makes it, where no task or thread of an actor's own says so.
        """
        made_by = (role.get() or by).call
        if made_by is not None or stored is not None or CARRIED or not method.plain:
            return self.make_with(kind, method, args, kwargs, made_by, stored)
        id = self.next_id()
        if self.encode is None:
            return Call(self, method, id, args, kwargs, kind == CAST, 0)
        try:
            payload, code = self.encode(kind, id, method.name, args, kwargs, None)
        except Unencodable as error:
            raise Unsendable(str(error), NEVER_SENT, id, method.name) from error.__cause__
        return Call(self, method, id, payload, code, kind == CAST, 0)

    def make_with(
        self,
        kind: int,
        method: ActorMethod[Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        made_by: tuple[int, str, Any] | None,
        stored: list[Any] | None,
    ) -> Call:
        """As `make`, for a call with which more travels than its arguments."""
        id = self.next_id()
        context = self.context_of(method, made_by)
        payload: Any = args
        code: Any = kwargs
        if stored is not None:
            context = {**(context or {}), "stored": stored}
        if self.encode is not None:
            try:
                payload, code = self.encode(kind, id, method.name, args, kwargs, context)
            except Unencodable as error:
                raise Unsendable(str(error), NEVER_SENT, id, method.name) from error.__cause__
        call = Call(self, method, id, payload, code, kind == CAST, 0 if made_by is None else made_by[0])
        if context is not None:
            call.context = context
        if method.timeout is not None and kind != STREAM:  # a stream's is for each item
            call.deadline = self.house.stage.now() + method.timeout
        return call

    def context_of(self, method: ActorMethod[Any], made_by: tuple[int, str, Any] | None) -> Context | None:
        """What travels beside the arguments; None if there is nothing."""
        context = context_of(method, made_by)
        if made_by is not None and self.options.reentrant and comes_back_to(self, made_by[2]):
            return {**(context or {}), "reentrant": True}
        return context

    def admit(self, call: Call) -> None:
        """Accept a call that somebody waits for; raises DeadlockError if it waits for the one that makes it."""
        claim(call)
        self.put(call)

    def put(self, call: Call) -> None:
        """Accept a call; raises ActorDiedError if the actor is dead."""
        queue = self.queue
        if queue is None:
            queue = self.open_queue(call)
        queue.append(call)
        if call.deadline < self.next_deadline:
            self.arm(call.deadline)
        receiver = self.receiver
        if receiver is not None and not receiver.awake:
            receiver.pump()

    def open_queue(self, call: Call) -> deque[Any]:
        """A closed mailbox has no queue, so that open ones need not look."""
        if self.closed is not None:
            raise self.died(call, NEVER_SENT)
        self.queue = plain_queue(self)
        return self.queue

    def check_limit(self, method: ActorMethod[Any]) -> None:
        """Raise PendingCallsLimitExceeded if no more may be pending; here there is no limit."""

    def pending(self) -> int:
        """Calls accepted and not ended."""
        return sum(1 for call in self.unfinished() if not call.ended)

    def unfinished(self) -> list[Call]:
        in_flight = list(self.receiver.in_flight()) if self.receiver is not None else []
        return in_flight + self.waiting()

    def waiting(self) -> list[Call]:
        """The records of what is in the mailbox; notes become records now."""
        queue = self.queue
        if queue is None:
            return []
        calls = [item if isinstance(item, Call) else self.record(item) for item in queue]
        queue.clear()
        queue.extend(calls)
        return calls

    def record(self, note: Note) -> Call:
        """The call record of a cast that came as a note."""
        method, args, id, made_by = note
        return Call(self, method, id, args, NO_KEYWORDS, True, made_by[0] if made_by is not None else 0)

    # -- calls that end early -------------------------------------------------------------------

    def withdraw(self, call: Call, error: CallError, why: str = INTERRUPTED) -> None:
        """End a call now: what waits never runs, what runs is interrupted as its executor can."""
        if call.ended:
            return
        state = call.state
        if state is not lifecycle.QUEUED and self.receiver is not None:
            error.fate = self.receiver.fate(call)
        if call.attempt > 1:
            error.fate = lifecycle.BEGUN  # at an earlier attempt
        call.fail(error)
        if state is lifecycle.QUEUED:
            self.drop_ended()
        if state is not lifecycle.QUEUED and self.receiver is not None:
            self.receiver.withdraw(call, why)

    def drop_ended(self) -> None:
        """Forget ended calls at the head, so that a long call does not keep all that gave up waiting behind it."""
        queue = self.queue
        while queue and isinstance(queue[0], Call) and queue[0].ended:
            queue.popleft()
        self.go_on()

    def go_on(self) -> None:
        """What held up the queue is gone."""
        if self.queue and self.receiver is not None and not self.receiver.awake:
            self.receiver.pump()

    def retract(self, call: Call) -> bool:
        """Take back a message that has not begun; False if it has."""
        receiver = self.receiver
        if call.state is not lifecycle.QUEUED and receiver is not None:
            if receiver.fate(call) != lifecycle.NOT_BEGUN:
                return False
            receiver.withdraw(call, INTERRUPTED)
        call.fail(cancelled(call, ": it was taken back before it began", lifecycle.NOT_BEGUN))
        return True

    def arm(self, deadline: float) -> None:
        """Keep one timer for all calls, set to the earliest deadline."""
        if self.timer is not None:
            self.timer.cancel()
        self.next_deadline = deadline
        self.timer = self.house.stage.timers.at(deadline, self.expire)

    def expire(self) -> None:
        self.timer, self.next_deadline = None, math.inf
        now = self.house.stage.now()
        waiting = [call for call in self.unfinished() if not call.ended]
        for call in waiting:
            if call.deadline <= now:
                call.mailbox.withdraw(call, late(call), TIMEOUT)
        earliest = min((call.deadline for call in waiting if not call.ended), default=math.inf)
        if earliest < math.inf:
            self.arm(earliest)

    # -- across incarnations --------------------------------------------------------------------

    def put_back(self, calls: list[Call]) -> None:
        """Return calls to the head, in order; they wait for the next incarnation."""
        if self.queue is None:
            self.queue = plain_queue(self)
        for call in reversed(calls):
            call.state = lifecycle.QUEUED
            self.queue.appendleft(call)

    def close(self, reason: ExitReason) -> list[Call]:
        """The actor is dead: fail what waits; returns the casts, which have no caller to tell."""
        self.closed = reason
        if self.timer is not None:
            self.timer.cancel()
        self.timer, self.next_deadline = None, math.inf
        waiting = [call for call in self.waiting() if not call.ended]
        self.queue = None
        for call in waiting:
            call.fail(self.died(call, NEVER_SENT if call.attempt == 1 else lifecycle.BEGUN))
        return [call for call in waiting if call.is_cast]

    def died(self, call: Call, fate: str) -> ActorDiedError:
        assert self.closed is not None
        return ActorDiedError(
            f"{self.label} is dead ({self.closed})", self.closed, fate, call.id, call.method.name
        )
