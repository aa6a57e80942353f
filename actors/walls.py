"""The sandbox of one incarnation: built, refused, or done without, as its executor says."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..transports.places.process import Command, LaunchError
from ..transports.system.bubblewrap import Bubblewrap, Walls
from . import events
from .sandbox import OFF, REQUIRED, Sandbox, sandbox_of
from .settings import GUESTS, given_folders, import_path

if TYPE_CHECKING:
    from .executor import Process
    from .life import Life

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
        return confined(bubblewrap, sandbox, executor, command), BUILT
    if sandbox.mode == REQUIRED:
        raise LaunchError(0, f"its sandbox is required: {bubblewrap.flaw}")
    life.emit(events.SandboxMissing, bubblewrap.flaw)
    return command, f"{NONE} ({bubblewrap.flaw.partition(':')[0]})"


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
    return command.behind(bubblewrap.command(walls))
