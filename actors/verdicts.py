"""What a guest said about a call or about itself, turned into the call's end and the exit reason."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..transports.codec import HostCodec
from ..transports.guests import protocol as p
from ..transports.session import ProtocolError
from .errors import (
    BEGUN,
    NOT_BEGUN,
    CallError,
    CallInterruptedError,
    TaskError,
    Unsendable,
    foreign_error,
    task_error,
)
from .exported import is_for_code
from .leaving import cancelled, is_leaving
from .reasons import DECLINED_EXIT, ERROR, NORMAL, ExitReason
from .retry import ends_actor, wants_retry
from .stream import Feed

if TYPE_CHECKING:
    from .call import Call
    from .guest import GuestIncarnation


def answer(kind: int, call: Call, message: list[Any], incarnation: GuestIncarnation) -> None:
    """End a call as the guest's reply says; raises ProtocolError if it skipped what nobody cancelled."""
    if call.ended:
        if kind == p.ERROR and message[2][0] != UNFIT:
            lost(call, message[2], incarnation)
        call.let_go()
        return
    if kind == p.SKIPPED and call.skipped():
        return
    ANSWERS[kind](call, message, incarnation)


def lost(call: Call, fault: list[Any], incarnation: GuestIncarnation) -> None:
    """It failed after all had turned away from it."""
    error = error_of(fault, incarnation.codec, call, incarnation.where)
    incarnation.life.house.unseen(replace(call, error=error, ref=None))


def result(call: Call, message: list[Any], incarnation: GuestIncarnation) -> None:
    try:
        value = incarnation.value(message[2])
    except Exception as error:
        call.fail(unreadable(call, "the result", error))
    else:
        call.succeed(value)


def unreadable(call: Call, what: str, error: Exception) -> Unsendable:
    """The result, or an item, has come and can be made no sense of."""
    text = f"{what} of {call.method.name}() cannot be unpickled here: {error}"
    failure = Unsendable(text, BEGUN, call.id, call.method.name)
    failure.__cause__ = error
    return failure


def on_items(incarnation: GuestIncarnation, message: list[Any]) -> None:
    """Items of a stream; those of one that was closed meanwhile are dropped."""
    call = incarnation.sent.get(message[1])
    if call is None or not isinstance(call.ref, Feed):
        raise ProtocolError(f"an item of call {message[1]}, which is no stream that it has")
    feed = call.ref
    feed.owed += len(message[2])
    if feed.owed > feed.ahead:
        raise ProtocolError(f"{feed.owed} items of call {call.id}, where {feed.ahead} may be ahead")
    feed.check_room()
    feed.weigh(len(message[2]), incarnation.weight(message[2]))
    if call.ended:
        return
    try:
        feed.put(incarnation.value(message[2], incarnation.codec.values_in))
    except Exception as error:
        call.mailbox.withdraw(call, unreadable(call, "an item", error))


def flaw_of(call: Call, fault: list[Any], incarnation: GuestIncarnation) -> CallError:
    """What one call of a chunk failed with."""
    if fault[0] == UNFIT:
        return unsendable(call, fault[1], fault[2])
    return error_of(fault, incarnation.codec, call, incarnation.where)


def error(call: Call, message: list[Any], incarnation: GuestIncarnation) -> None:
    life = incarnation.life
    if message[2][0] == UNFIT:
        call.fail(unsendable(call, message[2][1], message[2][2]))
        if call.is_cast:
            life.house.unseen(call)
        return
    raised = error_of(message[2], incarnation.codec, call, incarnation.where)
    if raised.cause is not None and wants_retry(call, raised.cause):
        life.retry(call)
        life.mailbox.put_back([call])
        return
    call.fail(raised)
    if ends_actor(call, raised.cause or raised):
        incarnation.parting = call
    if call.is_cast:
        life.house.unseen(call)


def unsendable(call: Call, kind: str, why: str) -> Unsendable:
    """The guest could not make sense of the arguments, or could not send the result."""
    name = call.method.name
    if kind == "UnfitArguments":
        return Unsendable(
            f"an argument of {name}() cannot be unpickled by the guest: {why}", NOT_BEGUN, call.id, name
        )
    return Unsendable(f"the result of {name}() cannot travel: {why}{hint_for(call)}", BEGUN, call.id, name)


