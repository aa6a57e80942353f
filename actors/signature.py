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

    refs = ref_types()
    try:
        parameters = list(inspect.signature(function).parameters.values())[given:]
    except (TypeError, ValueError):
        return accept
    plain = [
        p.replace(annotation=p.empty, default=None if p.default is not p.empty else p.empty)
        for p in parameters
    ]
    scope: dict[str, Any] = {REFS: refs, MANY: functools.partial(has_refs, refs)}
    name = getattr(function, "__name__", "function")
    if not name.isidentifier() or name in scope:
        name = "method"
    tests = " or ".join(map(test_of, parameters)) or "False"
    exec(f"def {name}{inspect.Signature(plain)}: return {tests}", scope)
    check: Check = scope[name]
    check.__qualname__ = getattr(function, "__qualname__", name)
    return check


# Our names among a method's parameters.
REFS, MANY = "REF_TYPES__", "has_refs__"
REF_TYPES: set[type] = set()  # what may stand for a value among the arguments


def test_of(parameter: Parameter) -> str:
    """The expression that is true if this parameter was given a ref."""
    name = parameter.name
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"{MANY}(*{name})"
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"{MANY}(**{name})"
    return f"{name}.__class__ in {REFS}"


def accept(*args: Any, **kwargs: Any) -> bool:
    """For callables that have no signature: whatever is wrong is found where they run."""
    return has_refs(ref_types(), *args, **kwargs)


def ref_types() -> set[type]:
    """`ObjectRef` and its like; in a guest, which may have no event loop to import, nothing until they are loaded."""
    if "understudy_guest" not in sys.modules:
        __import__(f"{__package__}.ref")  # it fills the set

    return REF_TYPES


def has_refs(kinds: set[type], /, *args: Any, **kwargs: Any) -> bool:
    return any(value.__class__ in kinds for value in (*args, *kwargs.values()))
