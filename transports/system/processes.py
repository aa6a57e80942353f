"""The system's list of processes: who is whose child, what it runs, what it has used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..guests.label import PREFIX
from .proc import read

BOOTSTRAP = "/guests/bootstrap.py "  # in the command of a guest
SHOWN = 60  # characters of a command
BOOT = getattr(time, "CLOCK_BOOTTIME", 0)  # the clock that the start of processes is told by
ENDED = "Z"  # the state of a process that has ended, and whose parent has not looked yet


@dataclass(frozen=True, slots=True)
class Listed:
    """A process in the system's list; `state` is the system's own letter, `command` what it was started with."""

    pid: int
    parent: int
    state: str
    command: str


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used: seconds of processor time, and bytes of memory.

    Memory is its proportional share where the system tells that (`shared` is False), else all it occupies.
    """

    seconds: float
    memory: int
    shared: bool


def listed() -> dict[int, Listed]:
    """All processes that the system shows us, by their ids."""
    return from_proc() if sys.platform.startswith("linux") else from_ps()


def from_proc() -> dict[int, Listed]:
    found: dict[int, Listed] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := read(Path("/proc", name, "stat"))):
            words, (state, parent) = read(Path("/proc", name, "cmdline")), fields_of(stat)[:2]
            command = words.rstrip("\0").replace("\0", " ") or stat[stat.index("(") + 1 : stat.rindex(")")]
            found[int(name)] = Listed(int(name), int(parent), state, shortened(told(command)))
    return found


def from_ps() -> dict[int, Listed]:
    found: dict[int, Listed] = {}
    done = subprocess.run(["ps", "-axo", "pid=,ppid=,state=,command="], capture_output=True, check=False)
    for line in done.stdout.decode(errors="replace").splitlines():
        pid, parent, state, command = (*line.split(None, 3), "")[:4]
        found[int(pid)] = Listed(int(pid), int(parent), state[:1], shortened(told(command)))
    return found


def told(command: str) -> str:
    """The label, for a guest that was spawned, which has that as its last argument; else the command."""
    before, ours, label = command.partition(f" {PREFIX}")
    spawned = ours and BOOTSTRAP in before and not before.startswith(PREFIX)
    return PREFIX + label if spawned else command


def printable(text: str) -> str:
    """A line that cannot move a terminal's cursor, whoever has written it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def shortened(text: str) -> str:
    """The beginning of a text, printable: a process writes its command itself."""
    shown = printable(text[: SHOWN + 1])
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def fields_of(stat: str) -> list[str]:
    """The fields of /proc/PID/stat from the third on; the second may hold spaces and brackets."""
    return stat.rpartition(")")[2].split()


def below(pid: int, table: dict[int, Listed]) -> Iterator[tuple[int, Listed]]:
    """All processes below one, with their depth from 1, each before its children."""
    children: defaultdict[int, list[Listed]] = defaultdict(list)
    for process in table.values():
        children[process.parent].append(process)

    def walk(parent: int, depth: int) -> Iterator[tuple[int, Listed]]:
        for child in children.pop(parent, ()):
            yield depth, child
            yield from walk(child.pid, depth + 1)

    return walk(pid, 1)


def children_of(pid: int) -> list[int]:
    """Its direct children, by the kernel's list, or by reading every process where it keeps none."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    if listing.exists():
        return [int(child) for child in read(listing).split()]
    return [process.pid for process in listed().values() if process.parent == pid]


def used(pid: int) -> Used | None:
    """What a process has used so far; None where the system does not tell, or it is gone."""
    stat = read(Path(f"/proc/{pid}/stat"))
    if not stat:
        return None
    fields = fields_of(stat)
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    share = share_of(read(Path(f"/proc/{pid}/smaps_rollup")))
    if share is not None:
        return Used(seconds, share, shared=False)
    return Used(seconds, int(fields[21]) * os.sysconf("SC_PAGE_SIZE"), shared=True)


def share_of(rollup: str) -> int | None:
    for line in rollup.splitlines():
        name, _, size = line.partition(":")
        if name == "Pss":
            return int(size.split()[0]) * 1024
    return None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process occupies, in bytes: all (`rss`), and its share (`pss`); and seconds: of processor time, of life."""

    rss: int
    pss: int
    cpu: float
    uptime: float


def spent(pid: int) -> Spent | None:
    """What a process has spent so far; None where the system does not tell, or it is gone."""
    stat = read(Path(f"/proc/{pid}/stat"))
    if not stat:
        return None
    fields, tick = fields_of(stat), os.sysconf("SC_CLK_TCK")
    rss = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    pss = share_of(read(Path(f"/proc/{pid}/smaps_rollup")))
    cpu = (int(fields[11]) + int(fields[12])) / tick
    began = int(fields[19]) / tick
    return Spent(rss, rss if pss is None else pss, cpu, max(0.0, time.clock_gettime(BOOT) - began))
