"""The sandbox of one incarnation: built, refused, or done without, as its executor says."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..transports.places.process import Command, LaunchError
from ..transports.system.bubblewrap import Bubblewrap, Walls
from . import events
from .environment import environment_of
from .sandbox import OFF, REQUIRED, Sandbox, sandbox_of
from .settings import GUESTS, given_folders, import_path

if TYPE_CHECKING:
    from .executor import Process
    from .life import Life

SET_BY_WALLS = ("PWD",)
COUNTED_INSIDE = (
    "processes",
)  # of those that were started behind the same walls, where the kernel can do that
NONE, BUILT = "no sandbox", "sandboxed"


async def walled(life: Life, executor: Process, command: Command) -> tuple[Command, str]:
    """The command that runs a guest behind its walls, and how that is told in the tree.

    Raises:
        LaunchError: if the executor requires them, and this system cannot build them.
    """
    sandbox = sandbox_of(executor.sandbox)
    if sandbox.mode == OFF:
        return command, NONE
    bubblewrap = await life.house.stage.bubblewrap.find()
    if not bubblewrap.flaw:
        shown = f"{BUILT} {bubblewrap.lacks}" if bubblewrap.lacks else BUILT
        return confined(bubblewrap, sandbox, executor, command), shown
    if sandbox.mode == REQUIRED:
        raise LaunchError(0, f"its sandbox is required: {bubblewrap.flaw}")
    life.emit(events.SandboxMissing, bubblewrap.flaw)
    return command, f"{NONE} ({bubblewrap.flaw.partition(':')[0]})"


def left_inside(executor: Process, sandbox: str) -> dict[str, Any]:
    """What a guest has to do itself behind its walls, before any code of the user's runs; `{}` without walls."""
    if not sandbox.startswith(BUILT):
        return {}
    given = environment_of(executor.environ).of(os.environ)
    return {
        "strays": [name for name in SET_BY_WALLS if name not in given],
        "limits": {name: limit for name, limit in executor.limits.hard.items() if name in COUNTED_INSIDE},
    }


def confined(bubblewrap: Bubblewrap, sandbox: Sandbox, executor: Process, command: Command) -> Command:
    folder = executor.folder
    walls = Walls(
        python=executor.python or sys.executable,
        path=(str(GUESTS), *(import_path() if executor.packages == "host" else [])),
        packages=given_folders(),
        read=sandbox.read,
        write=sandbox.write,
        network=sandbox.network,
        scratch=sandbox.scratch,
        folder=os.path.abspath(folder) if folder is not None else None,
    )
    limits = {name: limit for name, limit in command.limits.items() if name not in COUNTED_INSIDE}
    return replace(command.behind(bubblewrap.command(walls)), limits=limits)
