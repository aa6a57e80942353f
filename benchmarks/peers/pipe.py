"""multiprocessing.Pipe: one object there, one back, to a spawned process."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks.case import Case, Sample
from benchmarks.stopwatch import Stopwatch


def serve(end: Connection) -> None:
    """The child: send back what comes, until None does."""
    while (item := end.recv()) is not None:
        end.send(item)


def run(count: int) -> Sample:
    """One caller."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    ping_pong(ours, count // 10 + 1)
    with Stopwatch([process.pid or 0]) as watch:
        ping_pong(ours, count)
    ours.send(None)
    process.join()
    return watch.sample(count)


def ping_pong(end: Connection, count: int) -> None:
    for _ in range(count):
        end.send(1)
        end.recv()


CASES = (Case(name="multiprocessing.Pipe", group="peers", unit="wall", run=run),)
