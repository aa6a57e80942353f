"""Actors in processes of their own, for supervisors."""

from __future__ import annotations

import os
import time

from tests.cast import QUIET
from understudy import Actor, exit_actor, method


class Hand(Actor, executor=QUIET):
    """Does its work in a process of its own."""

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def spin(self) -> None:
        while True:
            time.sleep(0.001)

    @method
    def crash(self) -> None:
        os._exit(3)


class Needless(Hand, executor=QUIET):
    """Says in its `__init__` that it need not run."""

    def __init__(self) -> None:
        exit_actor()


class NeedlessLater(Hand, executor=QUIET):
    """Says in `on_start` that it need not run."""

    def on_start(self) -> None:
        exit_actor()


class NeedlessSoon(Hand, executor=QUIET):
    """The same under an event loop."""

    async def on_start(self) -> None:
        exit_actor()

    @method
    async def wait(self) -> None:
        pass


class Stubborn(Hand, executor=QUIET):
    """Does not want to end."""

    def on_stop(self, reason: str) -> None:
        self.spin()
