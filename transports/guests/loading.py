"""How a guest comes by the user's class: where modules are found, and what `__main__` is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

# Modules of ours that user code meets under their public name; there must be one of each.
SHARED = ("protocol", "interrupts", "context", "msgpack", "pickles", "asking", "faults", "nested")


OWN_LIBRARY = ""  # in an import path: here comes the standard library of whoever follows it
LIBRARY = tuple(sys.path)  # a guest starts with nothing else


class Given:
    """Finds a few named packages in given folders, and nothing else that lies beside them."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        self.folders = dict(folders)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        folder = self.folders.get(name)
        return PathFinder.find_spec(name, [folder]) if folder else None


def prepare(settings: Mapping[str, Any]) -> None:
    """Set the import path and an empty `__main__` before any user code is loaded."""
    if walls := settings.get("walls"):
        settle_in(walls)
    find_by(settings["path"], settings["given"])
    sys.argv[:] = [settings["label"]]
    sys.modules["__main__"] = type(sys)("__main__")
    share()


def settle_in(walls: Mapping[str, Any]) -> None:
    """Behind walls: drop the variables that were set on the way in, take on the limits that count from here."""
    from .limiting import bear

    for name in walls["strays"]:
        os.environ.pop(name, None)
    bear(walls["limits"])


def find_by(path: Sequence[str], given: Mapping[str, str]) -> None:
    """Look for modules here first, and for the packages that we are lent where they are."""
    at = path.index(OWN_LIBRARY) if OWN_LIBRARY in path else len(path)
    before, after = path[:at], path[at + 1 :]
    sys.path[:] = [*before, *(entry for entry in LIBRARY if entry not in path), *after]
    sys.meta_path[:] = [*(finder for finder in sys.meta_path if not isinstance(finder, Given)), Given(given)]


def share() -> None:
    """What of ours is loaded is found under its public name, too."""
    for name in SHARED:
        module = sys.modules.get(f"understudy_guest.{name}")
        if module is not None:
            sys.modules[f"understudy.transports.guests.{name}"] = module


def find_class(source: list[Any], code: Mapping[bytes, Any]) -> Any:
    """The actor's class: `["name", module, qualname]`, `["code", hash]`, `["object", itself]`."""
    if source[0] == "code":
        from .pickles import code_named

        return code_named(source[1], code)
    if source[0] == "object":
        return source[1]  # within one process
    found: Any = __import__(source[1], fromlist=["*"])
    for part in source[2].split("."):
        found = getattr(found, part)
    return found
