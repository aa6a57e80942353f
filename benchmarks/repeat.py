"""One repeat of a case in a forked process of its own, so that no case inherits another one's heap or threads."""

from __future__ import annotations

import os
import select
import signal
import sys
import traceback

import msgspec

from benchmarks.case import Case, Sample

DEADLINE = 120.0  # seconds: far beyond any honest repeat, so that a hang ends the case and not the run


class RepeatError(Exception):
    """A repeat raised, died or hung; the message says which."""


class _Outcome(msgspec.Struct, frozen=True):
    sample: Sample | None = None
    problem: str = ""


def repeat(case: Case, count: int, *, pinned: bool) -> Sample:
    """Run `count` operations of a case in a new process.

    Raises:
        RepeatError: the case raised, its process died, or it was not done after `DEADLINE` seconds.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _play(case, count, pinned, writer)
    os.close(writer)
    try:
        return _outcome(case, _read(reader))
    finally:
        os.close(reader)
        _end(pid)


def _play(case: Case, count: int, pinned: bool, writer: int) -> None:
    """The forked process: never returns, whatever the case does."""
    try:
        os.setpgid(0, 0)  # the group is what the parent ends, with all that the case has started
        if pinned:
            pin()
        with open(writer, "wb") as pipe:
            pipe.write(msgspec.msgpack.encode(_perform(case, count)))
    finally:
        os._exit(0)


def _perform(case: Case, count: int) -> _Outcome:
    try:
        return _Outcome(sample=case.run(count))
    except BaseException:
        return _Outcome(problem=traceback.format_exc())


def pin() -> None:
    """Keep this process and all it starts on one core, where the system can."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _read(reader: int) -> bytes | None:
    poll = select.poll()
    poll.register(reader, select.POLLIN | select.POLLHUP)
    data = b""
    while poll.poll(DEADLINE * 1000):
        chunk = os.read(reader, 65536)
        if not chunk:
            return data
        data += chunk
    return None


def _outcome(case: Case, data: bytes | None) -> Sample:
    if data is None:
        raise RepeatError(f"{case.name} was not done after {DEADLINE:.0f} s")
    if not data:
        raise RepeatError(f"{case.name}: its process died")
    outcome = msgspec.msgpack.decode(data, type=_Outcome)
    if outcome.sample is None:
        raise RepeatError(outcome.problem)
    return outcome.sample


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has not become a group of its own yet
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
