"""Where the tests of workers run: each backend, and what holds for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.cast import QUIET
from tests.cast_worker import await_file, wait_for
from understudy import AsyncWorker, Local, Process, Runtime, Thread, Worker
from understudy import Executor as Executor
from understudy.actors.verbs import life_of
from understudy.stdlib import StdlibWorker

WARY = replace(QUIET, trusted=False)


@dataclass(frozen=True)
class Backend:
    """A class of workers on an executor, and what becomes of its results: *data*, a *pickle*, or the *object* itself."""

    cls: Any
    executor: Any
    gives: str

    @property
    def waits(self) -> Any:
        """A function that waits for a file as code of this backend should."""
        return wait_for if self.cls is Worker else await_file

    def worker(self, **options: Any) -> Any:
        """The class with options, to be started."""
        if self.executor is not None:
            options["executor"] = self.executor
        return self.cls.options(**options)


WORKERS = {
    "untrusted": Backend(Worker, WARY, "data"),
    "trusted": Backend(Worker, QUIET, "pickle"),
    "thread": Backend(Worker, Thread(), "object"),
    "local": Backend(Worker, Local(), "object"),
}
ASYNC = {
    "async untrusted": Backend(AsyncWorker, WARY, "data"),
    "async trusted": Backend(AsyncWorker, QUIET, "pickle"),
    "async thread": Backend(AsyncWorker, Thread(), "object"),
    "async local": Backend(AsyncWorker, Local(), "object"),
}
ASYNCIO = {
    "asyncio untrusted": Backend(AsyncWorker, replace(WARY, loop="asyncio"), "data"),
    "asyncio thread": Backend(AsyncWorker, Thread(loop="asyncio"), "object"),
}
STDLIB = {"stdlib": Backend(StdlibWorker, None, "pickle")}
OURS = WORKERS | ASYNC | ASYNCIO
EVERY = OURS | STDLIB


def over(backends: dict[str, Backend]) -> pytest.MarkDecorator:
    """Run a test over these; the standard library's is slow to start."""
    slow = pytest.mark.slow
    rows = [
        pytest.param(one, id=name, marks=slow if name == "stdlib" else ()) for name, one in backends.items()
    ]
    return pytest.mark.parametrize("backend", rows)


def in_process(backends: dict[str, Backend]) -> dict[str, Backend]:
    return {name: one for name, one in backends.items() if isinstance(one.executor, Process)}


async def supervised(runtime: Runtime, backend: Backend, **options: Any) -> Any:
    """A worker in the tree, whose supervisor can be told to stop it."""
    return await runtime.supervisor().start_child(backend.worker(id="worker", **options).child())


async def stop(runtime: Runtime) -> None:
    """A polite stop of that worker."""
    await runtime.supervisor().terminate_child("worker")
    await runtime.supervisor().delete_child("worker")


def state(worker: Any) -> str:
    return life_of(worker).state
