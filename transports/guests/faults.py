"""An exception as data: `[module, qualname, text, traceback, pickled or None]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_TEXT = 64 * 1024


def describe(error: BaseException, pickled: Callable[[BaseException], bytes | None]) -> list[Any]:
    """Tell everything about `error` that can travel; never raises, whatever the exception does."""
    kind = type(error)
    return [kind.__module__, kind.__qualname__, text_of(error), trace_of(error), pickled(error)]


def text_of(error: BaseException) -> str:
    try:
        return sendable(str(error)[:MAX_TEXT])
    except BaseException as failure:
        return f"<its text cannot be told: __str__ raised {type(failure).__name__}>"


def trace_of(error: BaseException) -> str:
    import traceback

    try:
        lines = traceback.format_exception(type(error), error, strip_own_frames(error))
        return sendable("".join(lines)[-MAX_TEXT:])
    except BaseException as failure:
        return f"<its traceback cannot be told: {type(failure).__name__}>"


def strip_own_frames(error: BaseException) -> Any:
    """Drop our own frames from the top: they say nothing about the user's mistake."""
    trace = error.__traceback__
    while trace is not None and "understudy" in trace.tb_frame.f_globals.get("__name__", ""):
        if trace.tb_next is None:
            return error.__traceback__
        trace = trace.tb_next
    return trace


def sendable(text: str) -> str:
    """Text that is surely UTF-8: a lone surrogate in a message must not cost the whole reply."""
    return text.encode("utf-8", "backslashreplace").decode()
