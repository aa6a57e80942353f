"""When a call that raised is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .call import Call


def wants_retry(call: Call, error: BaseException) -> bool:
    """Do the method's options ask for another attempt after this exception?"""
    method = call.method
    kinds: Any = Exception if method.retry_on is True else method.retry_on
    if not kinds or not isinstance(error, kinds) or call.ended:
        return False
    retries = retries_of(call)
    return retries < 0 or call.attempt <= retries


def retries_of(call: Call) -> int:
    """How often it may be tried again: a stream that has given an item never, since it would give it twice."""
    return 0 if getattr(call.ref, "got", False) else call.method.retries
