"""What a guest is told when it starts: where its code is, what it runs, how far it may go."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Ext

from ..transports.codec import Code, Codec, Unencodable
from ..transports.guests import pickles
from ..transports.guests.loading import OWN_LIBRARY
from ..transports.guests.protocol import DOWN, PICKLED, REENTRANT
from ..transports.places.guest import CHANNEL_PLACE
from ..transports.places.measuring import coverage_settings
from ..transports.system.means import usable_cores
from .actor import awaits, exported_of
from .debugging import debug_of
from .executor import Process, Thread
from .exported import MARK, code_methods, hooks_of
from .kinds import kind_of
from .lanes import Lanes

if TYPE_CHECKING:
    from .life import Life
    from .options import Options

GUESTS = Path(pickles.__file__).parent
BOOTSTRAP = str(GUESTS / "bootstrap.py")
TURNS = "turns"
MOST_AWAITED = 1000
GIVEN = (
    "understudy",
    "msgspec",
    "cloudpickle",
)  # packages a guest may need of us, wherever it looks for its own


def settings_of(life: Life, executor: Process, codec: Codec) -> tuple[dict[str, Any], Code]:
    """The START message's settings, and the code they name.

    Raises:
        Unencodable: if the class or its arguments cannot travel.
    """
    spec = life.spec
    settings, code = preparation_of(life, executor)
    (args, kwargs), more = codec.values(spec.args, spec.kwargs, f"{spec.cls.__name__}.__init__")
    return {**settings, "args": args, "kwargs": kwargs}, {**code, **more}


def preparation_of(life: Life, executor: Process) -> tuple[dict[str, Any], Code]:
    """All of it but the arguments: what a guest needs to load the class's code.

    Raises:
        Unencodable: if the class cannot travel.
    """
    spec = life.spec
    source, code = source_of(spec.cls, executor.packages)
    try:
        crash_on, more = pickles.dumps_with_code(spec.options.crash_on)
    except Exception as error:
        raise Unencodable(f"crash_on cannot be pickled: {error}") from error
    settings = {
        "class": source,
        "crash_on": Ext(PICKLED, crash_on),
        "path": import_path() if executor.packages == "host" else [],
        "given": given_folders(),
        "trusted": executor.trusted,
        "limits": [executor.bounds.max_bytes, executor.bounds.max_depth, executor.bounds.max_elements],
        "protected": protected_of(spec.cls),
        "mode": mode_of(spec.cls, spec.options, executor.loop),
        "spin": executor.spin and usable_cores() > 1,
        **groups_of(spec.cls, spec.options),
        "hooks": hooks_in(life),
        "for_code": code_methods(spec.cls),
        "label": life.path,
        "channel": CHANNEL_PLACE,
        "debug": debug_of(executor),
        "coverage": coverage_settings() if executor.trusted else None,
        "details": {"path": life.path, "name": spec.options.name, "incarnation": life.number},
    }
    return settings, {**code, **more}


def source_of(cls: type, packages: str) -> tuple[list[Any], Code]:
    """How the guest finds the class: by name where it can import it, else by value."""
    if packages == "host" and pickles.importable(cls):
        return ["name", cls.__module__, cls.__qualname__], {}
    code: dict[bytes, bytes] = {}
    try:
        digest = pickles.code_of(cls, code, whole_module=packages != "host")
    except Exception as error:
        raise Unencodable(f"the class {cls.__qualname__} cannot be pickled by value: {error}") from error
    return ["code", digest], code


def thread_settings_of(life: Life) -> dict[str, Any]:
    """The same for a guest in this process, which needs no code and shares our import path."""
    spec = life.spec
    assert isinstance(spec.options.executor, Thread)
    return {
        "class": ["object", spec.cls],
        "args": spec.args,
        "kwargs": spec.kwargs,
        "crash_on": spec.options.crash_on,
        "trusted": True,
        "limits": [0, 0, 0],
        "protected": protected_of(spec.cls),
        "mode": mode_of(spec.cls, spec.options, spec.options.executor.loop),
        **groups_of(spec.cls, spec.options),
        "hooks": hooks_in(life),
        "for_code": code_methods(spec.cls),
        "details": {"path": life.path, "name": spec.options.name, "incarnation": life.number},
    }


def hooks_in(life: Life) -> list[str]:
    """The hooks that the guest runs: one that does not survive an interrupt has nothing to repair."""
    restarts = life.spec.options.after_interrupt == "restart"
    return [name for name in hooks_of(life.spec.cls) if not (restarts and name == "on_interrupt")]


def mode_of(cls: type, options: Options, loop: str) -> str:
    """Which loop the guest needs; the plain one is the fastest."""
    if awaits(cls):
        return loop
    return "threads" if several(options) else TURNS


def several(options: Options) -> bool:
    """May a class without `async` methods run more than one call at once?"""
    return (options.max_concurrency or 1) > 1 or bool(options.concurrency_groups) or options.reentrant


def groups_of(cls: type, options: Options) -> dict[str, Any]:
    """The concurrency groups, in the order in which the page counts for them, and which method is in which."""
    exported = exported_of(cls)
    awaited = [name for name, item in exported.items() if kind_of(item).awaits]
    if DOWN in hooks_of(cls) and kind_of(getattr(cls, DOWN)).awaits:
        awaited.append(DOWN)
    named = {name: getattr(item, MARK, {}).get("concurrency_group", "") for name, item in exported.items()}
    return {
        "groups": [["", limit_of(cls, options)], *map(list, options.concurrency_groups.items())],
        "group_of": {name: group for name, group in named.items() if group},
        "awaited": awaited,
    }


def lanes_of(settings: dict[str, Any], ahead: bool) -> Lanes:
    """The host's side of the same groups."""
    groups = [(name, limit) for name, limit in settings["groups"]]
    return Lanes(groups, settings["group_of"], REENTRANT, ahead)


def limit_of(cls: type, options: Options) -> int:
    """How many calls outside of all groups may run at once: as in Ray, many if they await, else one."""
    return options.max_concurrency or (MOST_AWAITED if awaits(cls) else 1)


def import_path() -> list[str]:
    """Ours, with its own standard library in place of ours: the guest's interpreter may be another."""
    path: list[str] = []
    for entry in map(os.fspath, sys.path):
        if entry not in library():
            path.append(entry or os.getcwd())
        elif OWN_LIBRARY not in path:
            path.append(OWN_LIBRARY)
    return path


@cache
def library() -> frozenset[str]:
    """The folders of the standard library."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    archive = Path(sys.base_prefix, sys.platlibdir, f"python{sys.version_info[0]}{sys.version_info[1]}.zip")
    return frozenset({*folders, *(os.path.join(folder, "lib-dynload") for folder in folders), str(archive)})


@cache
def given_folders() -> dict[str, str]:
    """Where the packages are that we lend to guests, by name."""
    found: dict[str, str] = {}
    for name in GIVEN:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            found[name] = str(Path(spec.origin).parent.parent)
    return found


def protected_of(cls: type) -> list[str]:
    """Methods marked `interrupt=False`: the doorbell does not reach them."""
    return [
        name for name, item in exported_of(cls).items() if not getattr(item, MARK, {}).get("interrupt", True)
    ]
