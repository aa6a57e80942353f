"""Actors for the tests of this folder, in a module that guests can import."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from understudy import Actor, Process, method

QUIET = Process(stderr="keep")


class Tester(Actor, executor=QUIET):
    @method
    def echo(self, value: Any = None) -> Any:
        return value

    @method
    def numbers(self, n: int) -> Iterator[int]:
        yield from range(n)

    @method
    def fail(self, text: str) -> None:
        raise ValueError(text)

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def spin(self) -> None:
        while True:
            pass

    @method
    def sleep(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    @method
    def die(self, status: int = 3) -> None:
        os._exit(status)

    @method
    def crash(self, number: int) -> None:
        os.kill(os.getpid(), number)

    @method
    def descriptors(self) -> dict[int, str]:
        """What is open here, what it leads to, and whether children made by exec would have it."""
        found = {}
        for name in os.listdir("/proc/self/fd"):
            try:
                found[int(name)] = f"{os.readlink(f'/proc/self/fd/{name}')} {os.get_inheritable(int(name))}"
            except OSError:
                pass  # the listing's own
        return found

    @method
    def surroundings(self) -> dict[str, Any]:
        """The process as the system sees it."""
        status = dict(
            line.split(":\t", 1)
            for line in Path("/proc/self/status").read_text().splitlines()
            if ":\t" in line
        )
        return {
            "environ": dict(os.environ),
            "stdin": os.readlink("/proc/self/fd/0"),
            "blocked": int(status["SigBlk"], 16),
            "ignored": int(status["SigIgn"], 16),
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
            "group": os.getpgid(0) == os.getpid(),
            "folder": os.getcwd(),
        }

    @method
    def ignored_in_child(self) -> int:
        """The signals that a child started the usual way ignores."""
        shell = ["/bin/sh", "-c", "grep SigIgn /proc/self/status"]
        return int(subprocess.run(shell, capture_output=True, text=True, check=True).stdout.split()[1], 16)

    @method
    def spawn(self, kind: str) -> int:
        """Leave a child behind; returns its process id."""
        return SPAWNERS[kind]()


def spawn_child() -> int:
    """A child in our own group."""
    return subprocess.Popen(["/bin/sleep", "1000"], stdin=subprocess.DEVNULL).pid


def spawn_session() -> int:
    """A child in a session of its own."""
    return subprocess.Popen(["/bin/sleep", "1000"], stdin=subprocess.DEVNULL, start_new_session=True).pid


def spawn_stubborn() -> int:
    """A child that ignores every signal it can."""
    script = "import signal, time\nfor n in signal.valid_signals() - {9, 19}:\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nprint(flush=True)\ntime.sleep(1000)"
    child = subprocess.Popen([sys.executable, "-IS", "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    return child.pid


def spawn_daemon() -> int:
    """A grandchild that has detached itself: its own session, its parent gone."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        grandchild = os.fork()
        if grandchild == 0:
            os.execve("/bin/sleep", ["sleep", "1000"], dict(os.environ))
        os.write(write_end, str(grandchild).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write_end)
    with os.fdopen(read_end) as told:
        return int(told.read())


def spawn_tree() -> int:
    """Children of children, each in a session of its own."""
    script = "import os, time\nfor _ in range(3):\n    if os.fork() == 0: os.setsid()\ntime.sleep(1000)"
    return subprocess.Popen([sys.executable, "-IS", "-c", script], start_new_session=True).pid


SPAWNERS = {
    "child": spawn_child,
    "session": spawn_session,
    "stubborn": spawn_stubborn,
    "daemon": spawn_daemon,
    "tree": spawn_tree,
}
