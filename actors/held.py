"""Calls with refs among their arguments: they keep their place in the mailbox until the values are there.

A held call at the head of a mailbox holds up what is behind it, so that nothing overtakes it.  It cannot wait
for ever for itself: a ref is older than the calls that are given it, and a mailbox is in the order of age.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from ..transports.codec import Unencodable
from ..transports.guests.values import fill
from .call import Call
from .chain import HELD
from .errors import NEVER_SENT, CallError, DependencyError, Unsendable
from .put import stored_of
from .queues import HeldQueue, exchange, make_queue, plain_queue
from .ref import REF_TYPES, ObjectRef
from .spec import make_spec
from .stagecraft import EXECUTORS, Stagecraft

if TYPE_CHECKING:
    from .mailbox import Mailbox
    from .method import ActorMethod
    from .spec import ChildSpec

Places = dict[int | str, ObjectRef[Any]]


def is_ref(value: object) -> TypeGuard[ObjectRef[Any]]:
    """Does it stand for its value?"""
    return value.__class__ in REF_TYPES


class Held:
    """A call and the refs that it waits for; whoever made it lets go of them in the end."""

    __slots__ = ("call", "pending", "places")

    def __init__(self, call: Call, places: Places) -> None:
        self.call = call
        self.places = places
        self.pending = [ref for ref in {id(ref): ref for ref in places.values()}.values() if not ref.done]
        for ref in self.pending:
            ref.watcher.listen(self.told)
            if ref.call.maker is None:  # else somebody waits for it themselves
                ref.call.maker = call
        if self.pending:
            call.position = HELD
        self.settle()

    async def asked(self) -> Any:
        """Put the call into its mailbox and wait for its outcome."""
        try:
            if self.call.ended:
                return await self.call.wait_shared()
            hold(self.call)
            return await self.call.mailbox.asked(self.call)
        finally:
            self.let_go()

    def told(self) -> None:
        """A ref has its outcome.  One failure may cause a thousand others: they are settled one after another."""
        due = self.call.mailbox.house.settling
        due.append(self)
        if len(due) > 1:
            return
        while due:
            due[0].settle()
            due.popleft()

    def settle(self) -> None:
        """Fail the call if a ref failed, complete it if nothing is missing."""
        call = self.call
        if call.ended:
            return self.release()
        failed = next((ref for ref in self.places.values() if ref.done and ref.call.error is not None), None)
        if failed is not None:
            failed.seen = True
            self.fail(dependency_error(call, failed))
        elif all(ref.done for ref in self.pending):
            try:
                craft_of(call.mailbox).give(call, [(at, stored_of(ref)) for at, ref in self.places.items()])
            except Unencodable as error:
                self.fail(Unsendable(str(error), NEVER_SENT, call.id, call.method.name))
            else:
                self.release()

    def fail(self, error: Exception) -> None:
        self.call.fail(error)
        if self.call.is_cast:
            self.call.mailbox.house.unseen(self.call)
        self.release()

    def release(self) -> None:
        """It is held no more."""
        self.let_go()
        if self.call.position == HELD:
            self.call.position = 0
            release(self.call)

    def let_go(self) -> None:
        pending, self.pending = self.pending, []
        for ref in pending:
            ref.watcher.ignore(self.told)
            if ref.call.maker is self.call:
                ref.call.maker = None


def make_held(
    mailbox: Mailbox, kind: int, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Held:
    """A call record for arguments with refs; raises what making any call raises."""
    places = places_of(args, kwargs)
    # The others are encoded now: what cannot travel is an error here, and may be changed afterwards.
    blank = fill(args, kwargs, [(at, None) for at in places])
    stored = [[at, stored_of(ref).key] for at, ref in places.items()] if craft_of(mailbox).stores else None
    return Held(mailbox.make(kind, method, *blank, stored), places)


async def with_their_values(
    method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """Arguments with the values of refs in their places, once these are there.

    Raises:
        DependencyError: if one of them failed.
    """
    try:
        return fill(args, kwargs, [(at, await ref) for at, ref in places_of(args, kwargs).items()])
    except CallError as error:
        text = f"{method.name}() to {method.mailbox.label} was not sent: an argument failed: {error}"
        raise DependencyError(text, NEVER_SENT, 0, method.name) from error


def places_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Places:
    given: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
    return {at: value for at, value in given if is_ref(value)}


def craft_of(mailbox: Mailbox) -> Stagecraft:
    return EXECUTORS[type(mailbox.options.executor)]


def dependency_error(call: Call, failed: ObjectRef[Any]) -> DependencyError:
    name, why = call.method.name, failed.call.error
    if isinstance(why, DependencyError):
        why = why.__cause__  # of a chain of calls, what failed first
    text = f"{name}() to {call.mailbox.label} was not sent: an argument, {failed!r}, failed with {type(why).__name__}: {why}"
    error = DependencyError(text, NEVER_SENT, call.id, name)
    error.__cause__ = why
    return error


# -- what an actor is started with -------------------------------------------------------------------


def refs_of(spec: ChildSpec[Any]) -> Places:
    return places_of(spec.args, spec.kwargs)


def with_values(spec: ChildSpec[Any]) -> ChildSpec[Any]:
    """The spec with the values of refs in their places.

    Raises:
        DependencyError: if one of them failed.
        ValueError: if one of them is pending.
    """
    places = refs_of(spec)
    if not places:
        return spec
    name = f"{spec.cls.__name__}.__init__"
    for ref in places.values():
        if not ref.done:
            raise ValueError(
                f"{name}() is given {ref!r}, which is pending; write: await {spec.cls.__name__}.start(...)"
            )
        if ref.call.error is not None:
            ref.seen = True
            text = f"{name}() was not called: an argument, {ref!r}, failed: {ref.call.error}"
            raise DependencyError(text, NEVER_SENT, 0, "__init__") from ref.call.error
    args, kwargs = fill(spec.args, spec.kwargs, [(at, ref.call.value) for at, ref in places.items()])
    return make_spec(spec.cls, spec.options, args, kwargs)


# -- the mailbox's queue -----------------------------------------------------------------------------


def hold(call: Call) -> None:
    """Have the mailbox stop at this call, which is about to be put into it."""
    mailbox = call.mailbox
    queue = mailbox.queue
    if call.position != HELD or (queue is None and mailbox.closed is not None):
        return
    if not isinstance(queue, HeldQueue):
        queue = make_queue(mailbox, HeldQueue, queue or ())
        exchange(mailbox, queue)
    queue.held.add(call.id)


def release(call: Call) -> None:
    """Have the mailbox go on, if it stopped at this call."""
    mailbox = call.mailbox
    queue = mailbox.queue
    if isinstance(queue, HeldQueue):
        queue.held.discard(call.id)
        if not queue.held:
            exchange(mailbox, plain_queue(mailbox, queue))
    mailbox.go_on()
