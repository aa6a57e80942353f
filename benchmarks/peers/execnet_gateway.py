"""execnet: one local gateway, a channel for each conversation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from threading import Thread
from typing import Any

from benchmarks.case import Case, Figure, Sample
from benchmarks.stopwatch import Stopwatch

CALLERS = 100

REMOTE = """
import os
channel.send(os.getpid())
for conversation in channel:
    conversation.setcallback(conversation.send)
"""

Channels = list[Any]
Calls = Callable[[Channels, int], None]


def _converse(channel: Any, count: int) -> None:
    for _ in range(count):
        channel.send(1)
        channel.receive()


def _sequential(channels: Channels, count: int) -> None:
    _converse(channels[0], count)


def _outstanding(channels: Channels, count: int) -> None:
    """One thread plays a hundred callers: the best this peer can do."""
    for channel in channels:
        channel.send(1)
    for _ in range(count // CALLERS - 1):
        for channel in channels:
            channel.receive()
            channel.send(1)
    for channel in channels:
        channel.receive()


def _threads(channels: Channels, count: int) -> None:
    """Callers that are callers: a thread each."""
    threads = [Thread(target=_converse, args=(channel, count // CALLERS)) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run(calls: Calls, count: int) -> Sample:
    count = max(CALLERS, count // CALLERS * CALLERS)
    group = import_module("execnet").Group()
    try:
        gateway = group.makegateway("popen")
        control = gateway.remote_exec(REMOTE)
        pid = control.receive()
        channels = [gateway.newchannel() for _ in range(CALLERS)]
        for channel in channels:
            control.send(channel)
        calls(channels, CALLERS)
        with Stopwatch([pid]) as watch:
            calls(channels, count)
        return watch.sample(count)
    finally:
        group.terminate(timeout=1.0)


def _case(name: str, calls: Calls, unit: Figure) -> Case:
    return Case(name=name, group="peers", unit=unit, run=partial(_run, calls), first=1000, needs=("execnet",))


CASES = (
    _case("execnet sequential", _sequential, "wall"),
    _case("execnet 100", _outstanding, "rate"),
    _case("execnet 100 threads", _threads, "rate"),
)
