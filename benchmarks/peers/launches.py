"""How long others take to start a process and hear its first word, one at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import anyio
from anyio.to_process import run_sync

from benchmarks.case import Case, Sample
from benchmarks.peers.echo import echo
from benchmarks.stopwatch import Stopwatch

# A small process that forks, and times the first byte of each child.
FORKS = """
import os, sys, time
print('there', flush=True)
times = []
for _ in range(int(sys.stdin.readline())):
    begun = time.perf_counter()
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.write(theirs, b'!')
        os._exit(0)
    os.read(ours, 1)
    times.append(time.perf_counter() - begun)
    os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)
print(*times)
"""
BARE = (sys.executable, "-I", "-S", "-E", "-c")

Launch = Callable[[], None]


def forks(count: int) -> Sample:
    """os.fork of a process that has nothing but the interpreter."""
    with subprocess.Popen(
        [*BARE, FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with Stopwatch([process.pid]) as watch:
            process.stdin.write(f"{count}\n")
            process.stdin.flush()
            latencies = [float(word) for word in process.stdout.readline().split()]
    return watch.sample(count, latencies)


def bare() -> None:
    """An interpreter that does nothing, to its end."""
    subprocess.run([*BARE, "pass"], check=True, env={})


def answer(end: Connection) -> None:
    """The child of `spawned`."""
    end.send(echo(1))


def spawned() -> None:
    """multiprocessing: a spawned process and a pipe."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=answer, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    ours.recv()
    process.join()


def pooled() -> None:
    """A ProcessPoolExecutor of one spawned process."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        pool.submit(echo, 1).result()


def by_anyio() -> None:
    """anyio.to_process in a loop of its own, which so has no worker yet."""
    anyio.run(run_sync, echo, 1)


@contextmanager
def gateways() -> Generator[Launch, None, None]:
    """execnet: a gateway and its first answer."""
    group = import_module("execnet").Group()

    def launch() -> None:
        gateway = group.makegateway("popen")
        assert gateway.remote_exec("channel.send(1)").receive() == 1

    try:
        yield launch
    finally:
        group.terminate(timeout=1.0)


@contextmanager
def ray_actors() -> Generator[Launch, None, None]:
    """A Ray actor and its first answer."""
    from benchmarks.peers.ray_actor import Echo, cluster

    with cluster() as ray:
        remote = ray.remote(Echo)
        alive: list[Any] = []

        def launch() -> None:
            for actor in alive:
                ray.kill(actor)
            alive[:] = [remote.remote()]
            ray.get(alive[0].echo.remote(1))

        yield launch


def timed(open_peer: Callable[[], AbstractContextManager[Launch]], count: int) -> Sample:
    """Seconds of each launch, after one that pays for what comes only once."""
    latencies: list[float] = []
    with open_peer() as launch:
        launch()
        with Stopwatch() as watch:
            for _ in range(count):
                begun = perf_counter()
                launch()
                latencies.append(perf_counter() - begun)
    return watch.sample(count, latencies)


def deaths(count: int) -> Sample:
    """SIGKILL to the moment the system says so by a pidfd: what nobody can be faster than."""
    latencies: list[float] = []
    with Stopwatch() as watch:
        for _ in range(count):
            process = subprocess.Popen(
                [*BARE, "print('there', flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            with process:
                assert process.stdout is not None
                process.stdout.readline()
                latencies.append(seconds_to_die(process.pid))
    return watch.sample(count, latencies)


def seconds_to_die(pid: int) -> float:
    """Kill a process; seconds until its end is known."""
    poll = import_module("select").poll()
    pidfd = os.pidfd_open(pid)
    try:
        poll.register(pidfd)
        begun = perf_counter()
        os.kill(pid, signal.SIGKILL)
        poll.poll()
        return perf_counter() - begun
    finally:
        os.close(pidfd)


case = partial(Case, group="peers", unit="p50", first=5)

CASES = (
    case(name="os.fork, first byte", run=forks, first=50),
    case(name="python -I -S -E -c pass", run=partial(timed, lambda: nullcontext(bare))),
    case(name="multiprocessing spawn, first reply", run=partial(timed, lambda: nullcontext(spawned))),
    case(name="ProcessPoolExecutor, first reply", run=partial(timed, lambda: nullcontext(pooled))),
    case(name="anyio.to_process, first reply", run=partial(timed, lambda: nullcontext(by_anyio))),
    case(name="execnet, first reply", run=partial(timed, gateways), needs=("execnet",)),
    case(name="Ray actor, first reply", run=partial(timed, ray_actors), needs=("ray",), extra="ray"),
    case(name="SIGKILL to pidfd", run=deaths),
)
