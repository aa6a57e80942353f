"""Actors that are hard to interrupt, hard to stop, or treat their process badly."""

from __future__ import annotations

import asyncio
import ctypes
import os
import queue
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from typing import Any, NoReturn

import trio

from understudy import Actor, Ladder, Process, method

HASTY = Process(stderr="keep", ladder=Ladder(interrupt=0.2, terminate=0.2))


class Blocker(Actor, executor=Process(stderr="keep")):
    """Blocks in one way or another; what comes after that is never reached."""

    def __init__(self) -> None:
        self.passed = False

    @method
    def block(self, way: str) -> str:
        BLOCKS[way]()
        self.passed = True
        return "passed"

    @method
    def has_passed(self) -> bool:
        return self.passed

    @method
    def swallow(self, times: int) -> int:
        """Be deaf to so many interrupts."""
        heard = 0
        while heard < times:
            try:
                while True:
                    pass
            except KeyboardInterrupt:
                heard += 1
        return heard

    @method
    def take_over(self, number: int) -> str:
        """Handle a signal in a way of its own."""
        signal.signal(number, lambda *_: None)
        return "taken over"

    @method
    def ignore(self, *numbers: int) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(600)

    @method
    def mask(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        while True:
            pass


def spin() -> None:
    while True:
        pass


def allocate() -> None:
    while True:
        [list(range(10)) for _ in range(100)]


def sleep() -> None:
    time.sleep(600)


def receive() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.recv(1)


def read_pipe() -> None:
    read, _ = os.pipe()
    os.read(read, 1)


def wait_for_child() -> None:
    child = subprocess.Popen(["sleep", "600"])
    try:
        child.wait()
    finally:
        child.kill()
        child.wait()


def acquire() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def take() -> None:
    queue.Queue[int]().get()


def wait_event() -> None:
    threading.Event().wait()


def select_nothing() -> None:
    select.select([], [], [], 600)


def match() -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")


def run_trio() -> None:
    trio.run(trio.sleep_forever)


def run_asyncio() -> None:
    asyncio.run(asyncio.sleep(600))


def add_up() -> None:
    sum(range(10**15))


def wait_in_c() -> None:
    libc = ctypes.PyDLL(None)  # keeps the interpreter's lock
    while libc.usleep(100_000) <= 0:
        if libc.getpid() < 0:
            return


def compress() -> None:
    zlib.compress(b"understudy" * 10_000_000, 9)


BLOCKS: dict[str, Any] = {
    function.__name__: function
    for function in (
        spin, allocate, sleep, receive, read_pipe, wait_for_child, acquire, take, wait_event, select_nothing, match, run_trio,
        run_asyncio, add_up, compress,
    )
}  # fmt: skip


class Rude(Actor, executor=Process(stderr="keep")):
    """Treats its process badly."""

    @method
    def echo(self, value: int) -> int:
        return value

    @method
    def nap(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    @method
    def fork_and_return(self) -> int:
        """Return in both processes."""
        return os.fork()

    @method
    def close_everything(self) -> None:
        os.closerange(3, 256)

    @method
    def leave(self) -> NoReturn:
        os._exit(7)

    @method
    def start_threads(self, count: int) -> int:
        for _ in range(count):
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        return threading.active_count()

    @method
    def rename(self) -> None:
        ctypes.CDLL(None).prctl(15, b"somebody else", 0, 0, 0)
        sys.argv[:] = ["somebody", "else"]
        threading.current_thread().name = "somebody"

    @method
    def set_handlers(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGURG, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
