"""Functions in a guest: each is called like a method of its actor, and named by the hash of its code."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from . import context
from .pickles import code_named

COLLECT = "gc:collect"  # a function that need not be sent
PLAIN = "__understudy_function__"  # where what `@remote` made of a function keeps the function


class Runner:
    """Has no methods of its own, and runs functions; so does every guest that is trusted, beside its own methods."""


class AsyncRunner(Runner):
    """The same for `async` functions."""

    async def run(self, digest: bytes, /, *args: Any, **kwargs: Any) -> Any:
        return await function_of(digest)(*args, **kwargs)


def named(name: str) -> Callable[..., Any]:
    """`square:1f3a...` is the function that was sent under this hash."""
    if name == COLLECT:
        return gc.collect
    return function_of(bytes.fromhex(name.rpartition(":")[2]))


def function_of(digest: bytes) -> Callable[..., Any]:
    found: Any = code_named(digest, context.base.code)
    function: Callable[..., Any] = getattr(found, PLAIN, found)
    return function
