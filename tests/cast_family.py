"""An actor that has children: processes below its own."""

from __future__ import annotations

import subprocess
import sys

from tests.cast import QUIET
from understudy import Actor, method

SLEEP = "import time; time.sleep(1000)"
FORK = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{SLEEP}']); {SLEEP}"


class Family(Actor, executor=QUIET):
    @method
    def have(self, code: str = SLEEP) -> int:
        return subprocess.Popen([sys.executable, "-c", code]).pid

    @method
    def have_named(self, name: str) -> int:
        return subprocess.Popen([name, "-c", SLEEP], executable=sys.executable).pid
