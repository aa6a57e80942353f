"""Hosts for the tests of this folder: each runs in a process of its own, tells what it started, and waits."""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Literal
from uuid import uuid4

import trio

from tests.rehearsal import keeper_of, until
from tests.transports.company import Tester
from understudy import Process, open_runtime

ROOT = Path(__file__).resolve().parent.parent.parent
MARK = "UNDERSTUDY_TEST_MARK"


def environ_of(mark: str) -> dict[str, str]:
    return {**os.environ, MARK: mark, "PYTHONPATH": str(ROOT)}


async def hold(
    kinds: list[str], fork: bool = False, launch: Literal["zygote", "spawn"] = "zygote", preload: str = ""
) -> None:
    """Open a runtime with one guest for each kind, tell of it on stdout, and stay."""
    mark = os.environ[MARK]
    executor = Process(stderr="keep", environ={MARK: mark}, launch=launch)
    async with open_runtime() as runtime:
        testers = [
            await Tester.options(executor=executor, max_restarts=-1, name=f"{n}-{mark}").start()
            for n in range(len(kinds))
        ]
        for tester, kind in zip(testers, kinds, strict=True):
            if kind == "spin":
                tester.spin.cast()
            elif kind == "sleep":
                tester.sleep.cast(1000.0)
            else:
                await tester.spawn(kind)
        if preload:
            Tester.options(executor=replace(executor, preload=[preload])).remote()
            await until(lambda: list(runtime.house.stage.keepers))
        if fork:
            multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,)).start()
        print(json.dumps({"keeper": keeper_of(runtime).pid}), flush=True)
        await trio.sleep_forever()


@contextmanager
def host(
    *kinds: str, fork: bool = False, launch: str = "zygote", preload: str = ""
) -> Iterator[tuple[Popen[str], dict[str, Any], str]]:
    """A running host: its process, what it told, and the mark that all below its guests carry."""
    mark = uuid4().hex
    options = f"{list(kinds)!r}, {fork!r}, {launch!r}, {preload!r}"
    script = f"import trio; from tests.transports.hosts import hold; trio.run(hold, {options})"
    process = Popen(
        [sys.executable, "-c", script],
        env=environ_of(mark),
        stdin=DEVNULL,
        stdout=PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline()), mark
    finally:
        for pid in [process.pid, *marked(mark)]:
            kill(pid, signal.SIGKILL)
        process.communicate()


def kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def marked(mark: str, besides: int = 0) -> list[int]:
    """Living processes that carry the mark: in the environment they were started with, or in their label."""
    return [pid for pid in processes() if pid != besides and carries(pid, mark.encode()) and alive(pid)]


def carries(pid: int, mark: bytes) -> bool:
    return mark in read(pid, "environ") or mark in read(pid, "cmdline")


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def alive(pid: int) -> bool:
    """Does it run, that is, is it there and no zombie?"""
    fields = read(pid, "stat").rpartition(b")")[2].split()
    return bool(fields) and fields[0] not in (b"Z", b"X")


def children(pid: int) -> list[int]:
    """Direct children, zombies too."""
    return [
        child
        for child in processes()
        if read(child, "stat").rpartition(b")")[2].split()[1:2] == [str(pid).encode()]
    ]


def gone(*pids: int, mark: str = "", besides: int = 0) -> bool:
    """Wait until none of them runs; False if some still do after a time no slow machine needs."""
    for _ in range(500):
        if not any(alive(pid) for pid in pids) and not (mark and marked(mark, besides)):
            return True
        time.sleep(0.01)
    return False
