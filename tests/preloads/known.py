"""A module that knows by which process it was loaded, and leaves its marks on that."""

import atexit
import os
import signal

LOADED_BY = os.getpid()
FILE = open(__file__)  # noqa: SIM115
touched: list[int] = []

signal.signal(signal.SIGCHLD, signal.SIG_DFL)
signal.set_wakeup_fd(-1)
atexit.register(touched.append, 1)
