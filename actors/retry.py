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
    return bool(method.retries < 0 or call.attempt <= method.retries)
