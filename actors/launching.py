"""How a guest is started: which keeper does it, with what loaded, under which name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..transports.guests import pickles
from ..transports.places.process import Command
from ..transports.places.zygote import PLAIN, Zygote
from ..transports.system.means import has
from .environment import environment_of
from .executor import Process
from .settings import given_folders, import_path, mode_of

if TYPE_CHECKING:
    from .life import Life

BOOTSTRAP = str(Path(pickles.__file__).parent / "bootstrap.py")
LONGEST = 200  # characters of a label

# What every guest of ours needs, and what the modules of actor classes do.
EVERYWHERE = (
    "understudy_guest.greeting",
    "understudy_guest.main",
    "understudy_guest.loops",
    "understudy_guest.turns",
    "understudy_guest.threads",
    "understudy_guest.pickles",
    "understudy_guest.causes",
    "understudy_guest.functions",
    "understudy_guest.outlet",
    "mmap",
    "msgspec.msgpack",
    "cloudpickle",
    "understudy.actors.actor",
    "understudy.actors.context",
)
# What a loop needs beside that.
LOOPS = {"trio": ("understudy_guest.trio_loop",), "asyncio": ("understudy_guest.asyncio_loop",)}


def command_of(life: Life) -> Command:
    """The guest's command; it gets nothing of our environment, and no site-packages by itself."""
    executor = life.spec.options.executor
    assert isinstance(executor, Process)
    argv = (executor.python or sys.executable, "-I", "-S", "-E", *executor.flags, BOOTSTRAP, "greeting")
    zygote = zygote_of(life, executor)
    code = ("greeting",) if zygote.loads else ()
    environ = environment_of(executor.environ).of(os.environ)
    limits = executor.limits.hard
    return Command(argv, environ, executor.folder, limits, label=label_of(life), zygote=zygote, code=code)


def zygote_of(life: Life, executor: Process) -> Zygote:
    """The keeper that starts it: one with its code loaded, where there is such a thing."""
    if executor.launch == "spawn" or not has("zygote"):
        return PLAIN
    more = LOOPS.get(mode_of(life.spec.cls, life.spec.options, executor.loop), ())
    finds = executor.packages == "host" and (executor.preload or more)
    return Zygote(
        executor.python or "",
        tuple(executor.flags),
        EVERYWHERE + more,
        tuple(executor.preload),
        import_path() if finds else (),
        tuple(given_folders().items()),
        executor.trusted,
        executor.domain,
        import_path() if executor.packages == "host" else (),
    )


def label_of(life: Life) -> str:
    """What `ps` shows it as."""
    text = f"{life.path} ({life.spec.cls.__name__})"
    return "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST])
