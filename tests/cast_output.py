"""Actors that print, importable by name in guests."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import trio

from understudy import Actor, method


class Talker(Actor):
    """Writes what it is told, by every way there is."""

    @method
    def say(self, text: str, end: str = "\n") -> str:
        print(text, end=end)
        return text

    @method
    def complain(self, text: str) -> None:
        print(text, file=sys.stderr)

    @method
    def both(self, out: str, err: str) -> None:
        print(out)
        print(err, file=sys.stderr)

    @method
    def quiet(self) -> int:
        return os.getpid()

    @method
    def write(self, data: bytes, number: int = 1) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]

    @method
    def slowly(self, parts: list[bytes], seconds: float) -> None:
        for part in parts:
            os.write(1, part)
            time.sleep(seconds)

    @method
    def shell(self, command: str) -> int:
        return subprocess.run(command, shell=True, check=False).returncode

    @method
    def flood(self, total: int, number: int = 1) -> int:
        line = b"x" * 99 + b"\n"
        chunk = line * 400
        for _ in range(total // len(chunk)):
            self.write(chunk, number)
        return total // len(chunk) * len(chunk)

    @method
    def count_lines(self, name: str, count: int) -> None:
        for n in range(count):
            print(f"{name} {n} " + "." * 60)

    @method
    def abort(self, out: str, err: str) -> None:
        print(out, flush=True)
        print(err, file=sys.stderr, flush=True)
        os._exit(3)

    @method
    def shut(self, numbers: list[int]) -> str:
        for number in numbers:
            os.close(number)
        return "shut"

    @method
    def try_to_say(self, text: str) -> str:
        try:
            print(text, flush=True)
        except (OSError, ValueError) as error:
            return type(error).__name__
        return "said"

    @method
    def from_thread(self, text: str) -> None:
        thread = threading.Thread(target=print, args=(text,))
        thread.start()
        thread.join()

    @method
    def lie(self, text: str, call_id: int) -> None:
        module = sys.modules["understudy_guest.printing"]
        honest, module.call_here = module.call_here, lambda: call_id  # type: ignore[attr-defined]
        print(text)
        module.call_here = honest  # type: ignore[attr-defined]

    @method
    def read_line(self) -> str:
        return sys.stdin.readline()

    @method
    def read_all(self) -> int:
        total = 0
        while data := os.read(0, 65536):
            total += len(data)
        return total

    @method
    def encoding(self) -> str:
        return f"{sys.stdout.encoding} {sys.stdout.errors} {sys.stdout.name} {sys.stdout.mode}"


class Chatty(Talker):
    """Prints at every turn of its life."""

    def __init__(self) -> None:
        print("in __init__")

    def on_start(self) -> None:
        print("in on_start")

    def on_stop(self, reason: str) -> None:
        print("in on_stop", end="")


class Asker(Actor):
    """Reads its input before it is ready."""

    def __init__(self) -> None:
        self.name = input("who? ")

    @method
    def greet(self) -> str:
        return f"hello, {self.name}"


class Juggler(Actor):
    """Prints in several calls at once."""

    @method
    async def juggle(self, name: str, times: int) -> None:
        for n in range(times):
            print(f"{name}{n}")
            await trio.sleep(0.001)


class Choir(Actor, max_concurrency=4):
    """Prints in several threads at once."""

    @method
    def sing(self, name: str, times: int) -> None:
        for n in range(times):
            sys.stdout.write(f"{name}{n}\n")  # print() writes the end of a line by itself
            time.sleep(0.001)
