"""Members of pools and functions to be run in other processes, importable by name in guests."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from tests.cast import QUIET
from understudy import Actor, current_actor, method, remote


class Member(Actor, executor=QUIET):
    """Tells who it is."""

    def __init__(self, start: int = 0) -> None:
        self.value = start

    @method
    def add(self, n: int = 1) -> int:
        self.value += n
        return self.value

    @method
    def double(self, n: int) -> int:
        if n < 0:
            raise ValueError(f"{n} is below 0")
        return 2 * n

    @method
    def both(self, first: int, second: str) -> str:
        return second * first

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def path(self, *_: Any) -> str:
        found: str = current_actor().path
        return found

    @method
    def sleep(self, seconds: float) -> str:
        time.sleep(seconds)
        found: str = current_actor().path
        return found

    @method
    def mark(self, file: str) -> None:
        with open(file, "a") as sink:
            sink.write("x")

    @method
    def fall(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @method(max_task_retries=1)
    def fall_once(self, file: str) -> str:
        """Dies at its first attempt."""
        if not Path(file).exists():
            Path(file).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    @method
    def numbers(self, count: int) -> Any:
        yield from range(count)


class Stillborn(Actor, executor=QUIET):
    """Never starts."""

    def __init__(self) -> None:
        raise ValueError("not today")

    @method
    def never(self) -> None: ...


class Frail(Actor, executor=QUIET):
    """Starts once for each file of the folder it may take away."""

    def __init__(self, folder: str) -> None:
        for name in sorted(os.listdir(folder)):
            try:
                os.unlink(os.path.join(folder, name))
            except FileNotFoundError:
                continue
            return
        raise ValueError("no more lives")

    @method
    def fall(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@remote
def square(x: int) -> int:
    """Square a number."""
    return x * x


@remote
def fail(text: str) -> None:
    raise KeyError(text)


@remote(max_retries=0)
def fall() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@remote
def fall_until(file: str, times: int) -> int:
    """Dies so many times."""
    with open(file, "a") as sink:
        sink.write("x")
    deaths = os.path.getsize(file)
    if deaths <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return deaths


@remote
def nap(seconds: float, file: str = "") -> str:
    if file:
        Path(file).touch()
    time.sleep(seconds)
    return "rested"


@remote
async def nap_async(seconds: float) -> str:
    import trio

    await trio.sleep(seconds)
    return "rested"


def triple(x: int) -> int:
    return 3 * x


def thread_of() -> int:
    return threading.get_ident()