def hint_for(call: Call) -> str:
    """What whoever gave the code can do about a result that cannot travel."""
    if not is_for_code(call.method.__wrapped__):
        return ""
    if getattr(call.mailbox.options.executor, "trusted", True):
        return f"; {DROP}"
    return f"; have it made into data, {DROP}, or trust the code with executor=Process(), for results that can be pickled"


DROP = "drop it where it is with run() or eval(..., discard=True)"


def skipped(call: Call, _: list[Any], incarnation: GuestIncarnation) -> None:
    if is_leaving(call):
        call.fail(cancelled(call))
    elif incarnation.guest.page is None:  # nobody could know that it had not begun when it was interrupted
        text = f"{call.method.name}() was interrupted before it began in {incarnation.life.path}"
        call.fail(CallInterruptedError(text, NOT_BEGUN, call.id, call.method.name))
    else:
        raise ProtocolError(f"it skipped call {call.id}, which nobody cancelled")


def closed(call: Call, message: list[Any], incarnation: GuestIncarnation) -> None:
    if not isinstance(call.ref, Feed):
        raise ProtocolError(f"it closed call {call.id}, which is no stream")
    interrupted(call, message, incarnation)


def interrupted(call: Call, _: list[Any], incarnation: GuestIncarnation) -> None:
    text = f"{call.method.name}() was interrupted while it ran in {incarnation.life.path}"
    call.fail(CallInterruptedError(text, BEGUN, call.id, call.method.name))


UNFIT = "understudy_guest.values"  # where a guest's complaints of what cannot travel are from

ANSWERS: dict[int, Callable[[Call, list[Any], GuestIncarnation], None]] = {
    p.RESULT: result,
    p.ERROR: error,
    p.SKIPPED: skipped,
    p.INTERRUPTED: interrupted,
    p.CLOSED: closed,
}


def error_of(fault: list[Any], codec: HostCodec, call: Call, where: str) -> TaskError:
    """The callee's exception as its caller gets it."""
    module, name, text, traceback, _ = fault
    cause = cause_of(fault, codec)
    if cause is not None:
        return task_error(cause, call.id, call.method.name, where, traceback)
    return foreign_error(f"{module}.{name}", text, call.id, call.method.name, where, traceback)


def cause_of(fault: list[Any], codec: HostCodec) -> Exception | None:
    """The exception itself, where it can be had here."""
    module, name, text, _, pickled = fault
    return codec.error(pickled) or builtin_of(module, name, text)


def builtin_of(module: str, name: str, text: str) -> Exception | None:
    """An exception of Python's own, rebuilt from its name: that much can be believed of anyone."""
    kind = getattr(builtins, name, None) if module == "builtins" else None
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return None
    try:
        return kind(text)
    except TypeError:
        return None  # it takes more than a text


def reason_of(message: list[Any], codec: HostCodec) -> ExitReason:
    """Why the guest says it ends: FAILED at its start, or ENDING later."""
    if message[0] == p.FAILED:
        step = message[2] if len(message) > 2 else "__init__"
        if step == p.DECLINED:
            return DECLINED_EXIT
        return reason_of_fault(message[1], codec, f"{step} raised ")
    outcome, fault = message[1], message[2]
    if fault is not None:
        return reason_of_fault(fault, codec, "" if outcome == p.CRASHED else f"{outcome} raised ")
    return ExitReason(NORMAL, "" if outcome == p.NORMAL else outcome, ordered=True)


def reason_of_fault(fault: list[Any], codec: HostCodec, prefix: str) -> ExitReason:
    module, name, text, traceback, _ = fault
    cause = cause_of(fault, codec)
    if cause is not None:
        cause.add_note(traceback.rstrip())
    shown = name if module == "builtins" else f"{module}.{name}"
    return ExitReason(ERROR, f"{prefix}{shown}: {text}", cause)
