"""An actor that tells when its module was loaded, and when it was made."""

from __future__ import annotations

import os
import time
from pathlib import Path

from understudy import Actor

LOADED = time.monotonic()


class Late(Actor):
    def __init__(self, log: str) -> None:
        with Path(log).open("a") as file:
            file.write(f"{os.getpid()} {LOADED} {time.monotonic()}\n")
