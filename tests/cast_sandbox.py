"""Actors that try what a sandbox is there to prevent."""

import os
import signal

from understudy import Actor, method


class Prisoner(Actor):
    @method
    def look(self, folder: str) -> list[str]:
        return sorted(os.listdir(folder))

    @method
    def environ(self) -> dict[str, str]:
        return dict(os.environ)

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def spin(self) -> None:
        while True:
            pass

    @method
    def suicide(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
