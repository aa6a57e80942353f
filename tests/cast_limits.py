"""Actors that use more than they may."""

import os
import time
from collections.abc import Iterator

import trio

from understudy import Actor, current_actor, method

NOBODY = 65534


class Glutton(Actor):
    def __init__(self, size: int = 0) -> None:
        self.kept: list[object] = [bytearray(size)]

    @method
    def eat(self, size: int) -> int:
        self.kept.append(bytearray(size))
        return size

    @method
    def eat_all(self, size: int) -> None:
        while True:
            self.kept.append(bytearray(size))

    @method
    def eaten(self) -> int:
        return sum(len(one) for one in self.kept if isinstance(one, bytearray))

    @method
    def starve_in_c(self) -> None:
        """As programs in C do that are refused memory: say so, and abort."""
        os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
        os.abort()

    @method
    def die(self, number: int) -> None:
        os.kill(os.getpid(), number)
        time.sleep(5)

    @method
    def touch(self, size: int) -> int:
        """Eat memory that is really there."""
        block = bytearray(size)
        block[::4096] = b"x" * len(block[::4096])
        self.kept.append(block)
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
        if os.getuid() == 0:
            os.setuid(NOBODY)  # the limit does not bind root
        for _ in range(count):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            self.kept.append("child")
        return count

    @method
    def forked(self) -> int:
        return self.kept.count("child")

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def niceness(self) -> int:
        return os.nice(0)

    @method
    def limits(self) -> dict[str, tuple[int, int]]:
        import resource

        names = ("RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_NPROC")
        return {name: resource.getrlimit(getattr(resource, name)) for name in names}


class Worn(Actor):
    def __init__(self) -> None:
        self.counted = 0

    def save_state(self) -> int:
        return self.counted

    def load_state(self, state: int) -> None:
        self.counted = state

    @method
    def count(self) -> int:
        self.counted += 1
        return self.counted

    @method
    def number(self) -> int:
        return int(current_actor().incarnation)

    @method
    def echo(self, value: int) -> tuple[int, int]:
        return value, self.number()

    @method
    def numbers(self, count: int) -> Iterator[int]:
        for _ in range(count):
            yield self.number()

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

    @method
    def mark(self, path: str) -> None:
        with open(path, "a") as file:
            file.write("x")


class Concurrent(Actor, max_concurrency=8):
    @method
    def nap(self, seconds: float) -> int:
        time.sleep(seconds)
        return os.getpid()


class WornAsync(Actor):
    @method
    async def nap(self, seconds: float) -> int:
        await trio.sleep(seconds)
        return os.getpid()
