"""An actor that looks at the process it was born in."""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from understudy import Actor, Process, method


class Looker(Actor, executor=Process(stderr="keep")):
    @method
    def pids(self) -> tuple[int, int]:
        return os.getpid(), os.getppid()

    @method
    def attribute(self, module: str, name: str) -> Any:
        return getattr(import_module(module), name)

    @method
    def is_loaded(self, module: str) -> bool:
        return module in sys.modules

    @method
    def touch(self) -> list[int]:
        """Change the state of a preloaded module."""
        touched: list[int] = import_module("tests.preloads.known").touched
        touched.append(os.getpid())
        return touched

    @method
    def chance(self) -> tuple[float, int, float | None]:
        numpy = sys.modules.get("numpy")
        return random.random(), hash("chance"), float(numpy.random.random()) if numpy else None

    @method
    def environments(self, name: str) -> tuple[str | None, str | None, str]:
        """A variable as Python sees it, the C library, and another program."""
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_char_p
        raw = getenv(name.encode())
        told = subprocess.run(["/usr/bin/env"], capture_output=True, text=True, check=True).stdout
        return os.environ.get(name), raw and raw.decode(), told

    @method
    def heeds(self) -> tuple[str, int]:
        return time.tzname[0], logging.getLogger("understudy.actors").level

    @method
    def flags(self) -> tuple[int, bool, bool, int]:
        return sys.flags.optimize, sys.flags.dev_mode, __debug__, sys.flags.isolated

    @method
    def frames(self) -> list[str]:
        """The files whose code runs, outermost first."""
        return [Path(frame.filename).name for frame in traceback.extract_stack()]

    @method
    def leftovers(self) -> list[str]:
        """Modules of the keeper's, and signals that are not as Python sets them."""
        ours = [f"understudy_guest.{name}" for name in ("keeper", "birth", "zygote", "lineage")]
        usual = {
            signal.SIGCHLD: signal.SIG_DFL,
            signal.SIGTERM: signal.SIG_DFL,
            signal.SIGPIPE: signal.SIG_IGN,
        }
        found = [name for name in ours if name in sys.modules]
        return found + [number.name for number, how in usual.items() if signal.getsignal(number) != how]

    @method
    def attributes(self) -> list[Any]:
        """What the system keeps of this process."""
        os.umask(umask := os.umask(0))
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        handlers = [str(signal.getsignal(number)) for number in (signal.SIGHUP, signal.SIGUSR1)]
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        return [os.getcwd(), umask, len(blocked), handlers, limits, os.getpriority(os.PRIO_PROCESS, 0)]

    @method
    def spin(self) -> None:
        while True:
            pass

    @method
    def descriptors(self) -> list[int]:
        with os.scandir("/proc/self/fd") as entries:
            numbers = [int(entry.name) for entry in entries]
        return [number for number in numbers if os.path.exists(f"/proc/self/fd/{number}")]

    @method
    def command(self, pid: int) -> tuple[str, str]:
        """What the system lists a process as: its command line and its short name."""
        line, short = (Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "comm"))
        return line.rstrip("\0"), short.rstrip("\n")

    @method
    def last_wish(self, path: str) -> None:
        """Leave words for the end of the interpreter."""
        atexit.register(Path(path).write_text, "remembered")

    @method
    def print_and_exit(self, code: Any) -> None:
        print("last words", file=sys.stderr)
        sys.exit(code)


class Stillborn(Actor):
    """Dies while it is made."""

    def __init__(self) -> None:
        print("not in this state", file=sys.stderr)
        os._exit(9)
