"""The function that the peers' workers run. It imports next to nothing: every worker imports this module."""

import os
import time


def echo(x: int) -> int:
    """Give back what came."""
    return x


def slow_pid(_: int) -> int:
    """The worker's process; slow, so that every worker gets one to do."""
    time.sleep(0.05)
    return os.getpid()
