"""`StdlibWorker`: a worker over the standard library's process pool, as far as that goes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cast_worker import add, wait_for
from tests.rehearsal import held, rehearse, until
from tests.workers import EVERY, STDLIB
from understudy import Runtime, TaskError, interrupt, open_channel, statistics
from understudy.actors.events import ActorCrashed
from understudy.actors.exported import exported_of
from understudy.stdlib import StdlibWorker

pytestmark = pytest.mark.slow


def test_it_has_the_verbs_of_a_worker() -> None:
    assert STDLIB["stdlib"].cls is StdlibWorker
    assert all(exported_of(one.cls).keys() == exported_of(StdlibWorker).keys() for one in EVERY.values())


def test_a_pool_that_breaks_ends_the_incarnation_and_the_next_has_another() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        worker = await StdlibWorker.start()
        await worker.exec("x = 1")
        pid = await worker.eval("__import__('os').getpid()")
        with pytest.raises(TaskError, match="terminated abruptly"):
            await worker.call(os.kill, pid, signal.SIGKILL)

        with pytest.raises(NameError):
            await worker.eval("x")
        assert await worker.call(add, 1) == 1
        assert statistics(worker).incarnation == 2
        assert "BrokenProcessPool" in str(held(events, ActorCrashed)[0].reason)

    rehearse(scene)
    assert multiprocessing.active_children() == []


def test_an_interrupt_ends_the_wait_and_not_the_code(tmp_path: Path) -> None:
    never = tmp_path / "never"

    async def scene(runtime: Runtime) -> None:
        worker = await StdlibWorker.start()
        ref = worker.call.remote(wait_for, str(never))
        await until(Path(f"{never}.begun").exists)
        await interrupt(worker)
        with pytest.raises(Exception, match="interrupted"):
            await ref
        late: Any = worker.call.remote(add, 1)
        never.touch()
        assert await late == 1

    rehearse(scene)


def test_what_means_nothing_there_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await StdlibWorker.start()
        send, receive = open_channel[int](3)
        for item in (send, receive, worker, worker.eval.remote("1")):
            with pytest.raises(TaskError, match=r"Unsendable: .*cannot travel to a StdlibWorker"):
                await worker.call(lambda items: items, [item])
            with pytest.raises(TaskError, match=r"Unsendable: .*cannot travel to a StdlibWorker"):
                await worker.exec("pass", given={"item": [item]})
        assert (len(send._store.senders), len(send._store.receivers)) == (1, 1)  # type: ignore[attr-defined]
        with pytest.raises(TaskError, match=r"Unsendable: .*cannot be pickled"):
            await worker.call(str, threading.Lock())
        assert await worker.call(lambda n: n + 1, 1) == 2

    rehearse(scene)
