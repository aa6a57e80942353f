"""Runs a coroutine in the task we are in, and tells when it first has to wait."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any


@coroutine
def relay(
    inner: Coroutine[Any, Any, Any], context: Context, on_wait: Callable[[], None]
) -> Generator[Any, Any, Any]:
    """Await `inner` in a context of its own; `on_wait` is called before it waits for the first time, if it does."""
    try:
        trap = context.run(inner.send, None)
        on_wait()
        while True:
            try:
                value = yield trap
            except BaseException as error:
                trap = context.run(inner.throw, error)
            else:
                trap = context.run(inner.send, value)
    except StopIteration as done:
        return done.value
