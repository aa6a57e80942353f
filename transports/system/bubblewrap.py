"""Walls around a guest, built by bubblewrap: whether that works here, and the command that does it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import trio

from .means import has
from .views import NETWORK, SYSTEM, is_shared, mounts, of_interpreter, of_packages

PROGRAM = "bwrap"
PATIENCE = 10.0  # seconds that an attempt may take
NOBODY = 65534  # who root is inside

ALWAYS = (
    "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "guest",
)  # fmt: skip
OWN_PROC = ("--proc", "/proc", "--remount-ro", "/proc")
NO_MORE_WALLS = "--disable-userns"  # since 0.8
SIZE = "--size"  # since 0.6

# A word in bubblewrap's complaint, and what a person can do about it.
ADVICE = {
    "uid map": "user namespaces are restricted here, perhaps by AppArmor:"
    " see `sysctl kernel.apparmor_restrict_unprivileged_userns`",
    "namespace": "user namespaces are off here: see `sysctl user.max_user_namespaces"
    " kernel.unprivileged_userns_clone`; in a container its seccomp profile may forbid them",
    "": "run `bwrap --unshare-user --ro-bind / / true` to see for yourself",
}


@dataclass(frozen=True, slots=True)
class Walls:
    """What a guest is to see; `packages` are single ones, by name, with the folder each lies in."""

    python: str
    path: tuple[str, ...]
    packages: dict[str, str]
    read: tuple[str, ...]
    write: tuple[str, ...]
    network: bool
    scratch: int
    folder: str | None


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """The program, which of its newer options it has, and why it does not work here ("": it does)."""

    program: str = ""
    options: frozenset[str] = frozenset()
    proc: tuple[str, ...] = OWN_PROC
    flaw: str = ""

    @property
    def lacks(self) -> str:
        """What guests do without behind its walls."""
        return "" if self.proc else "without /proc"

    def command(self, walls: Walls) -> list[str]:
        """The beginning of a command that runs the rest of it behind these walls.

        Raises:
            FileNotFoundError: for a path to be shown that is not there.
        """
        missing = [path for path in (*walls.read, *walls.write) if not os.path.exists(path)]
        if missing:
            raise FileNotFoundError(f"the sandbox is to show {', '.join(missing)}, and there is no such path")
        return [
            *self.basis(walls.network),
            *self.scratch("/tmp", walls.scratch), *self.proc, "--dev", "/dev",
            *self.scratch("/dev/shm", walls.scratch),
            *mounts(readable(walls), walls.write), "--remount-ro", "/",
            "--chdir", walls.folder or "/tmp", "--",
        ]  # fmt: skip

    def basis(self, network: bool) -> list[str]:
        """All but the files."""
        found = [self.program, *ALWAYS]
        found += [NO_MORE_WALLS] if NO_MORE_WALLS in self.options else []
        found += [] if network else ["--unshare-net"]
        return found + (["--uid", str(NOBODY), "--gid", str(NOBODY)] if os.getuid() == 0 else [])

    def scratch(self, folder: str, size: int) -> list[str]:
        return [*([SIZE, str(size)] if SIZE in self.options else []), "--tmpfs", folder]


def readable(walls: Walls) -> list[str]:
    """What the guest reads: the system's programs, its interpreter, its import path; nobody's home."""
    home = os.path.realpath(os.path.expanduser("~"))
    needed = [*of_interpreter(walls.python), *walls.path, *([walls.folder] if walls.folder else [])]
    shown = [path for path in needed if os.path.isabs(path) and not is_shared(path, home)]
    more = NETWORK if walls.network else ()
    return [*SYSTEM, *more, *shown, *of_packages(walls.packages), *walls.read]


class Finder:
    """Looks once for a runtime whether bubblewrap is there and works."""

    def __init__(self, has: Callable[[str], bool] = has) -> None:
        self.has = has
        self.found: Bubblewrap | None = None
        self.looking = trio.Lock()

    async def find(self) -> Bubblewrap:
        """Bubblewrap, or what keeps it from working.

        Raises:
            OSError: if the system refuses a process just now.
        """
        async with self.looking:
            if self.found is None:
                self.found = await self.look()
            return self.found

    async def look(self) -> Bubblewrap:
        if not self.has("sandbox"):
            return Bubblewrap(
                flaw="this system has no bubblewrap, or its means are switched off (UNDERSTUDY_PORTABLE)"
            )
        program = shutil.which(PROGRAM)
        if program is None:
            return Bubblewrap(
                flaw=f"bubblewrap is not installed ({PROGRAM} is not on PATH): apt install bubblewrap"
            )
        _, told = await ran([program, "--help"])
        options = frozenset(word for word in (NO_MORE_WALLS, SIZE) if word in told)
        for proc in (OWN_PROC, ()):  # a container with a masked /proc forbids another; none hides as much
            found = Bubblewrap(program, options, proc)
            walls = [*found.basis(network=False), *mounts(SYSTEM, ()), *proc, "--dev", "/dev"]
            status, told = await ran([*walls, "--", "/bin/sh", "-c", ":"])
            if status == 0:
                return found
        return Bubblewrap(flaw=advised(told.strip() or f"it ended with {status}"))


async def ran(command: list[str]) -> tuple[int, str]:
    """How a program ended, and what it said."""
    with trio.move_on_after(PATIENCE):
        done = await trio.run_process(
            command, capture_stdout=True, stderr=subprocess.STDOUT, check=False, env={}
        )
        return done.returncode, done.stdout.decode(errors="replace")
    return -1, f"it did not end within {PATIENCE:g} s"


def advised(complaint: str) -> str:
    advice = next(text for word, text in ADVICE.items() if word in complaint)
    return f"bubblewrap does not work here ({complaint}): {advice}"
