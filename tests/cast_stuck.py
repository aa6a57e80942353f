"""Actors that are stuck, importable by name in guests; each tells by a file when it is."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import threading
import time
from pathlib import Path

from tests.cast import QUIET
from understudy import Actor, method


class Stuck(Actor, executor=QUIET):
    @method
    def in_c(self, path: str) -> None:
        Path(path).touch()
        ctypes.CDLL(None).sleep(3600)

    @method
    def in_c_with_the_lock(self, path: str) -> None:
        """No other thread of this interpreter can run."""
        Path(path).touch()
        ctypes.PyDLL(None).sleep(3600)

    @method
    def with_python_signals_replaced(self, path: str) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        Path(path).touch()
        time.sleep(3600)

    @method
    def in_two_threads(self, path: str) -> None:
        threading.Thread(target=wait_forever, args=(path,), daemon=True).start()
        time.sleep(3600)

    @method
    def write_on_the_channel(self, path: str) -> None:
        """As a guest that lies: in place of its stacks it writes colours, without end."""
        faulthandler.unregister(signal.SIGURG)
        Path(path).touch()
        while True:
            os.write(5, b"\x1b[31mred")
            time.sleep(0.01)


def wait_forever(path: str) -> None:
    Path(path).touch()
    time.sleep(3600)
