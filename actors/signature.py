"""Argument checks compiled from a method's signature: Python's own TypeError, where the call is made, in 0.1 µs."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Parameter

Check = Callable[..., bool]


@functools.lru_cache(maxsize=4096)
def check_of(function: Callable[..., Any]) -> Check:
    """A function that takes what the method takes (without `self`); it tells whether there are refs among that."""
    return compiled(function, 1)


def compiled(function: Callable[..., Any], given: int = 0) -> Check:
    """A function that takes what `function` takes, after so many arguments that are given already; it tells as `check_of` says."""
    import inspect  # a guest never needs it, and it costs a guest a tenth of its start

    ref = ref_type()
    try:
        parameters = list(inspect.signature(function).parameters.values())[given:]
    except (TypeError, ValueError):
        return accept
    plain = [
        p.replace(annotation=p.empty, default=None if p.default is not p.empty else p.empty)
        for p in parameters
    ]
    scope: dict[str, Any] = {REF: ref, MANY: functools.partial(has_refs, ref)}
    name = getattr(function, "__name__", "function")
    if not name.isidentifier() or name in scope:
        name = "method"
    tests = " or ".join(map(test_of, parameters)) or "False"
    exec(f"def {name}{inspect.Signature(plain)}: return {tests}", scope)
    check: Check = scope[name]
    check.__qualname__ = getattr(function, "__qualname__", name)
    return check


# Our names among a method's parameters.
REF, MANY = "ObjectRef__", "has_refs__"


def test_of(parameter: Parameter) -> str:
    """The expression that is true if this parameter was given a ref."""
    name = parameter.name
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"{MANY}(*{name})"
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"{MANY}(**{name})"
    return f"{name}.__class__ is {REF}"


def accept(*args: Any, **kwargs: Any) -> bool:
    """For callables that have no signature: whatever is wrong is found where they run."""
    return has_refs(ref_type(), *args, **kwargs)


def ref_type() -> type:
    """`ObjectRef`; in a guest, which has no refs and perhaps no event loop to import, a type of nothing."""
    if "understudy_guest" in sys.modules:
        return NoRef
    from .ref import ObjectRef

    return ObjectRef


class NoRef:
    """What a guest looks for in place of refs."""


def has_refs(kind: type, /, *args: Any, **kwargs: Any) -> bool:
    return any(value.__class__ is kind for value in (*args, *kwargs.values()))
