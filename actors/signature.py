"""Argument checks compiled from a method's signature: Python's own TypeError, where the call is made, in 0.1 µs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Check = Callable[..., None]


@functools.lru_cache(maxsize=4096)
def check_of(function: Callable[..., Any]) -> Check:
    """A function that takes what the method takes (without `self`) and does nothing."""
    return compiled(function, 1)


def compiled(function: Callable[..., Any], given: int = 0) -> Check:
    """A function that takes what `function` takes, after so many arguments that are given already."""
    import inspect  # a guest never needs it, and it costs a guest a tenth of its start

    try:
        parameters = list(inspect.signature(function).parameters.values())[given:]
    except (TypeError, ValueError):
        return accept
    plain = [
        p.replace(annotation=p.empty, default=None if p.default is not p.empty else p.empty)
        for p in parameters
    ]
    scope: dict[str, Any] = {}
    name = getattr(function, "__name__", "function")
    exec(f"def {name if name.isidentifier() else 'method'}{inspect.Signature(plain)}: pass", scope)
    check: Check = scope.popitem()[1]
    check.__qualname__ = getattr(function, "__qualname__", name)
    return check


def accept(*args: Any, **kwargs: Any) -> None:
    """For callables that have no signature: whatever is wrong is found where they run."""
