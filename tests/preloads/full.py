"""A module after which no process can be forked, as on a machine that has too many."""

import errno
import os
from typing import NoReturn


def fork() -> NoReturn:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


os.fork = fork
