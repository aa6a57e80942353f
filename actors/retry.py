"""When a call that raised is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exported import is_for_code
from .leaving import is_leaving
from .lifecycle import MOST_RETRIES

if TYPE_CHECKING:
    from .call import Call


def wants_retry(call: Call, error: BaseException) -> bool:
    """Do the method's options ask for another attempt after this exception?

    An attempt that ends its actor is counted as a death is: three retries are the most.
    """
    method = call.method
    if not isinstance(error, method.retry_on) or call.ended or is_leaving(call):
        return False
    if ends_actor(call, error) and call.attempt > MOST_RETRIES:
        return False
    retries = retries_of(call)
    return retries < 0 or call.attempt <= retries


def ends_actor(call: Call, error: BaseException) -> bool:
    """Does this exception end the incarnation, whatever becomes of the call?"""
    if call.is_cast and not is_for_code(call.method.__wrapped__):
        return True
    return isinstance(error, call.mailbox.options.crash_on)


def retries_of(call: Call) -> int:
    """How often it may be tried again: a stream that has given an item never, since it would give it twice."""
    return 0 if getattr(call.ref, "got", False) else call.method.retries
