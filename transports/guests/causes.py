"""An exception as a pickle, with its causes, which Python's own pickles leave out; the same at both ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .faults import text_of
from .pickles import dumps, loads

MOST = 32  # causes of causes


class LostError(Exception):
    """Stands for an exception that could not travel; its text is all that is known of it."""


def dumps_error(error: BaseException) -> bytes:
    """Pickle an exception and its causes; raises what pickling it raises, while causes that cannot travel are named."""
    causes = list(causes_of(error))
    return dumps([error, *causes] if causes else error)


def loads_error(data: bytes) -> BaseException | None:
    """The exception, its causes in their places; None if that is no exception.  Raises what unpickling raises."""
    found: Any = loads(data)
    if not has_causes(found):
        return found if isinstance(found, BaseException) else None
    error: BaseException = found[0]
    last = error
    for cause, direct in found[1:]:
        if direct:
            last.__cause__ = cause
        else:
            last.__context__ = cause
        last = cause
    return error


def has_causes(found: object) -> bool:
    return isinstance(found, list)


def causes_of(error: BaseException) -> Iterator[tuple[BaseException, bool]]:
    """What it was raised from, and what that was raised from in turn; True where that was said, by `from`."""
    seen = {id(error)}
    for _ in range(MOST):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None or id(cause) in seen:
            return
        yield fit(cause), error.__cause__ is not None
        seen.add(id(cause))
        error = cause


def fit(error: BaseException) -> BaseException:
    """It, if it survives a round trip; else its name and text."""
    try:
        if type(loads(dumps(error))) is type(error):
            return error
    except Exception:
        pass
    return lost(error)


def lost(error: BaseException) -> LostError:
    kind = type(error)
    return LostError(f"{kind.__module__}.{kind.__qualname__}: {text_of(error)}")
