"""Actors that use more than they may."""

import os
import time

from understudy import Actor, current_actor, method


class Glutton(Actor):
    def __init__(self) -> None:
        self.kept: list[object] = []

    @method
    def eat(self, size: int) -> int:
        self.kept.append(bytearray(size))
        return size

    @method
    def burn(self) -> None:
        while True:
            pass

    @method
    def open(self, count: int) -> int:
        self.kept += [open(os.devnull) for _ in range(count)]  # noqa: SIM115 - kept open
        return count

    @method
    def fork(self, count: int) -> int:
        for _ in range(count):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        return count

    @method
    def niceness(self) -> int:
        return os.nice(0)

    @method
    def limits(self) -> dict[str, tuple[int, int]]:
        import resource

        names = ("RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_NPROC")
        return {name: resource.getrlimit(getattr(resource, name)) for name in names}


class Worn(Actor):
    @method
    def number(self) -> int:
        return int(current_actor().incarnation)

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def grow(self, size: int) -> int:
        self.kept = bytearray(os.urandom(1024) * (size // 1024))
        return os.getpid()

    @method
    def nap(self, seconds: float) -> int:
        time.sleep(seconds)
        return os.getpid()
