"""Context variables in pickles: by reference where they can be imported, else by a key, under which there is one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any

from .context import CARRIED

Key = tuple[str, int, int]  # name, the process that made it, a number

# Those that travelled by key, to or from this process.
KNOWN: dict[Key, ContextVar[Any]] = {}


def reduced(variable: ContextVar[Any], by_reference: Callable[[str], bool]) -> tuple[Any, ...]:
    """How it is pickled; `by_reference` tells of a module whether the other side can import it."""
    place = place_of(variable, by_reference)
    if place is not None:
        return variable_in, place
    return variable_named, (key_of(variable), CARRIED.get(variable.name) is variable, *default_of(variable))


def place_of(variable: ContextVar[Any], by_reference: Callable[[str], bool]) -> tuple[str, str] | None:
    """The module it is in, and its name there."""
    for module, found in list(sys.modules.items()):
        contents: dict[str, Any] = getattr(found, "__dict__", {})
        names = [name for name, value in list(contents.items()) if value is variable]
        if names and by_reference(module):
            return module, names[0]
    return None


def key_of(variable: ContextVar[Any]) -> Key:
    for key, known in KNOWN.items():
        if known is variable:
            return key
    key = variable.name, os.getpid(), len(KNOWN)
    KNOWN[key] = variable
    return key


def default_of(variable: ContextVar[Any]) -> tuple[Any, ...]:
    """Its default, if it has one."""
    try:
        return (Context().run(variable.get),)
    except LookupError:
        return ()


def variable_in(module: str, name: str) -> Any:
    return getattr(__import__(module, fromlist=["*"]), name)


def variable_named(key: Key, carried: bool, *default: Any) -> ContextVar[Any]:
    found = KNOWN.get(key)
    if found is None:
        made: ContextVar[Any] = ContextVar(key[0], default=default[0]) if default else ContextVar(key[0])
        found = KNOWN[key] = CARRIED.setdefault(key[0], made) if carried else made
    return found


# In a guest this module has another name; pickles give the one that both sides know, and there is one of it.
PUBLIC = "understudy.transports.guests.variables"
variable_in.__module__ = variable_named.__module__ = PUBLIC
sys.modules.setdefault(PUBLIC, sys.modules[__name__])
